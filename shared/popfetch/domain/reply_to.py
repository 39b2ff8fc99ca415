"""The address that replies to an account's mail go to, and how it proves itself.

An address is used only once whoever reads its mail has said so. Until a new one is verified, the one before it stays
in force. A question that was asked is answered once, in time, and only by who has its token; of a token nothing but
its hash is kept.
"""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Question:
    """An address was asked by mail whether it wants the replies; ``token_hash`` is what the answer must match."""

    address: str
    token_hash: bytes = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ReplyTo:
    """What is in force, empty for none, and what was asked and is not answered yet."""

    in_force: str = ""
    question: Question | None = None


NO_REPLY_TO = ReplyTo()
