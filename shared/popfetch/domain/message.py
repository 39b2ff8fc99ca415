"""A message as it lies in the mailbox and as it is stored."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class DeliveryState(StrEnum):
    """What is known of a message that was sent from here.

    SENDING is written before the message is handed over, and UNCONFIRMED where the server never said whether it took
    it. Found later, SENDING means the same as UNCONFIRMED: whoever was sending did not live to tell.
    """

    SENDING = "sending"
    SENT = "sent"
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A recipient whom the server did not take, and why; ``server_said`` is its own words, cleaned."""

    address: str
    code: str
    message: str
    server_said: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the sending of a message went; ``recipients`` are those whom the server took, blind copies among them."""

    state: DeliveryState
    recipients: tuple[str, ...]
    refused: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One message in the bucket, as the index keeps it.

    ``message_id`` sorts by arrival; ``dated`` is the message's own Date header (UTC), ``arrived`` the date of its
    topmost Received header, else ``dated``; ``octets`` is the size of the stored object; ``sha256`` is the hash of
    its bytes. ``delivery`` is set for messages that were sent from here, which have no UID; ``dated`` and ``arrived``
    are the instant of sending then.
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
    delivery: Delivery | None = None


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
