"""A message as it lies in the mailbox and as it is stored."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One message in the bucket, as the index keeps it.

    ``message_id`` sorts by arrival; ``dated`` is the message's own Date header (UTC), ``arrived`` the date of its
    topmost Received header, else ``dated``; ``octets`` is the size of the stored object; ``sha256`` is the hash of
    its bytes.
    """

    owner_id: str
    account_id: str
    message_id: str
    key: str
    uid: bytes
    octets: int
    sha256: bytes
    dated: datetime | None
    arrived: datetime | None
    stored_at: datetime
    sender: str = ""
    subject: str = ""
    header_message_id: str = ""


@dataclass(frozen=True, slots=True)
class QuarantinedMessage:
    """One message that could not be taken, after so many tries; those behind it are not held up by it."""

    owner_id: str
    account_id: str
    uid: bytes
    octets: int
    tries: int
    reason: str
    quarantined_at: datetime
