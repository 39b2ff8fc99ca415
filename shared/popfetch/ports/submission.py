"""Submission: conversations with SMTP servers, and the check that comes before any connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from popfetch.domain.account import Server
    from popfetch.domain.draft import Envelope
    from popfetch.domain.secret import Secret
    from popfetch.smtp.errors import SmtpError


class HostCheck(Protocol):
    """Says which hosts may be connected to at all."""

    async def check(self, host: str, port: int) -> object:
        """Check a host, by its name's addresses. Raises HostRefused, and ConnectionFailed where there is no such host.

        What it returns is the adapters' own affair.
        """


@dataclass(frozen=True, slots=True)
class RefusedRecipient:
    """A recipient whom the server does not take, and why; those beside it may get the message all the same."""

    address: str
    reason: SmtpError


class Submission(Protocol):
    """One signed-in conversation with a submission server, for one message.

    Whatever is raised before ``transmit`` has begun to write the message's end means that nothing was sent. Afterwards
    only the server's refusal means that; all else is ``Unconfirmed``.
    """

    async def begin(self, envelope: Envelope) -> list[RefusedRecipient]:
        """Tell the server of a message; returns the recipients that it refuses, which may be all of them.

        Raises MessageTooLarge where the message is larger than the server announces, Utf8NotOffered where it needs
        what the server does not have, and the leaves of ``SmtpError`` for its refusals.
        """

    async def transmit(self, content: bytes) -> None:
        """Hand the message over, whose lines end with CRLF; returns once the server has taken responsibility for it.

        Raises MessageRefused and the other leaves of ``SmtpError`` where it was not sent, and Unconfirmed where
        nobody can know.
        """

    async def quit(self) -> None:
        """Say goodbye; what the server makes of that is its own affair."""

    async def abandon(self) -> None:
        """Drop the connection. Safe to call at any time."""


class SubmissionDialer(Protocol):
    """Opens conversations with SMTP submission servers."""

    async def open(self, server: Server, secret: Secret, deadline: float) -> Submission:
        """Connect, protect, sign in. ``deadline`` (``asyncio`` loop time) bounds the whole conversation.

        Raises HostRefused for hosts that must not be connected to, and the leaves of ``SmtpError``.
        """


class SubmissionTrial(Protocol):
    """Signs in at SMTP submission servers, and does nothing else there."""

    async def sign_in(self, server: Server, secret: Secret, deadline: float) -> None:
        """Connect, protect, sign in, and say goodbye; raises as ``SubmissionDialer.open`` does."""
