"""A notice to an owner: what it is about, and the mail that it becomes."""

from dataclasses import dataclass
from datetime import datetime

from popfetch.domain.account import Standing


@dataclass(frozen=True, slots=True)
class StoppedAccount:
    """An account stopped being collected until a person acts.

    ``standing`` is what it stopped with, AUTH_FAILED or CONNECTION_FAILED; ``code`` and ``message`` tell of the last
    failure. ``message`` is an English sentence that may quote the server; ``server_said`` is what it quotes, empty
    where the server said nothing. ``stopped_at`` is in UTC.
    """

    owner_id: str
    account_id: str
    standing: Standing
    code: str
    message: str
    stopped_at: datetime
    server_said: str = ""

    @property
    def notice_id(self) -> str:
        """What makes two tellings of one stop the same, however often its event comes."""
        return f"{self.account_id}#{self.stopped_at.isoformat()}"


@dataclass(frozen=True, slots=True)
class ReplyToQuestion:
    """An address is asked whether it wants the replies to the mail of ``account_email``; ``link`` leads to the answer.

    ``expires_at`` is in UTC.
    """

    address: str
    account_email: str
    link: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail before it is addressed: the subject is one clean line, text and HTML say the same.

    ``language`` is its language tag (RFC 5646).
    """

    subject: str
    text: str
    html: str
    language: str
