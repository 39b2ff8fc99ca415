"""Reply addresses: the links that prove them, and how often one may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from popfetch.domain.rate_limit import Limit
    from popfetch.domain.reply_to import ReplyToLink


class ReplyToLinks(Protocol):
    """What links to reply addresses lead to, by the hashes of their tokens. Every call raises StorageUnavailable."""

    def keep(self, token_hash: bytes, link: ReplyToLink) -> None:
        """Remember a link until it expires."""

    def find(self, token_hash: bytes) -> ReplyToLink | None:
        """What a token leads to; one that has expired may be found, and may not."""

    def forget(self, token_hash: bytes) -> None:
        """Make a token lead nowhere."""


class RateLimits(Protocol):
    """Counts how often something is done."""

    def take(self, what: str, who: str, limit: Limit, now: datetime) -> timedelta:
        """Count one more time at ``now`` that ``who`` does ``what``, if the limit lets it.

        Returns how long to wait, which is zero where it was counted. Raises StorageUnavailable.
        """
