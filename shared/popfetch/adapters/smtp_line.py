"""A conversation with a submission server: connects, greets, puts TLS where it belongs, asks and is answered.

The octets are the library's affair, which bounds how many a reply may have. What the library raises is turned into
``SmtpError`` here and nowhere else, and never kept as the cause: its errors quote what the server said, and a server
may say the password.

Until a server has answered EHLO or HELO, a closed port, a silent one and one where something else answers are all one:
no submission server was reached. Whoever may name any host learns nothing about what else runs there. A server that
refuses in proper SMTP is quoted, and what is wrong with certificates and TLS is said, for that needs its own remedy.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import cast

import aiosmtplib

from popfetch.adapters.host_guard import CheckedHost
from popfetch.adapters.mail_sockets import place_name, reach, speaks_no_tls, tls_sentence
from popfetch.dialogue.texts import clean
from popfetch.domain.account import Security
from popfetch.smtp.classification import Moment, classify, no_starttls
from popfetch.smtp.errors import (
    ConnectionFailed,
    DeadlineReached,
    PasswordSignInOff,
    ProtocolViolation,
    SmtpError,
    TlsFailed,
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


class SubmissionLine:
    """One conversation; ``protected`` is set once TLS stands, ``reached`` once the server has shown to speak SMTP.

    ``mechanisms`` and ``offers_starttls`` are what its latest answer to EHLO offered. What is in ``hidden`` is kept out
    of everything that is quoted.
    """

    def __init__(self, host: CheckedHost, security: Security, limits: Limits, hidden: frozenset[str]) -> None:
        self.place = place_name(host.name, host.port)
        self.protected = False
        self.reached = False
        self.mechanisms: tuple[str, ...] = ()
        self.offers_starttls = False
        self._host = host
        self._security = security
        self._limits = limits
        self._hidden = set(hidden)
        self._client: _Client | None = None

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
            return self._refused(reply, Moment.GREETING) if reply.refuses else self._unreached()
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
            raise self._refused(refusal, Moment.HELLO) if refusal.refuses else self._nonsense("EHLO")
        self.reached = True
        # Kept here, for the library forgets them when the server hangs up.
        self.mechanisms = tuple(name.upper() for name in client.server_auth_methods)
        self.offers_starttls = client.supports_extension("starttls")

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
            return self._refused(reply, Moment.STARTTLS) if reply.refuses else self._nonsense("STARTTLS")
        return TlsFailed(
            f"{self.place} closed the connection or fell silent when asked for TLS by STARTTLS, so no password was"
            " sent. If it offers submission over TLS, choose TLS with port 465."
        )

    # --- Asking -----------------------------------------------------------------------------------------------

    async def ask(self, name: str, *words: bytes) -> Reply:
        """Send one command, or an answer within one, and wait for its reply; ``name`` is for what goes wrong."""
        reply = _reply(await self._answer(self._open_client().execute_command(*words), name))
        if not reply.known:
            raise self._nonsense(name)
        return reply

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

    def refused(self, reply: Reply) -> SmtpError:
        """The error that a refusal at sign-in is."""
        return self._refused(reply, Moment.SIGN_IN)

    def offers_no_way(self, what: str) -> SmtpError:
        """The error that it is when none of the mechanisms takes ``what``, a password or an access token."""
        if not self.protected and self.offers_starttls:
            return TlsFailed(f"{self.place} lets people sign in only over TLS; choose STARTTLS. Nothing was sent.")
        if not self.mechanisms:
            return PasswordSignInOff(
                f"{self.place} does not offer sign-in on this port; check host, port and security."
            )
        names = clean(" ".join(self.mechanisms).encode("utf-8", "surrogateescape"), self._hidden)
        return PasswordSignInOff(f"{self.place} takes no {what}; what it offers is {names}.")

    def out_of_time(self) -> ConnectionFailed:
        """The error that it is when the deadline has come."""
        if not self.reached:
            return self._unreached()
        return DeadlineReached(f"The time for the conversation with {self.place} was over before it was done.")

    def _refused(self, reply: Reply, moment: Moment) -> SmtpError:
        return classify(reply, moment, server=self.place, hidden=self._hidden)

    def _unreached(self) -> ConnectionFailed:
        return ConnectionFailed(
            f"No mail submission server was reached at {self.place}; check host, port and security."
        )

    def _nonsense(self, name: str) -> ProtocolViolation:
        return ProtocolViolation(f"{self.place} sent something to {name} that SMTP does not know.")

    def _broken(self, error: Exception, name: str) -> SmtpError:
        if not self.reached:
            return self._unreached()
        if isinstance(error, aiosmtplib.SMTPResponseException):
            return self._nonsense(name)
        what = "fell silent" if isinstance(error, TimeoutError) else "closed the connection"
        return ConnectionFailed(f"{self.place} {what} instead of its reply to {name}.")

    def _open_client(self) -> "_Client":
        assert self._client is not None, "connect comes first"
        return self._client


class _Client(aiosmtplib.SMTP):
    """The library's client, except that closing does not wait for the other side to agree."""

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


def _reply(said: aiosmtplib.SMTPResponse | aiosmtplib.SMTPResponseException) -> Reply:
    return Reply(said.code, said.message.encode("utf-8", "surrogateescape"))
