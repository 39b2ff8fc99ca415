"""Every key of the table and of the bucket, built here and nowhere else.

========================  ======================  =====================================
item                      pk                      sk
========================  ======================  =====================================
owner's profile           ``OWNER#{owner}``       ``PROFILE``
account                   ``OWNER#{owner}``       ``ACCOUNT#{account}``
fetch state               ``OWNER#{owner}``       ``ACCOUNT#{account}#STATE``
visits to accounts        ``OWNER#{owner}``       ``VISITS``
ledger, fresh segment     ``ACCOUNT#{account}``   ``LEDGER#0#{sequence}``
ledger, packed segment    ``ACCOUNT#{account}``   ``LEDGER#1#{sequence}``
message                   ``ACCOUNT#{account}``   ``MESSAGE#{message_id}``
quarantined message       ``ACCOUNT#{account}``   ``QUARANTINE#{uid print}``
finished cycle            ``ACCOUNT#{account}``   ``CYCLE#{instant}#{cycle}``
dispatch's progress       ``DISPATCH``            ``PROGRESS``
current data key          ``KEYRING``             ``CURRENT``
notice to an owner        ``NOTICES``             ``NOTICE#{hash}``
link to a reply address   ``REPLY_TO_TOKEN#{t}``  ``LINK``
rate limit                ``LIMIT#{what}#{who}``  ``TIMES``
tokens of a grant         ``GRANT#{account}``     ``TOKENS#{grant}``
consent waited for        ``CONSENT#{t}``         ``PENDING``
answer to a sending       ``ACCOUNT#{account}``   ``ANSWER#{hash}``
sending under a key       ``ACCOUNT#{account}``   ``SENDING#{hash}``
========================  ======================  =====================================

The sparse index ``wheel`` has ``wheel_slot`` (``{interval}#{slot}#{shard}``) and ``wheel_order``
(``{owner}#{position}#{account}``); only accounts have them. Those off the wheel are in a slot that is never due,
``STOPPED#{standing}#{shard}``, where they are counted. ``{t}`` and ``{who}`` are hashes.
"""

import re
from datetime import datetime
from hashlib import sha256

PARTITION = "pk"
SORT = "sk"
WHEEL_INDEX = "wheel"
WHEEL_SLOT = "wheel_slot"
WHEEL_ORDER = "wheel_order"
EXPIRES_AT = "expires_at"

LEDGER = "LEDGER#"
FRESH_SEGMENTS = "LEDGER#0#"
PACKED_SEGMENTS = "LEDGER#1#"
MESSAGES = "MESSAGE#"
CYCLES = "CYCLE#"
QUARANTINE = "QUARANTINE#"

_CYCLE_NAME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z#[A-Za-z0-9-]{1,40}")
NOTICES = "NOTICES"
"""The partition of notices to owners, a static one: the idempotency layer builds their keys itself."""

NOTICE = "NOTICE"
"""What the idempotency layer puts before ``#`` and the hash in their sort keys."""

ANSWER = "ANSWER"
"""What the idempotency layer puts before ``#`` and the hash of an owner's Idempotency-Key."""

type Key = dict[str, str]


def _key(partition: str, sort: str) -> Key:
    return {PARTITION: partition, SORT: sort}


def owner_partition(owner_id: str) -> str:
    """The partition of an owner's profile, accounts, fetch states and visits."""
    return f"OWNER#{owner_id}"


def account_partition(account_id: str) -> str:
    """The partition of what an account accumulates: ledger, index, quarantine, history."""
    return f"ACCOUNT#{account_id}"


def profile(owner_id: str) -> Key:
    """The key of an owner's profile."""
    return _key(owner_partition(owner_id), "PROFILE")


def account_sort_prefix(account_id: str = "") -> str:
    """What the sort keys of an account and of its state begin with; without an id, those of all accounts."""
    return f"ACCOUNT#{account_id}"


def account(owner_id: str, account_id: str) -> Key:
    """The key of an account."""
    return _key(owner_partition(owner_id), account_sort_prefix(account_id))


def fetch_state(owner_id: str, account_id: str) -> Key:
    """The key of an account's fetch state."""
    return _key(owner_partition(owner_id), f"{account_sort_prefix(account_id)}#STATE")


def visits(owner_id: str) -> Key:
    """The key of when an owner has visited which account."""
    return _key(owner_partition(owner_id), "VISITS")


def fresh_segment(account_id: str, sequence: int) -> Key:
    """The key of a ledger segment as a commit wrote it."""
    return _key(account_partition(account_id), f"{FRESH_SEGMENTS}{sequence:012d}")


def packed_segment(account_id: str, sequence: int) -> Key:
    """The key of a ledger segment as a compaction wrote it."""
    return _key(account_partition(account_id), f"{PACKED_SEGMENTS}{sequence:012d}")


