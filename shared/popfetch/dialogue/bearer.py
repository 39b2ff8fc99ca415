"""Signing in with an access token (RFC 6750): what a server has against it, and what may be tried after a refusal.

A server that does not accept a token says why in a challenge that holds JSON, before it refuses: OAUTHBEARER by the
error codes of OAuth (RFC 7628, section 3.2.2), XOAUTH2 by numbers like those of HTTP. Some say nothing. What makes no
sense counts as not said.

Each mechanism has two forms: the token goes along with AUTH on one line, or alone once the server asks for it. Which of
them a server takes, nothing announces. So a refusal of AUTH itself is a reason to try the other form, but only once in
a dial; and never is a token shown again to a server that has judged it, for that may count as a second failed sign-in.
"""

import json
import re
from base64 import b64decode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from popfetch.dialogue.sasl import Exchange

LONGEST_COMPLAINT = 4096
"""Octets of a challenge, in base64, that are read; the example of RFC 7628 has fewer than 200."""

_STATUS = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_OF_TOKEN = re.compile(r"token|bearer|credential|expired", re.IGNORECASE)


class Fault(Enum):
    """What it takes until a server lets a token in."""

    TOKEN = "another token"  # noqa: S105 - words
    SCOPE = "another consent, for this one does not cover what is asked for"
    PACE = "a pause"
    SERVER = "time, for the trouble is the server's own"


_FAULTS = {
    "insufficient_scope": Fault.SCOPE,
    "403": Fault.SCOPE,
    "429": Fault.PACE,
    "slow_down": Fault.PACE,
    "temporarily_unavailable": Fault.SERVER,
    "server_error": Fault.SERVER,
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a server has against a token: a word of its own, of letters, digits and ``_.-``, or a number."""

    status: str

    @property
    def fault(self) -> Fault:
        """What would help; another token where the word says nothing else."""
        status = self.status.lower()
        if len(status) == 3 and status.isdigit() and status.startswith("5"):
            return Fault.SERVER
        return _FAULTS.get(status, Fault.TOKEN)


def read_complaint(challenge: bytes) -> Complaint | None:
    """What a challenge, in base64, says against a token; ``None`` where it makes no sense, whatever it is."""
    if len(challenge) > LONGEST_COMPLAINT:
        return None
    try:
        # some lose the padding
        said = json.loads(b64decode(challenge + b"=" * (-len(challenge) % 4), validate=True).decode())
    except (ValueError, RecursionError):
        return None
    status = said.get("status") if isinstance(said, dict) else None
    if isinstance(status, int) and not isinstance(status, bool):
        status = str(status)
    return Complaint(status) if isinstance(status, str) and _STATUS.fullmatch(status) else None


def speaks_of_token(words: str) -> bool:
    """Whether a refusal names what was shown, and so is none of the mechanism, whatever else it says."""
    return bool(_OF_TOKEN.search(words))


class Verdict(Enum):
    """What a refusal is of."""

    MECHANISM = "the server does not have the mechanism"
    FORM = "the server does not take AUTH in this form"
    FINAL = "the token was judged, or the server has trouble that another try would not lessen"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way to show a token; a ``spare`` one is for a server that does not take the mechanism's other form."""

    exchange: Exchange
    on_one_line: bool
    spare: bool

    @property
    def initial_response(self) -> bytes | None:
        """What travels with AUTH, in base64; ``None`` where the server is to ask first."""
        return self.exchange.initial_response() if self.on_one_line else None

    def complaint(self, challenges: Sequence[bytes]) -> Complaint | None:
        """What the server had against the token, by the challenges that it sent in this attempt."""
        # the first asks for the token where it did not go along with AUTH
        after_token = challenges if self.on_one_line else challenges[1:]
        return next(filter(None, map(read_complaint, after_token)), None)


def attempts(exchanges: Iterable[Exchange], longest_line: int) -> tuple[Attempt, ...]:
    """What to try, in order: each exchange in its better form, then in the other.

    The better form is one line where AUTH has no more octets then than ``longest_line``.
    """
    return tuple(
        Attempt(exchange, on_one_line=(exchange.initial_response(longest_line) is not None) != spare, spare=spare)
        for exchange in exchanges
        for spare in (False, True)
    )


def after_refusal(left: tuple[Attempt, ...], verdict: Verdict) -> tuple[Attempt, ...]:
    """What may still be tried, in order, once the first of ``left`` was refused."""
    refused, *others = left
    mechanism = refused.exchange.mechanism
    if verdict is Verdict.MECHANISM:
        return tuple(attempt for attempt in others if attempt.exchange.mechanism != mechanism)
    if verdict is Verdict.FORM and not refused.spare:
        return tuple(attempt for attempt in others if not attempt.spare or attempt.exchange.mechanism == mechanism)
    return ()
