"""A mail that an owner wants sent, before it is a message: plain text everywhere, nothing encoded yet."""

from dataclasses import dataclass, field
from typing import Self

from popfetch.domain.host_names import ascii_name

MESSAGE_ID = r"<[!-;=?-~]{1,400}>"
"""A Message-ID as it stands in headers (RFC 5322, section 3.6.4), as far as strange ones are met: a pattern."""


@dataclass(frozen=True, slots=True)
class Correspondent:
    """Someone who gets or sends mail; ``domain`` is as the DNS has it, so that only ``local_part`` can need UTF-8."""

    local_part: str
    domain: str
    name: str = ""

    @classmethod
    def of(cls, address: str, name: str = "") -> Self:
        """Whoever has ``address``, one that was checked. Raises HostRefused for a domain that is none."""
        local_part, _, domain = address.rpartition("@")
        return cls(local_part, ascii_name(domain), name)

    @property
    def address(self) -> str:
        """The address alone."""
        return f"{self.local_part}@{self.domain}"

    @property
    def needs_utf8(self) -> bool:
        """Whether only servers that speak SMTPUTF8 can deliver to it (RFC 6531)."""
        return not self.local_part.isascii()


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes along; with ``content_id`` it is an image that the HTML shows, by ``cid:``."""

    filename: str
    content_type: str
    content: bytes = field(repr=False)
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Thread:
    """Which message is answered, and those before it: Message-IDs with their angle brackets (RFC 5322, 3.6.4)."""

    in_reply_to: str
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be sent, to whom; at least one recipient, and each address at most once."""

    to: tuple[Correspondent, ...]
    subject: str
    text: str
    html: str = ""
    cc: tuple[Correspondent, ...] = ()
    bcc: tuple[Correspondent, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    thread: Thread | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a server is told of a message (RFC 5321, section 2.3.1); ``octets`` is its size (RFC 1870, section 3)."""

    sender: str
    recipients: tuple[str, ...]
    octets: int
    needs_utf8: bool = False
