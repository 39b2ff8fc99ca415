"""The item of an owner's visits: an attribute for each account that was visited, under the account's id.

One item for all accounts comes along whenever they are read, and one update writes a visit whether or not there was
one before. Account ids are of one form, so that none is the name of a key.
"""

from collections.abc import Iterable
from datetime import datetime

from popfetch.adapters import keys
from popfetch.adapters.account_items import UpdateRequest
from popfetch.adapters.dynamodb_items import Item, to_wire
from popfetch.adapters.fetch_state_items import instant_to_text
from popfetch.domain.mailbox import is_account_id
from popfetch.domain.visits import Visit

NOT_LATER = "attribute_not_exists(#account) OR #account.stored_total <= :seen"
"""The named condition of a visit: none that has seen more messages is there already."""


def from_item(item: Item | None) -> dict[str, Visit]:
    """The last visit to each account, by its id."""
    return {name: _from_map(value) for name, value in (item or {}).items() if is_account_id(name)}


def visited(owner_id: str, account_id: str, visit: Visit) -> UpdateRequest:
    """The update that stores a visit, on condition NOT_LATER."""
    return {
        "Key": to_wire(keys.visits(owner_id)),
        "UpdateExpression": "SET #account = :visit",
        "ConditionExpression": NOT_LATER,
        "ExpressionAttributeNames": {"#account": account_id},
        "ExpressionAttributeValues": to_wire({":visit": _to_map(visit), ":seen": visit.stored_total}),
    }


def forgotten(owner_id: str, account_ids: Iterable[str]) -> UpdateRequest:
    """The update that forgets the visits to some accounts, of which there is at least one."""
    names = {f"#a{number}": account_id for number, account_id in enumerate(sorted(account_ids))}
    return {
        "Key": to_wire(keys.visits(owner_id)),
        "UpdateExpression": f"REMOVE {', '.join(names)}",
        "ExpressionAttributeNames": names,
    }


def _to_map(visit: Visit) -> Item:
    return {"at": instant_to_text(visit.at), "stored_total": visit.stored_total}


def _from_map(values: Item) -> Visit:
    return Visit(datetime.fromisoformat(values["at"]), values["stored_total"])
