"""Reply addresses: the links that prove them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from popfetch.domain.reply_to import ReplyToLink


class ReplyToLinks(Protocol):
    """What links to reply addresses lead to, by the hashes of their tokens. Every call raises StorageUnavailable."""

    def keep(self, token_hash: bytes, link: ReplyToLink) -> None:
        """Remember a link until it expires."""

    def find(self, token_hash: bytes) -> ReplyToLink | None:
        """What a token leads to; one that has expired may be found, and may not."""

    def forget(self, token_hash: bytes) -> None:
        """Make a token lead nowhere."""
