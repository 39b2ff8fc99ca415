"""The tokens of grants, in the table, each grant an item of its own.

They change far more often than the account, and are never part of it. Whoever renews an access token takes the lease
of the item first, by its version; only who holds it uses the refresh token, which a server may replace at each use::

    take     [ UNCHANGED ] renewing_until is set
    keep     [ UNCHANGED ] new tokens, the lease is given back
    release  [ UNCHANGED ] the lease is given back
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from popfetch.adapters import keys
from popfetch.adapters.dynamodb_items import Item, condition_held, from_wire, to_wire, translated
from popfetch.adapters.fetch_state_items import instant_from_text, instant_to_text
from popfetch.domain.oauth import StoredTokens

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

VERSION = "version"
UNCHANGED = f"{VERSION} = :seen_version"


class GrantsTable:
    """``GrantStore`` on the table."""

    def __init__(self, client: "DynamoDBClient", table_name: str) -> None:
        self._client = client
        self._table = table_name

    def add(self, tokens: StoredTokens) -> None:
        """Keep the tokens of a new grant."""
        with translated("Storing the tokens"):
            self._client.put_item(TableName=self._table, Item=to_wire(to_item(tokens)))

    def load(self, account_id: str, grant_id: str) -> StoredTokens | None:
        """The tokens of a grant; ``None`` where there are none any more."""
        key = to_wire(keys.grant(account_id, grant_id))
        with translated("Reading the tokens"):
            found = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        return from_item(from_wire(found)) if found else None

    def of_account(self, account_id: str) -> list[StoredTokens]:
        """The tokens of all grants that an account has left behind, the present one among them."""
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": f"{keys.PARTITION} = :grants",
            "ExpressionAttributeValues": to_wire({":grants": keys.grants_partition(account_id)}),
            "ConsistentRead": True,
        }
        # a handful at the most, of a few kilobytes each: one page has room for hundreds
        with translated("Reading the tokens"):
            return [from_item(from_wire(wire)) for wire in self._client.query(**request)["Items"]]

    def take(self, seen: StoredTokens, until: datetime) -> StoredTokens | None:
        """Take the lease; ``None`` where somebody else changed the tokens since they were seen, or removed them."""
        taken = replace(seen, renewing_until=until, version=seen.version + 1)
        return taken if self._put(taken, seen.version) else None

    def keep(self, taken: StoredTokens, renewed: StoredTokens) -> bool:
        """Keep new tokens and give the lease back; ``False`` where the lease was lost meanwhile."""
        return self._put(replace(renewed, renewing_until=None, version=taken.version + 1), taken.version)

    def release(self, taken: StoredTokens) -> None:
        """Give the lease back; where it was lost, nothing happens."""
        self._put(replace(taken, renewing_until=None, version=taken.version + 1), taken.version)

    def remove(self, account_id: str, grant_id: str) -> None:
        """Remove the tokens of a grant."""
        with translated("Removing the tokens"):
            self._client.delete_item(TableName=self._table, Key=to_wire(keys.grant(account_id, grant_id)))

    def _put(self, tokens: StoredTokens, seen_version: int) -> bool:
        with translated("Storing the tokens"):
            return condition_held(
                lambda: self._client.put_item(
                    TableName=self._table,
                    Item=to_wire(to_item(tokens)),
                    ConditionExpression=UNCHANGED,
                    ExpressionAttributeValues=to_wire({":seen_version": seen_version}),
                )
            )


def to_item(tokens: StoredTokens) -> Item:
    """The tokens as an item."""
    return {
        **keys.grant(tokens.account_id, tokens.grant_id),
        "owner_id": tokens.owner_id,
        "account_id": tokens.account_id,
        "grant_id": tokens.grant_id,
        "server_id": tokens.server_id,
        "client_print": tokens.client_print,
        "is_public": tokens.is_public,
        "refresh_token": tokens.refresh_token,
        "access_token": tokens.access_token,
        "access_expires_at": instant_to_text(tokens.access_expires_at),
        "renewing_until": instant_to_text(tokens.renewing_until) if tokens.renewing_until else None,
        VERSION: tokens.version,
    }


def from_item(item: Mapping[str, Any]) -> StoredTokens:
    """The tokens of an item."""
    access_expires_at = instant_from_text(item["access_expires_at"])
    assert access_expires_at is not None
    return StoredTokens(
        owner_id=item["owner_id"],
        account_id=item["account_id"],
        grant_id=item["grant_id"],
        server_id=item["server_id"],
        client_print=item["client_print"],
        is_public=item["is_public"],
        refresh_token=item["refresh_token"],
        access_token=item["access_token"],
        access_expires_at=access_expires_at,
        renewing_until=instant_from_text(item.get("renewing_until")),
        version=item[VERSION],
    )
