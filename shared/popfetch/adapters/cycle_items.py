"""The items a fetch cycle adds to an account's partition: ledger segments, messages, quarantine, history.

Each family's ``to_item`` stands beside its ``from_item``; expiry by ``expires_at`` is DynamoDB's TTL, which only
sweeps.
"""

from datetime import datetime, timedelta

from popfetch.adapters import keys
from popfetch.adapters.dynamodb_items import Item, plain_octets
from popfetch.adapters.fetch_state_items import (
    instant_from_text,
    instant_to_text,
    last_fetch_from_map,
    last_fetch_to_map,
)
from popfetch.domain.account import Account
from popfetch.domain.fetch_state import LastFetch
from popfetch.domain.header_text import mailbox_in
from popfetch.domain.ledger import LedgerEntry, content_print, day_number, uid_print
from popfetch.domain.message import Delivery, DeliveryState, QuarantinedMessage, Refusal, StoredMessage
from popfetch.domain.message_list import MessageRow

SEGMENT = "entries"
HISTORY_IS_KEPT = timedelta(days=30)
_UID_IN_ITEM = 256
"""Octets of a UID that an item repeats for people to read; its print tells UIDs apart."""

_UNIT_OCTETS = 1024
_CUT_FIRST = (("uid", 70), ("header_message_id", 100), ("subject", 160), ("sender", 80))
"""What a message's item can do with less of, in this order, and the octets that stay; RFC 1939 gives a UID 70."""


def fresh_segment_to_item(account_id: str, sequence: int, packed: bytes) -> Item:
    """A ledger segment as a commit writes it."""
    return {**keys.fresh_segment(account_id, sequence), SEGMENT: packed}


def packed_segment_to_item(account_id: str, sequence: int, packed: bytes) -> Item:
    """A ledger segment as a compaction writes it."""
    return {**keys.packed_segment(account_id, sequence), SEGMENT: packed}


def message_to_item(message: StoredMessage) -> Item:
    """A message of the index. One that was fetched is kept within what one write unit writes.

    Where it would be larger, what only repeats the message is cut; the message itself has it whole.
    """
    item: Item = {
        **keys.message(message.account_id, message.message_id),
        "owner_id": message.owner_id,
        "key": message.key,
        "uid": message.uid[:_UID_IN_ITEM] or None,
        "octets": message.octets,
        "sha256": message.sha256,
        "dated": instant_to_text(message.dated),
        "arrived": instant_to_text(message.arrived),
        "stored_at": instant_to_text(message.stored_at),
        "sender": message.sender or None,
        "subject": message.subject or None,
        "header_message_id": message.header_message_id or None,
        "delivery": _delivery_to_map(message.delivery) if message.delivery else None,
    }
    return item if message.delivery else _within_a_unit(item)


def _within_a_unit(item: Item) -> Item:
    over = plain_octets(item) - _UNIT_OCTETS
    for name, least in _CUT_FIRST:
        value = item[name]
        if over <= 0 or not value:
            continue
        octets = value if isinstance(value, bytes) else value.encode()
        kept = octets[: max(least, len(octets) - over)]
        over -= len(octets) - len(kept)
        item[name] = kept if isinstance(value, bytes) else kept.decode(errors="ignore")
    return item


def message_from_item(item: Item) -> StoredMessage:
    """A message of the index."""
    stored_at = instant_from_text(item["stored_at"])
    assert stored_at is not None
    return StoredMessage(
        owner_id=item["owner_id"],
        account_id=item[keys.PARTITION].removeprefix(keys.account_partition("")),
        message_id=item[keys.SORT].removeprefix(keys.MESSAGES),
        key=item["key"],
        uid=item.get("uid", b""),
        octets=item["octets"],
        sha256=item["sha256"],
        dated=instant_from_text(item.get("dated")),
        arrived=instant_from_text(item.get("arrived")),
        stored_at=stored_at,
        sender=item.get("sender", ""),
        subject=item.get("subject", ""),
        header_message_id=item.get("header_message_id", ""),
        delivery=_delivery_from_map(item["delivery"]) if item.get("delivery") else None,
    )


def ledger_entry_of_message(item: Item) -> LedgerEntry:
    """The ledger's entry for a message of the index: without what LIST said, its exact content for the stable one."""
    stored_at = instant_from_text(item["stored_at"])
    assert stored_at is not None
    uid = item.get("uid") or b"content:" + item["sha256"]
    return LedgerEntry(uid_print(uid), 0, content_print(item["sha256"]), day_number(stored_at))


def message_row_from_item(item: Item) -> MessageRow:
    """A message of the index as a list shows it; of the item, only what it shows is needed."""
    stored_at = instant_from_text(item["stored_at"])
    assert stored_at is not None
    delivery: Item = item.get("delivery") or {}
    return MessageRow(
        account_id=item[keys.PARTITION].removeprefix(keys.account_partition("")),
        message_id=item[keys.SORT].removeprefix(keys.MESSAGES),
        sender=mailbox_in(item.get("sender", "")),
        subject=item.get("subject", ""),
        dated=instant_from_text(item.get("dated")),
        arrived=instant_from_text(item.get("arrived")),
        stored_at=stored_at,
        octets=item["octets"],
        recipients=tuple(delivery.get("recipients", ())),
        delivery=DeliveryState(delivery["state"]) if delivery else None,
    )


def _delivery_to_map(delivery: Delivery) -> Item:
    return {
        "state": str(delivery.state),
        "recipients": list(delivery.recipients),
        "refused": [
            {"address": r.address, "code": r.code, "message": r.message, "server_said": r.server_said}
            for r in delivery.refused
        ],
    }


def _delivery_from_map(values: Item) -> Delivery:
    return Delivery(
        state=DeliveryState(values["state"]),
        recipients=tuple(values["recipients"]),
        refused=tuple(Refusal(**refused) for refused in values["refused"]),
    )


def quarantined_to_item(message: QuarantinedMessage) -> Item:
    """A quarantined message."""
    return {
        **keys.quarantined(message.account_id, uid_print(message.uid)),
        "owner_id": message.owner_id,
        "uid": message.uid[:_UID_IN_ITEM] or None,
        "octets": message.octets,
        "tries": message.tries,
        "reason": message.reason[:300],
        "quarantined_at": instant_to_text(message.quarantined_at),
    }


def finished_cycle_to_item(account: Account, cycle_id: str, fetch: LastFetch) -> Item:
    """A finished cycle of the account's history."""
    return {
        **keys.finished_cycle(account.account_id, fetch.started_at, cycle_id),
        **last_fetch_to_map(fetch),
        keys.EXPIRES_AT: _epoch(fetch.finished_at + HISTORY_IS_KEPT),
    }


def finished_cycle_from_item(item: Item) -> LastFetch:
    """A finished cycle from its item."""
    return last_fetch_from_map(item)


def _epoch(instant: datetime) -> int:
    return int(instant.timestamp())
