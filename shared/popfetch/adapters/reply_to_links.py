"""What links to reply addresses lead to, in the table, by the hashes of their tokens."""

from typing import TYPE_CHECKING

from popfetch.adapters import keys
from popfetch.adapters.dynamodb_items import Item, from_wire, to_wire, translated
from popfetch.adapters.fetch_state_items import instant_from_text, instant_to_text
from popfetch.domain.reply_to import ReplyToLink

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class ReplyToLinksTable:
    """``ReplyToLinks`` on the table, which sweeps links away some time after they have expired."""

    def __init__(self, client: "DynamoDBClient", table_name: str) -> None:
        self._client = client
        self._table = table_name

    def keep(self, token_hash: bytes, link: ReplyToLink) -> None:
        """Remember a link until it expires."""
        with translated("Storing the link"):
            self._client.put_item(TableName=self._table, Item=to_wire(to_item(token_hash, link)))

    def find(self, token_hash: bytes) -> ReplyToLink | None:
        """What a token leads to; one that has expired may be found, and may not."""
        key = to_wire(keys.reply_to_link(token_hash))
        with translated("Reading the link"):
            found = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        return from_item(from_wire(found)) if found else None

    def forget(self, token_hash: bytes) -> None:
        """Make a token lead nowhere."""
        with translated("Removing the link"):
            self._client.delete_item(TableName=self._table, Key=to_wire(keys.reply_to_link(token_hash)))


def to_item(token_hash: bytes, link: ReplyToLink) -> Item:
    """The link as an item."""
    return {
        **keys.reply_to_link(token_hash),
        "owner_id": link.owner_id,
        "account_id": link.account_id,
        "language": link.language,
        "valid_until": instant_to_text(link.expires_at),
        keys.EXPIRES_AT: int(link.expires_at.timestamp()),
    }


def from_item(item: Item) -> ReplyToLink:
    """The link of an item."""
    expires_at = instant_from_text(item["valid_until"])
    assert expires_at is not None
    return ReplyToLink(item["owner_id"], item["account_id"], item["language"], expires_at)
