"""The list of an owner's messages: what a row shows, and which rows are wanted.

Text is compared without case and without diacritics, so that "cuoc hop" finds "Cuộc họp".
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from popfetch.domain.header_text import Mailbox
from popfetch.domain.marks import without_marks
from popfetch.domain.message import DeliveryState


class Kind(StrEnum):
    """Which way messages went."""

    ALL = "all"
    RECEIVED = "received"
    SENT = "sent"


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message as a list shows it; ``recipients`` and ``delivery`` are those of one that was sent from here."""

    account_id: str
    message_id: str
    sender: Mailbox
    subject: str
    dated: datetime | None
    arrived: datetime | None
    stored_at: datetime
    octets: int
    recipients: tuple[str, ...] = ()
    delivery: DeliveryState | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages are wanted: all, or those that fit whatever is said here.

    Every word of ``words`` must occur in the sender, the subject or a recipient; ``since`` and ``before`` bound the
    arrival that orders the list, the latter not included.
    """

    words: str = ""
    sender: str = ""
    subject: str = ""
    since: datetime | None = None
    before: datetime | None = None
    kind: Kind = Kind.ALL
    _fits: Callable[[MessageRow], bool] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        words, sender, subject = folded(self.words).split(), folded(self.sender).strip(), folded(self.subject).strip()

        def fits(row: MessageRow) -> bool:
            if self.kind is not Kind.ALL and (row.delivery is not None) is not (self.kind is Kind.SENT):
                return False
            if not (words or sender or subject):
                return True
            of_sender, of_subject = folded(f"{row.sender.name} {row.sender.address}"), folded(row.subject)
            anywhere = "\n".join((of_sender, of_subject, *map(folded, row.recipients))) if words else ""
            return sender in of_sender and subject in of_subject and all(word in anywhere for word in words)

        object.__setattr__(self, "_fits", fits)

    @property
    def everything(self) -> bool:
        """Whether every message between the bounds is wanted."""
        return self.kind is Kind.ALL and not (self.words.strip() or self.sender.strip() or self.subject.strip())

    def fits(self, row: MessageRow) -> bool:
        """Whether a message is wanted, its arrival apart."""
        return self._fits(row)


def folded(text: str) -> str:
    """Text as it is compared."""
    if text.isascii():
        return text.lower()
    return without_marks(text.casefold())
