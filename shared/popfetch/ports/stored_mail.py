"""Mail that is in the bucket, and its index: reading, sending, uploading."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from popfetch.domain.draft import Thread
    from popfetch.domain.message import StoredMessage
    from popfetch.domain.message_list import MessageRow, Wanted
    from popfetch.domain.message_reading import AttachedFile


class SentMail(Protocol):
    """The copies of what was sent, and which Idempotency-Key sent what; and what a mail takes of stored messages."""

    async def earlier(self, account_id: str, key_hash: str) -> StoredMessage | None:
        """The message that a key has begun to send, whatever became of it; ``None`` where it began none."""

    async def begin(self, message: StoredMessage, content: bytes, key_hash: str) -> bool:
        """Keep the copy and mark the key, if there is one; ``False`` when the key has begun another meanwhile.

        From here on the key never sends again. Raises AccountNotFound and StorageUnavailable; nothing is kept then.
        """

    async def conclude(self, message: StoredMessage) -> None:
        """Write down how the sending of a message that was begun went."""

    async def withdraw(self, message: StoredMessage, key_hash: str) -> None:
        """Take copy and mark away again: the message was surely not sent."""

    async def stored(self, account_id: str, message_id: str) -> StoredMessage | None:
        """A message of the account's, whether it came or was sent; ``None`` where there is none."""

    async def content(self, message: StoredMessage) -> bytes | None:
        """A message octet for octet, all of it; ``None`` where it has gone from the bucket."""

    async def thread_of(self, account_id: str, message_id: str) -> Thread | None:
        """The thread that an answer to a stored message belongs to; ``None`` where there is no such message."""


@dataclass(frozen=True, slots=True)
class UploadOffer:
    """Where a file goes: PUT it to ``url`` with exactly ``headers``, before ``expires_at``."""

    upload_id: str
    url: str = field(repr=False)
    headers: dict[str, str]
    expires_at: datetime


class Uploads(Protocol):
    """Files that owners put into the bucket themselves, to send them within a day."""

    def offer(self, owner_id: str, octets: int, now: datetime) -> UploadOffer:
        """An address that takes one file of exactly so many octets."""

    async def read(self, owner_id: str, upload_id: str, longest: int) -> bytes:
        """The file. Raises InvalidMail where there is none, or it has more octets than ``longest``."""


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Messages, the newest first; ``cursor`` asks for those before them, ``None`` where there are none.

    ``searched_to`` is the arrival down to which has been looked; ``None`` once there is nothing more to look at.
    """

    messages: list[MessageRow]
    cursor: str | None
    searched_to: datetime | None


class MessageIndex(Protocol):
    """The index of what is stored."""

    def get(self, account_id: str, message_id: str) -> StoredMessage | None:
        """A message of the index; ``None`` where there is none."""

    def page(self, account_ids: Sequence[str], wanted: Wanted, *, limit: int, cursor: str | None = None) -> MessagePage:
        """One page of these accounts' messages, as far as a bounded part of the index has any.

        Raises InvalidCursor for a cursor that no page gave.
        """


@dataclass(frozen=True, slots=True)
class FileLink:
    """An address that gives one file to whoever has it, until ``expires_at``."""

    url: str = field(repr=False)
    expires_at: datetime


class StoredMail(Protocol):
    """The messages in the bucket, to be read."""

    def read(self, key: str, longest: int) -> bytes | None:
        """The first octets of a message, all of them where it has no more; ``None`` where it is gone."""

    def link(self, key: str, filename: str, now: datetime) -> FileLink:
        """An address of a message, byte for byte, that a browser keeps under this name."""


class ExtractedFiles(Protocol):
    """What was attached to messages, taken out of them for a while."""

    def link(self, message: StoredMessage, attachment_id: str, file: AttachedFile, now: datetime) -> FileLink:
        """Put a file where it can be had, and give its address; browsers keep it, and never show it."""


@dataclass(frozen=True, slots=True)
class CleanHtml:
    """HTML that can be shown, or its beginning (not ``whole``).

    ``shown`` are the Content-IDs of the images that are in it.
    ``remote_images`` is how many images and backgrounds it names elsewhere, whether they were held back or not.
    """

    html: str
    remote_images: int
    shown: tuple[str, ...] = ()
    whole: bool = True


class HtmlSanitiser(Protocol):
    """Makes the HTML of messages harmless."""

    def clean(self, document: str, images: Mapping[str, str], *, remote_images: bool) -> CleanHtml:
        """The document without whatever runs, asks, or loads; of the latter, remote images stay if they are wanted.

        ``images`` are ``data:`` addresses by Content-ID. Raises HtmlUnreadable where it would take too much.
        """

    def text(self, document: str) -> str:
        """The text of a document that cannot be cleaned."""
