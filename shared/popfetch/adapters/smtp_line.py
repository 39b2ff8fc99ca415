"""A conversation with a submission server: connects, greets, puts TLS where it belongs, asks and is answered.

The octets are the library's affair, which bounds how many a reply may have. What the library raises is turned into
``SmtpError`` here and nowhere else, and never kept as the cause: its errors quote what the server said, and a server
may say the password.

Until a server has answered EHLO or HELO, a closed port, a silent one and one where something else answers are all one:
no submission server was reached. Whoever may name any host learns nothing about what else runs there. A server that
refuses in proper SMTP is quoted, and what is wrong with certificates and TLS is said, for that needs its own remedy.

A message is written piece by piece, its end only when everything before it has been given to the system, and the line
listens all the while. So a server that says no in the middle is heard, and until the end is begun, nothing was sent,
whatever happens. From there on only the server's own refusal means that.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterable
from typing import cast

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol

from popfetch.adapters.host_guard import CheckedHost
from popfetch.adapters.mail_sockets import place_name, reach, speaks_no_tls, tls_sentence
from popfetch.dialogue.bearer import Complaint
from popfetch.dialogue.sasl import Credentials
from popfetch.dialogue.texts import clean
from popfetch.domain.account import Security
from popfetch.smtp.classification import Moment, classify, no_starttls
from popfetch.smtp.commands import announced_limit
from popfetch.smtp.content import END
from popfetch.smtp.errors import (
    ConnectionFailed,
    DeadlineReached,
    PasswordSignInOff,
    ProtocolViolation,
    SmtpError,
    TlsFailed,
    Unconfirmed,
)
from popfetch.smtp.limits import Limits
from popfetch.smtp.replies import Reply

OWN_NAME = "[127.0.0.1]"
"""How we name ourselves in EHLO.

