"""Where cycles store what they fetch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


class PartialUpload(Protocol):
    """A large object on its way; it exists only once ``complete`` has returned."""

    async def write(self, part: bytes) -> None:
        """Add a part; waits while too many octets are under way. All parts but the last have the same size."""

    async def complete(self) -> None:
        """Make the object exist; returns when the bucket has acknowledged it."""

    async def abort(self) -> None:
        """Leave nothing behind."""


class MailStore(Protocol):
    """Where raw messages lie, byte for byte."""

    part_octets: int
    """The size of the parts of a large object; what is no larger goes up in one piece."""

    def key(self, owner_id: str, account_id: str, message_id: str, dated: datetime | None) -> str:
        """The key that a message lies under, by the day of its own Date header."""

    async def put(self, key: str, content: bytes, sha256: bytes, metadata: dict[str, str]) -> None:
        """Store a whole message; returns once the bucket has compared a checksum and acknowledged it."""

    async def begin_upload(self, key: str, metadata: dict[str, str]) -> PartialUpload:
        """Begin to store a message that is larger than ``part_octets``."""