def segment_sequence(sort: str) -> int:
    """The sequence number in a segment's sort key."""
    return int(sort.rpartition("#")[2])


def message(account_id: str, message_id: str) -> Key:
    """The key of a message in the index."""
    return _key(account_partition(account_id), message_sort(message_id))


def message_sort(message_id: str) -> str:
    """The sort key of a message, or what those of all messages from an id on are not less than."""
    return f"{MESSAGES}{message_id}"


def sending(account_id: str, key_hash: str) -> Key:
    """The key of what an owner's Idempotency-Key has begun to send, kept so that it never sends again."""
    return _key(account_partition(account_id), f"SENDING#{key_hash}")


def quarantined(account_id: str, uid_print: bytes) -> Key:
    """The key of a quarantined message."""
    return _key(account_partition(account_id), f"{QUARANTINE}{uid_print.hex()}")


def finished_cycle(account_id: str, started_at: datetime, cycle_id: str) -> Key:
    """The key of a finished cycle in the account's history."""
    return _key(account_partition(account_id), f"{CYCLES}{started_at:%Y-%m-%dT%H:%M:%S.%fZ}#{cycle_id}")


def finished_cycle_name(sort: str) -> str:
    """What tells a finished cycle apart from the others of its account: instant and cycle."""
    return sort.removeprefix(CYCLES)


def finished_cycle_named(account_id: str, name: str) -> Key:
    """The key of a finished cycle by its name. Raises ValueError for what is no such name."""
    if not _CYCLE_NAME.fullmatch(name):
        raise ValueError("This is no name of a finished cycle.")
    return _key(account_partition(account_id), f"{CYCLES}{name}")


def dispatch_progress() -> Key:
    """The key of how far dispatch has come."""
    return _key("DISPATCH", "PROGRESS")


def current_data_key() -> Key:
    """The key of the data key that seals new secrets."""
    return _key("KEYRING", "CURRENT")


def reply_to_link(token_hash: bytes) -> Key:
    """The key of what a link to a reply address leads to, by the hash of its token."""
    return _key(f"REPLY_TO_TOKEN#{token_hash.hex()}", "LINK")


def rate_limit(what: str, who: str) -> Key:
    """The key of the times at which something was done; ``who`` may be an address, and is not to be read here."""
    return _key(f"LIMIT#{what}#{sha256(who.encode()).hexdigest()}", "TIMES")


def grants_partition(account_id: str) -> str:
    """The partition of the tokens that open an account's mailbox, apart from whatever else an account has."""
    return f"GRANT#{account_id}"


def grant(account_id: str, grant_id: str) -> Key:
    """The key of the tokens of a grant."""
    return _key(grants_partition(account_id), f"TOKENS#{grant_id}")


def pending_consent(state_hash: bytes) -> Key:
    """The key of a consent that is waited for, by the hash of its state."""
    return _key(f"CONSENT#{state_hash.hex()}", "PENDING")


def wheel_slot(interval_minutes: int, slot: int, shard: int) -> str:
    """The index partition of a wheel slot."""
    return f"{interval_minutes}#{slot}#{shard}"


def stopped_slot(standing: str, shard: int) -> str:
    """The index partition of accounts that are off the wheel with a standing; no minute's slot has such a name."""
    return f"STOPPED#{standing}#{shard}"


def wheel_order(owner_id: str, position: int, account_id: str) -> str:
    """The index sort key: an owner's accounts stand together, in the owner's order."""
    return f"{owner_id}#{position:06d}#{account_id}"


def read_wheel_order(order: str) -> tuple[str, str, int]:
    """Owner, account and position of an index sort key."""
    owner_id, position, account_id = order.rsplit("#", 2)
    return owner_id, account_id, int(position)


def mail_prefix(owner_id: str, account_id: str) -> str:
    """What the object keys of all of an account's messages begin with."""
    return f"mail/{owner_id}/{account_id}/"


def mail_object(owner_id: str, account_id: str, message_id: str, dated: datetime | None) -> str:
    """The object key of a message, by the UTC day of its own Date header."""
    day = f"{dated.year:04}/{dated.month:02}/{dated.day:02}" if dated else "undated"
    return f"{mail_prefix(owner_id, account_id)}{day}/{message_id}.eml"


def upload_object(owner_id: str, upload_id: str) -> str:
    """The object key of a file that an owner has put into the bucket to send it."""
    return f"uploads/{owner_id}/{upload_id}"


def attachment_object(owner_id: str, account_id: str, message_id: str, attachment_id: str) -> str:
    """The object key of something attached to a message, taken out of it to be downloaded."""
    return f"attachments/{owner_id}/{account_id}/{message_id}/{attachment_id}"
