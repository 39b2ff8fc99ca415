"""An owner's session: signed in, or asked for more before that."""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from popfetch.domain.secret import Secret

SESSION_LIFETIME = timedelta(days=30)
"""How long an owner stays signed in, as the template sets it for refresh tokens."""


class Challenge(StrEnum):
    """What an owner is asked for beside their password."""

    NEW_PASSWORD = "new_password"  # noqa: S105 - the word
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Session:
    """A session that is open; ``refresh_token`` is ``None`` where the one that is there stays in force."""

    id_token: Secret
    expires_at: datetime
    email: str
    refresh_token: Secret | None


@dataclass(frozen=True, slots=True)
class Challenged:
    """A session that opens with the answer to a challenge; ``session`` is what the answer has to come with."""

    challenge: Challenge
    session: Secret


def session_of(id_token: str, refresh_token: str | None) -> Session:
    """The session of tokens that come straight from who has made them, so that nothing of them is verified."""
    claims = claims_of(id_token)
    return Session(
        id_token=Secret(id_token),
        expires_at=datetime.fromtimestamp(int(str(claims["exp"])), UTC),
        email=str(claims.get("email", "")),
        refresh_token=Secret(refresh_token) if refresh_token else None,
    )


def claims_of(token: str) -> dict[str, object]:
    """What a token says of itself (RFC 7519, section 3), unverified."""
    payload = token.split(".")[1]
    claims: dict[str, object] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims
