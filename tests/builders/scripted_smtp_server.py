"""A submission server for tests whose every reply can be scripted.

It listens on a loopback port, signs in by every usual mechanism, speaks plain, TLS or STARTTLS, takes messages, and
records what it received. ``on`` overrides replies, by whole line, by its first two words, or by verb::

    server = ScriptedSmtpServer(
        on={
            "greeting": b"421 4.3.2 later\\r\\n",   # raw octets, sent as they are
            "EHLO": Close(),                       # closes without a word
            "AUTH": Hang(b"53"),                   # sends this, then nothing more
            "STARTTLS": Flood(b"220-a\\r\\n"),       # sends this for as long as the client listens
            "QUIT": [b"500 no\\r\\n", DEFAULT],      # first this, then as usual
            "answer": b"535 no\\r\\n",               # to whatever answers a challenge
            "complaint": b"334 e30=\\r\\n",          # of a bad access token; b"" for a server that has none
            "RCPT TO:<x@example.com>": b"550 no\\r\\n",
            "content": b"554 no\\r\\n",              # to a message's end
            "content": After(9, Close()),          # once so many octets of a message have come
        },
    )
    async with server:
        await dialer.sign_in(server.account_server(), ...)
        assert server.session.messages == [...]
"""

import asyncio
import hmac
import ssl
from base64 import b64decode, b64encode
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from popfetch.domain.account import AuthMethod, Security, Server
from tests.builders.loopback_server import HOST, Conversations
from tests.builders.scripted_pop3_server import DEFAULT, Close, Default, Hang, server_context

CHALLENGE = b"<challenge.1@smtp.example.test>"
_END = b"\r\n.\r\n"
_PIECE = 1 << 16


@dataclass(frozen=True)
class Flood:
    """Send these octets again and again, with a pause between, until the client goes away."""

    octets: bytes
    pause: float = 0


@dataclass(frozen=True)
class Stall:
    """Send these octets, then neither send nor read anything for as long as the server runs."""

    after: bytes = b""


@dataclass(frozen=True)
class After:
    """Do this in the middle of a message, once so many octets of it have come.

    Where it is octets that are sent, the rest of the message is read and answered as usual.
    """

    octets: int
    action: "bytes | Close | Hang | Stall"


type Answer = bytes | Close | Hang | Stall | Flood | Default | After
type Action = Answer | Callable[["SmtpSession", str], Answer]


@dataclass
class SeenMessage:
    """A message that the server was told of; ``content`` is as it was before dots were doubled, once its end came."""

    sender: str
    options: list[str] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    content: bytes | None = None


@dataclass
class SmtpSession:
    """One connection to the server, as it was seen by it; ``ends`` counts the ends of messages that it saw."""

    lines: list[str] = field(default_factory=list)
    received: bytearray = field(default_factory=bytearray)
    encrypted: bool = False
    signed_in: bool = False
    messages: list[SeenMessage] = field(default_factory=list)
    ends: int = 0

    @property
    def verbs(self) -> list[str]:
        """The first words of all lines."""
        return [line.partition(" ")[0] for line in self.lines]


class ScriptedSmtpServer:
    """A submission server on a loopback port; use it as an asynchronous context manager.

    ``extensions`` are the rows of EHLO's answer, behind TLS too unless ``extensions_in_tls`` says otherwise;
    STARTTLS is added where it belongs, and answered by ``go_ahead``. ``delay`` is how many seconds the greeting takes.
    """

    def __init__(
        self,
        *,
        on: Mapping[str, Action | list[Action]] | None = None,
        security: Security = Security.TLS,
        username: str = "alex@example.com",
        password: str = "open sesame",
        extensions: Sequence[str] = ("PIPELINING", "ENHANCEDSTATUSCODES", "AUTH PLAIN LOGIN"),
        extensions_in_tls: Sequence[str] | None = None,
        context: ssl.SSLContext | None = None,
        go_ahead: bytes = b"220 2.0.0 go ahead\r\n",
        delay: float = 0,
    ) -> None:
        self.on: dict[str, Action | list[Action]] = dict(on or {})
        self.security = security
        self.username = username
        self.password = password
        self.extensions = extensions
        self.extensions_in_tls = extensions_in_tls
        self.go_ahead = go_ahead
        self.delay = delay
        self.sessions: list[SmtpSession] = []
        self.host = HOST
        self.port = 0
        self._context = context or server_context()
        self._conversations = Conversations()

    @property
    def session(self) -> SmtpSession:
        """The latest session."""
        return self.sessions[-1]

    @property
    def received(self) -> bytes:
        """Every octet that was received behind TLS or without it, all sessions joined."""
        return b"".join(bytes(session.received) for session in self.sessions)

    async def left_alone(self) -> None:
        """Wait until every client has gone."""
        await self._conversations.all_left()

    def account_server(self, *, host: str | None = None, auth: AuthMethod = AuthMethod.PASSWORD) -> Server:
        """The settings that an account needs to reach this server."""
        return Server(host or self.host, self.port, self.security, self.username, auth)

    async def __aenter__(self) -> Self:
        context = self._context if self.security is Security.TLS else None
        self.port = await self._conversations.begin(self._converse, port=self.port, ssl=context)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._conversations.end()

    def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Coroutine[Any, Any, None]:
        session = SmtpSession(encrypted=self.security is Security.TLS)
        self.sessions.append(session)
        return _Conversation(self, session, reader, writer).run()

    def action(self, session: SmtpSession, line: str, *keys: str) -> Answer:
        """What the script says about this line; ``DEFAULT`` where it says nothing."""
        for key in keys:
            if key not in self.on:
                continue
            action = self.on[key]
            if isinstance(action, list):
                action = action.pop(0) if action else DEFAULT
            return action(session, line) if callable(action) else action
        return DEFAULT


