"""An outgoing server as services see it: it takes mail, or fails at the step that a test names, and remembers all."""

from dataclasses import dataclass, field

from popfetch.domain.account import Server
from popfetch.domain.draft import Envelope
from popfetch.domain.secret import Secret
from popfetch.ports.submission import RefusedRecipient, Submission
from popfetch.smtp.errors import SmtpError


@dataclass
class RecordingSubmissions:
    """A dialer whose conversations go as a test says: each failure is raised at its step.

    ``taken`` are the messages that the server has taken, each with its envelope; ``attempts`` are those that it got,
    whatever it made of them.
    """

    at_sign_in: Exception | None = None
    at_begin: Exception | None = None
    at_transmit: BaseException | None = None
    refused: dict[str, SmtpError] = field(default_factory=dict)
    calls: list[tuple[Server, Secret]] = field(default_factory=list)
    taken: list[tuple[Envelope, bytes]] = field(default_factory=list)
    attempts: list[bytes] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def handed_over(self) -> int:
        """How many messages the server got, whatever it made of them."""
        return len(self.attempts)

    async def open(self, server: Server, secret: Secret, deadline: float) -> Submission:
        self.calls.append((server, secret))
        if self.at_sign_in:
            raise self.at_sign_in
        return _Conversation(self)


class _Conversation:
    def __init__(self, server: RecordingSubmissions) -> None:
        self._server = server
        self._envelope: Envelope | None = None

    async def begin(self, envelope: Envelope) -> list[RefusedRecipient]:
        if self._server.at_begin:
            raise self._server.at_begin
        self._envelope = envelope
        refused = self._server.refused
        return [RefusedRecipient(address, refused[address]) for address in envelope.recipients if address in refused]

    async def transmit(self, content: bytes) -> None:
        assert self._envelope is not None
        self._server.attempts.append(content)
        if self._server.at_transmit:
            raise self._server.at_transmit
        self._server.taken.append((self._envelope, content))

    async def quit(self) -> None:
        self._server.left.append("quit")

    async def abandon(self) -> None:
        self._server.left.append("abandon")
