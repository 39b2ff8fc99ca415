"""Consents that are waited for, in the table, by the hashes of their states. Each is taken once."""

from collections.abc import Mapping
from math import ceil
from typing import TYPE_CHECKING, Any

from popfetch.adapters import keys
from popfetch.adapters.dynamodb_items import Item, condition_held, from_wire, to_wire, translated
from popfetch.adapters.fetch_state_items import instant_from_text, instant_to_text
from popfetch.domain.oauth import Flow, PendingConsent

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

UNCHANGED = "poll_after = :seen"


class ConsentsTable:
    """``PendingConsents`` on the table, which sweeps them away some time after they have expired."""

    def __init__(self, client: "DynamoDBClient", table_name: str) -> None:
        self._client = client
        self._table = table_name

    def keep(self, state_hash: bytes, pending: PendingConsent) -> None:
        """Wait for a consent until it expires."""
        with translated("Storing the sign-in"):
            self._client.put_item(TableName=self._table, Item=to_wire(to_item(state_hash, pending)))

    def find(self, state_hash: bytes) -> PendingConsent | None:
        """The consent of a state; one that has expired may be found, and may not."""
        key = to_wire(keys.pending_consent(state_hash))
        with translated("Reading the sign-in"):
            found = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        return from_item(from_wire(found)) if found else None

    def take(self, state_hash: bytes) -> bool:
        """Wait for a consent no more; ``False`` where somebody else took it before."""
        key = to_wire(keys.pending_consent(state_hash))
        with translated("Taking the sign-in"):
            gone = self._client.delete_item(TableName=self._table, Key=key, ReturnValues="ALL_OLD")
        return bool(gone.get("Attributes"))

    def postpone(self, state_hash: bytes, seen: PendingConsent, pending: PendingConsent) -> bool:
        """Store when a device code may be asked for next; ``False`` where somebody else did, or took the consent."""
        with translated("Storing the sign-in"):
            return condition_held(
                lambda: self._client.put_item(
                    TableName=self._table,
                    Item=to_wire(to_item(state_hash, pending)),
                    ConditionExpression=UNCHANGED,
                    ExpressionAttributeValues=to_wire(
                        {":seen": instant_to_text(seen.poll_after) if seen.poll_after else ""}
                    ),
                )
            )


def to_item(state_hash: bytes, pending: PendingConsent) -> Item:
    """The consent as an item."""
    return {
        **keys.pending_consent(state_hash),
        "owner_id": pending.owner_id,
        "account_id": pending.account_id,
        "server_id": pending.server_id,
        "flow": str(pending.flow),
        "proof": pending.proof,
        "redirect_uri": pending.redirect_uri,
        "browser_hash": pending.browser_hash,
        "poll_seconds": pending.poll_seconds,
        "poll_after": instant_to_text(pending.poll_after) if pending.poll_after else None,
        "valid_until": instant_to_text(pending.expires_at),
        keys.EXPIRES_AT: ceil(pending.expires_at.timestamp()),
    }


def from_item(item: Mapping[str, Any]) -> PendingConsent:
    """The consent of an item."""
    expires_at = instant_from_text(item["valid_until"])
    assert expires_at is not None
    return PendingConsent(
        owner_id=item["owner_id"],
        account_id=item["account_id"],
        server_id=item["server_id"],
        flow=Flow(item["flow"]),
        proof=item["proof"],
        expires_at=expires_at,
        redirect_uri=item["redirect_uri"],
        browser_hash=item["browser_hash"],
        poll_seconds=item["poll_seconds"],
        poll_after=instant_from_text(item.get("poll_after")),
    )