class _Conversation:
    """Serves one session."""

    def __init__(
        self,
        server: ScriptedSmtpServer,
        session: SmtpSession,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._server = server
        self._session = session
        self._reader = reader
        self._writer = writer

    async def run(self) -> None:
        try:
            await self._serve()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, EOFError):
            pass
        finally:
            self._writer.transport.abort()

    async def _serve(self) -> None:
        await asyncio.sleep(self._server.delay)
        greeting = self._server.action(self._session, "", "greeting")
        if not await self._act(greeting, b"220 smtp.example.test ESMTP\r\n"):
            return
        while True:
            line = await self._line()
            verb = line.partition(" ")[0].upper()
            action = self._server.action(self._session, line, line, " ".join(line.split()[:2]), verb)
            if action is not DEFAULT:
                if not await self._act(action, b"") or not await self._take(verb, line, action):
                    return
            elif verb == "STARTTLS":
                await self._start_tls()
            elif verb == "AUTH":
                if not await self._auth(line):
                    return
            elif not await self._usual(verb, line):
                return

    async def _usual(self, verb: str, line: str) -> bool:
        match verb:
            case "EHLO":
                rows = ["smtp.example.test", *self._extensions()]
                marks = ["-"] * (len(rows) - 1) + [" "]
                await self._write("".join(f"250{m}{row}\r\n" for m, row in zip(marks, rows, strict=True)).encode())
            case "HELO":
                await self._write(b"250 smtp.example.test\r\n")
            case "MAIL" | "RCPT":
                await self._write(b"250 2.1.0 fine\r\n")
                return await self._take(verb, line, b"250")
            case "DATA":
                await self._write(b"354 go on\r\n")
                return await self._take(verb, line, b"354")
            case "QUIT":
                await self._write(b"221 2.0.0 bye\r\n")
                return False
            case _:
                await self._write(b"500 5.5.2 what?\r\n")
        return True

    async def _take(self, verb: str, line: str, said: Answer) -> bool:
        """Do what the server has agreed to by what it said."""
        first = said[:1] if isinstance(said, bytes) else b""
        path, *options = line.partition(":")[2].split(" ")
        match verb, first:
            case "MAIL", b"2":
                self._session.messages.append(SeenMessage(path.strip("<>"), options))
            case "RCPT", b"2":
                self._session.messages[-1].recipients.append(path.strip("<>"))
            case "DATA", b"3":
                return await self._receive(line)
        return True

    async def _receive(self, line: str) -> bool:
        """Read a message to its end, and answer it."""
        action = self._server.action(self._session, line, "content")
        wire = bytearray(b"\r\n")
        while True:
            if isinstance(action, After) and len(wire) - 2 >= action.octets:
                if not await self._act(action.action, b""):
                    return False
                action = DEFAULT
            end = wire.find(_END, max(0, len(wire) - _PIECE - len(_END)))
            if end >= 0:
                break
            piece = await self._reader.read(_PIECE)
            if not piece:
                return False
            self._session.received += piece
            wire += piece
        assert wire.endswith(_END), "a client waits for the reply before it goes on"
        self._session.ends += 1
        lines = bytes(wire[2 : end + 2]).split(b"\r\n")
        unstuffed = b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines)
        self._session.messages[-1].content = unstuffed
        return await self._act(action, b"250 2.0.0 taken\r\n")

    def _extensions(self) -> list[str]:
        if self._session.encrypted:
            inside = self._server.extensions_in_tls
            return [*(self._server.extensions if inside is None else inside)]
        return [*self._server.extensions, *(["STARTTLS"] if self._server.security is Security.STARTTLS else [])]

    async def _auth(self, line: str) -> bool:
        _, mechanism, *rest = line.split()
        match mechanism:
            case "PLAIN":
                token = b64decode(rest[0]) if rest else await self._ask(b"")
                if token is None:
                    return False
                _, username, password = token.decode().split("\0")
            case "LOGIN":
                name, secret = await self._ask(b"Username:"), await self._ask(b"Password:")
                if name is None or secret is None:
                    return False
                username, password = name.decode(), secret.decode()
            case "CRAM-MD5":
                proof = await self._ask(CHALLENGE)
                if proof is None:
                    return False
                username, _, digest = proof.decode().rpartition(" ")
                expected = hmac.new(self._server.password.encode(), CHALLENGE, "md5").hexdigest()
                password = self._server.password if digest == expected else ""
            case "XOAUTH2" | "OAUTHBEARER":
                token = b64decode(rest[0]) if rest else await self._ask(b"")
                begin = "user={}" if mechanism == "XOAUTH2" else "n,a={},"
                good = f"{begin.format(self._server.username)}\x01auth=Bearer {self._server.password}\x01\x01".encode()
                username, password = self._server.username, self._server.password if token == good else ""
                if not password and not await self._complain(line):
                    return False
            case _:
                await self._write(b"504 5.5.4 Unrecognized authentication type\r\n")
                return True
        self._session.signed_in = (username, password) == (self._server.username, self._server.password)
        action = self._server.action(self._session, line, "answer")
        usual = b"235 2.7.0 welcome\r\n" if self._session.signed_in else b"535 5.7.8 Authentication failed\r\n"
        return await self._act(action, usual)

    async def _complain(self, line: str) -> bool:
        """Say what is wrong with an access token, and take whatever acknowledges it."""
        complaint = self._server.action(self._session, line, "complaint")
        if complaint == b"":
            return True
        if not await self._act(complaint, b"334 " + b64encode(b'{"status":"400"}') + b"\r\n"):
            return False
        await self._line()
        return True

    async def _ask(self, challenge: bytes) -> bytes | None:
        await self._write(b"334 " + b64encode(challenge) + b"\r\n")
        return b64decode(await self._line())

    async def _start_tls(self) -> None:
        await self._write(self._server.go_ahead)
        await self._writer.start_tls(self._server._context)
        self._session.encrypted = True

    async def _act(self, action: Answer, usual: bytes) -> bool:
        match action:
            case Close():
                await self._write(action.after)
                return False
            case Hang():
                await self._write(action.after)
                while await self._reader.read(1 << 16):
                    pass
                return False
            case Stall():
                await self._write(action.after)
                await asyncio.Event().wait()
            case Flood():
                while True:
                    await self._write(action.octets)
                    await asyncio.sleep(action.pause)
            case bytes():
                await self._write(action)
            case _:
                await self._write(usual)
        return True

    async def _line(self) -> str:
        line = await self._reader.readuntil(b"\r\n")
        self._session.received += line
        text = line[:-2].decode("utf-8", "surrogateescape")
        self._session.lines.append(text)
        return text

    async def _write(self, octets: bytes) -> None:
        self._writer.write(octets)
        await self._writer.drain()