A client without a name of its own gives an address (RFC 5321, section 4.1.4). The library's default, the machine's
name, would end up in the headers of people's mail and tell strangers how the inside is called; this literal tells
nothing, is valid syntax, and what other clients send to submission servers, which must not judge by it (RFC 6409,
section 6).
"""

_NOT_UNDERSTOOD = frozenset({500, 501, 502, 503, 504, 530})
"""What a server says to EHLO and HELO when they mean nothing to it: it is something else than an SMTP server."""

_MESSAGE = "the message"
"""What a reply is to where it is to no command."""

_ROUNDS = 8
"""Rounds of the loop that a reply which has arrived takes at most to whoever waits for it, through TLS and library."""

_DRAINING_SECONDS = 0.01
"""How often it is looked whether the last octets have gone."""


class SubmissionLine:
    """One conversation; ``protected`` is set once TLS stands, ``reached`` once the server has shown to speak SMTP.

    ``mechanisms``, ``offers_starttls``, ``offers_utf8`` and ``size_limit`` are what its latest answer to EHLO offered;
    the last is in octets, 0 where there is no limit, ``None`` where sizes are not to be told. ``ended`` is set once the
    end of a message has begun to be written, ``hung_up`` once the server has closed the connection while its reply was
    due. What ``credentials`` leave in texts is kept out of everything that is quoted.
    """

    def __init__(self, host: CheckedHost, security: Security, limits: Limits, credentials: Credentials) -> None:
        self.place = place_name(host.name, host.port)
        self.protected = False
        self.reached = False
        self.mechanisms: tuple[str, ...] = ()
        self.offers_starttls = False
        self.offers_utf8 = False
        self.size_limit: int | None = None
        self.ended = False
        self.hung_up = False
        self._host = host
        self._security = security
        self._limits = limits
        self._kind = credentials.kind
        self._hidden = set(credentials.traces())
        self._client: _Client | None = None
        self._writer: asyncio.StreamWriter | None = None

    # --- Connecting -------------------------------------------------------------------------------------------

    async def connect(self, tls: Callable[[], ssl.SSLContext], deadline: float) -> None:
        """Connect to the first address that answers, say EHLO, and put TLS where it belongs."""
        context = None if self._security is Security.NONE else tls()
        try:
            connection = await reach(self._host, seconds=self._limits.connect_seconds, deadline=deadline)
        except OSError as error:
            raise self._unreached() from error
        self._client = _Client(
            hostname=self._host.name,
            local_hostname=OWN_NAME,
            use_tls=self._security is Security.TLS,
            start_tls=False,
            tls_context=context,
            timeout=self._limits.reply_seconds,
            sock=connection,
        )
        try:
            await self._be_greeted(self._client)
        except BaseException:
            connection.close()
            raise
        self.protected = self._security is Security.TLS
        await self._say_hello()
        if self._security is Security.STARTTLS:
            await self._start_tls()
            # What was announced ahead of TLS anybody may have written (RFC 3207, section 4.2).
            await self._say_hello()

    async def _be_greeted(self, client: "_Client") -> None:
        try:
            await client.connect(timeout=self._limits.greeting_seconds)
        except (aiosmtplib.SMTPException, OSError) as error:
            failure = self._not_greeted(error)
        else:
            return
        raise failure

    def _not_greeted(self, error: Exception) -> SmtpError:
        if isinstance(error, aiosmtplib.SMTPConnectResponseError):
            reply = _reply(error)
            return self.refused(reply, Moment.GREETING) if reply.refuses else self._unreached()
        cause = error.__cause__
        if not isinstance(cause, ssl.SSLError) or isinstance(cause, ssl.SSLEOFError) or speaks_no_tls(cause):
            return self._unreached()
        failure = TlsFailed(tls_sentence(cause, self.place))
        failure.__cause__ = cause
        return failure

    async def _say_hello(self) -> None:
        """EHLO, or HELO for a server that does not know EHLO (RFC 5321, section 3.2)."""
        client = self._open_client()
        refusal = await self._greet_by(client.ehlo, "EHLO")
        if refusal is not None and refusal.code in _NOT_UNDERSTOOD:
            refusal = await self._greet_by(client.helo, "HELO")
        if refusal is not None:
            if not self.reached and (refusal.code in _NOT_UNDERSTOOD or not refusal.refuses):
                raise self._unreached()
            raise self.refused(refusal, Moment.HELLO) if refusal.refuses else self.nonsense("EHLO")
        self.reached = True
        # Kept here, for the library forgets them when the server hangs up.
        self.mechanisms = tuple(name.upper() for name in client.server_auth_methods)
        self.offers_starttls = client.supports_extension("starttls")
        self.offers_utf8 = client.supports_extension("smtputf8")
        size = client.esmtp_extensions.get("size")
        self.size_limit = None if size is None else announced_limit(size)

    async def _greet_by(self, command: Callable[[], Awaitable[object]], name: str) -> Reply | None:
        try:
            await self._answer(command(), name)
        except _Refused as refused:
            return refused.reply
        return None

    async def _start_tls(self) -> None:
        """STARTTLS, required: no TLS, no sign-in. What arrives ahead of the handshake the library throws away."""
        if not self.offers_starttls:
            raise no_starttls(self.place)
        try:
            await self._open_client().starttls(timeout=self._limits.greeting_seconds)
        except (aiosmtplib.SMTPException, OSError) as error:
            failure = self._not_protected(error)
        else:
            self.protected = True
            return
        raise failure

    def _not_protected(self, error: Exception) -> SmtpError:
        if isinstance(error, ssl.SSLError):
            failure = TlsFailed(tls_sentence(error, self.place))
            failure.__cause__ = error
            return failure
        if isinstance(error, aiosmtplib.SMTPResponseException):
            reply = _reply(error)
            return self.refused(reply, Moment.STARTTLS) if reply.refuses else self.nonsense("STARTTLS")
        return TlsFailed(
            f"{self.place} closed the connection or fell silent when asked for TLS by STARTTLS, so no sign-in was"
            " tried. If it offers submission over TLS, choose TLS with port 465."
        )

    # --- Asking -----------------------------------------------------------------------------------------------

    async def ask(self, name: str, *words: bytes) -> Reply:
        """Send one command, or an answer within one, and wait for its reply; ``name`` is for what goes wrong."""
        client = self._open_client()
        reply = _reply(await self._answer(client.execute_command(*words), name))
        # A second reply would be taken for that to the next command.
        if not reply.known or client.has_unread:
            raise self.nonsense(name)
        return reply

    async def hand_over(self, pieces: Iterable[bytes]) -> Reply:
        """Write a message and its end, and wait for the reply; where ``ended`` is not set then, it came before the end.

        ``pieces`` are the message as it goes over the line; a few of them are held at a time.
        """
        protocol = self._open_client().protocol
        if protocol is None:
            raise self._broken(ConnectionError(), _MESSAGE)
        # At once, not in the loop's next round: what comes while nobody listens the library throws away.
        listening = asyncio.Task(
            self._answer(protocol.read_response(), _MESSAGE), loop=asyncio.get_running_loop(), eager_start=True
        )
        writing = asyncio.create_task(self._answer(self._write(protocol, pieces), _MESSAGE))
        try:
            await asyncio.wait({listening, writing}, return_when=asyncio.FIRST_COMPLETED)
            if writing.done():
                # A server that says why before it closes is heard, though writing may have failed first.
                await _let_arrive(listening)
            if not listening.done():
                writing.result()
                self.ended = True
                protocol.write(END)
                await asyncio.wait({listening}, timeout=self._limits.end_seconds)
            if not listening.done():
                raise self._broken(TimeoutError(), _MESSAGE)
            reply = _reply(listening.result())
        finally:
            for task in (listening, writing):
                task.cancel()
            await asyncio.gather(listening, writing, return_exceptions=True)
        if not reply.known:
            raise self.nonsense(_MESSAGE)
        return reply

    async def _write(self, protocol: SMTPProtocol, pieces: Iterable[bytes]) -> None:
        """Write ``pieces`` no faster than the server takes them; returns once the system has got all of them."""
        transport = cast(asyncio.WriteTransport, protocol.transport)
        # Kept as long as the line: a writer that goes away closes its transport.
        self._writer = asyncio.StreamWriter(transport, protocol, None, asyncio.get_running_loop())
        for piece in pieces:
            async with asyncio.timeout(self._limits.block_seconds):
                protocol.write(piece)
                await self._writer.drain()
            # The loop gets a turn, so that what the server says meanwhile is read.
            await asyncio.sleep(0)
        async with asyncio.timeout(self._limits.block_seconds):
            while protocol.is_connected and _unwritten(transport):  # noqa: ASYNC110 - asyncio tells nobody
                await asyncio.sleep(_DRAINING_SECONDS)
        if not protocol.is_connected:
            raise ConnectionError

    async def quit(self, deadline: float) -> None:
        """Say goodbye; what the server makes of that is its own affair."""
        left = deadline - asyncio.get_running_loop().time()
        if self._client is not None and left > 0:
            try:
                await self._client.quit(timeout=min(self._limits.quit_seconds, left))
            except (aiosmtplib.SMTPException, OSError):
                return

    async def abandon(self) -> None:
        """Let go of the connection at once. Safe to call at any time."""
        if self._client is not None:
            self._client.close()
            # The loop closes the socket in its next round.
            await asyncio.sleep(0)

    def hide(self, secret: str) -> None:
        """Keep ``secret`` out of everything that is quoted from now on."""
        self._hidden.add(secret)

    async def _answer[T](self, conversation: Awaitable[T], name: str) -> T:
        failure: Exception
        try:
            return await conversation
        except aiosmtplib.SMTPHeloError as error:
            failure = _Refused(_reply(error))
        except (aiosmtplib.SMTPException, OSError) as error:
            failure = self._broken(error, name)
        # Not from within the clauses above: they would leave the library's error behind it.
        raise failure

    # --- What goes wrong --------------------------------------------------------------------------------------

    def refused(self, reply: Reply, moment: Moment, complaint: Complaint | None = None) -> SmtpError:
        """The error that a refusal is; ``complaint`` is what the server had against an access token before it."""
        return classify(reply, moment, server=self.place, hidden=self._hidden, kind=self._kind, complaint=complaint)

    def nonsense(self, name: str) -> SmtpError:
        """The error that a reply is which has no place there."""
        if self.ended:
            return self._unconfirmed("answered it in a way that SMTP does not know")
        return ProtocolViolation(f"{self.place} sent something to {name} that SMTP does not know.")

    def offers_no_way(self) -> SmtpError:
        """The error that it is when none of the mechanisms takes what the credentials hold."""
        if not self.protected and self.offers_starttls:
            return TlsFailed(f"{self.place} lets people sign in only over TLS; choose STARTTLS. Nothing was sent.")
        if not self.mechanisms:
            return PasswordSignInOff(
                f"{self.place} does not offer sign-in on this port; check host, port and security."
            )
        names = clean(" ".join(self.mechanisms).encode("utf-8", "surrogateescape"), self._hidden)
        return PasswordSignInOff(f"{self.place} takes no {self._kind}; what it offers is {names}.")

    def out_of_time(self) -> SmtpError:
        """The error that it is when the deadline has come."""
        if not self.reached:
            return self._unreached()
        if self.ended:
            return self._unconfirmed("did not answer in time")
        return DeadlineReached(f"The time for the conversation with {self.place} was over before it was done.")

    def _unreached(self) -> ConnectionFailed:
        return ConnectionFailed(
            f"No mail submission server was reached at {self.place}; check host, port and security."
        )

    def _unconfirmed(self, what: str) -> Unconfirmed:
        return Unconfirmed(
            f"{self.place} got the whole message and {what}, so it was sent or it was not. Look into the mailbox's"
            " folder of sent mail, or ask someone whom it was for, before you send it again."
        )

    def _broken(self, error: Exception, name: str) -> SmtpError:
        if not self.reached:
            return self._unreached()
        if isinstance(error, aiosmtplib.SMTPResponseException):
            return self.nonsense(name)
        self.hung_up = not isinstance(error, TimeoutError)
        what = "closed the connection" if self.hung_up else "fell silent"
        if self.ended:
            return self._unconfirmed(f"{what} instead of an answer")
        if name == _MESSAGE:
            return ConnectionFailed(f"{self.place} {what} in the middle of the message, so it was not sent.")
        return ConnectionFailed(f"{self.place} {what} instead of its reply to {name}.")

    def _open_client(self) -> "_Client":
        assert self._client is not None, "connect comes first"
        return self._client


class _Client(aiosmtplib.SMTP):
    """The library's client, except that closing does not wait for the other side to agree."""

    @property
    def has_unread(self) -> bool:
        """Whether more came together with the latest reply; the library keeps it for the next, and tells nobody."""
        return self.protocol is not None and bool(self.protocol._buffer)

    def close(self) -> None:
        transport = self.transport
        super().close()
        if transport is not None:
            cast(asyncio.Transport, transport).abort()


class _Refused(Exception):
    """The server refused EHLO or HELO in proper SMTP."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply


async def _let_arrive(listening: asyncio.Task[aiosmtplib.SMTPResponse]) -> None:
    """Let what has come in already reach ``listening``."""
    for _ in range(_ROUNDS):
        if listening.done():
            return
        await asyncio.sleep(0)


def _unwritten(transport: asyncio.WriteTransport) -> int:
    """Octets that the system has not got yet, those included that TLS has passed on to the socket's own transport.

    Of the latter asyncio's transports for TLS do not tell, and there is no public way to ask.
    """
    tls = getattr(transport, "_ssl_protocol", None)
    below = getattr(tls, "_transport", None)
    return transport.get_write_buffer_size() + (below.get_write_buffer_size() if below else 0)


def _reply(said: aiosmtplib.SMTPResponse | aiosmtplib.SMTPResponseException) -> Reply:
    return Reply(said.code, said.message.encode("utf-8", "surrogateescape"))
