"""A secret that does not show itself, and what it may be for beside signing in with a password."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

TOKEN_OCTETS = 32
"""The random octets that a text is made of which is believed because nobody could guess it."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


class TokenUse(StrEnum):
    """What a secret of OAuth 2 is for; a sealed one opens for its own use only."""

    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the word
    ACCESS_TOKEN = "access_token"  # noqa: S105
    PENDING_CONSENT = "pending_consent"


@dataclass(frozen=True, slots=True)
class Secret:
    """A password or token; ``repr``, ``str`` and logs show nothing of it, only ``reveal`` does."""

    _value: str = field(repr=False)

    def reveal(self) -> str:
        """Return the secret itself; call this only where it goes onto the wire or under the seal."""
        return self._value

    def __str__(self) -> str:
        return "Secret(…)"


def hash_of_token(text: str) -> bytes | None:
    """What is kept of a text of ``TOKEN_OCTETS`` (SHA-256); ``None`` for one that cannot be such."""
    return sha256(text.encode("ascii")).digest() if _TOKEN.fullmatch(text) else None
