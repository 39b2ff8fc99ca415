"""A POP3 server for tests whose every reply can be scripted.

It listens on a loopback port, keeps a mailbox of octets, signs in by every usual mechanism, speaks plain, TLS or
STLS, and records what it received. ``on`` overrides replies, by whole command or by verb::

    server = ScriptedServer(
        mailbox=[b"Subject: one\\r\\n\\r\\nHello\\r\\n"],
        on={
            "RETR 3": err("no such luck"),      # raw octets, sent as they are
            "CAPA": Close(),                    # closes without a word
            "RETR 2": Close(b"+OK\\r\\nSubj"),   # closes after these octets
            "UIDL": Hang(),                     # says nothing, and goes on listening to nobody
            "STAT": [err("later"), DEFAULT],    # first this, then as usual
            "greeting": b"+OK hello\\r\\n",
            "DELE": lambda session, line: ...,  # computed; None stands for the usual reply
            "complaint": b"+ e30=\\r\\n",          # of a bad access token; b"" for a server that has none
            "answer": err("sorry"),             # to an access token, in the end
            "LIST": Takeover(flood(b"1 1\\r\\n")),  # has the connection to itself
        },
    )
    async with server:
        await dialer.open(server.account_server(), ...)

An action stays in force for every session unless it is a list, which is used up across sessions.
"""

import asyncio
import hmac
import ssl
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import md5
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import trustme

from popfetch.domain.account import AuthMethod, Security, Server
from tests.builders.loopback_server import HOST, Conversations

TIMESTAMP = "<1896.697170952@pop.example.test>"
CHALLENGE = b"<challenge.1@pop.example.test>"


@dataclass(frozen=True)
class Mail:
    """A message in the mailbox; ``size`` is what LIST says, the true size where it is ``None``."""

    content: bytes
    uid: bytes = b""
    size: int | None = None


@dataclass(frozen=True)
class Close:
    """Close the connection after sending these octets."""

    after: bytes = b""


@dataclass(frozen=True)
class Hang:
    """Send these octets, then nothing more, until the client goes away."""

    after: bytes = b""


@dataclass(frozen=True)
class Takeover:
    """Hand the connection over, for good: ``rampage`` reads and writes as it likes, and the connection ends with it."""

    rampage: "Rampage"

    def __repr__(self) -> str:
        return f"Takeover({self.rampage.__qualname__.partition('.')[0]})"  # the same in each process of a test run


class Default:
    """The reply that a well-behaved server would give."""


DEFAULT = Default()

type Rampage = Callable[["ScriptedSession", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
type Answer = bytes | Close | Hang | Takeover | Default | None
type Scripted = Callable[["ScriptedSession", str], Answer]
type Action = Answer | Scripted


def ok(text: str = "") -> bytes:
    """An ``+OK`` line."""
    return f"+OK {text}".rstrip().encode() + b"\r\n"


def err(text: str = "") -> bytes:
    """An ``-ERR`` line."""
    return f"-ERR {text}".rstrip().encode() + b"\r\n"


def stuffed(content: bytes) -> bytes:
    """A message as it goes over the wire, with the terminator; a missing final CRLF is added."""
    if content and not content.endswith(b"\r\n"):
        content += b"\r\n"
    wire = content.replace(b"\r\n.", b"\r\n..")
    return (b"." if wire.startswith(b".") else b"") + wire + b".\r\n"


@cache
def authority() -> trustme.CA:
    """The certificate authority of the tests."""
    return trustme.CA()


def authority_file(folder: Path) -> str:
    """The authority's certificate as a PEM file, for ``ca_file``."""
    path = folder / "authority.pem"
    authority().cert_pem.write_to_path(str(path))
    return str(path)


def server_context(*names: str, ca: trustme.CA | None = None) -> ssl.SSLContext:
    """A TLS context with a certificate for ``names`` (by default this machine's)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (ca or authority()).issue_cert(*(names or ("localhost", "127.0.0.1"))).configure_cert(context)
    return context


@dataclass
class ScriptedSession:
    """One connection to the server, as it was seen by it."""

    server: "ScriptedServer"
    number: int
    received: bytearray = field(default_factory=bytearray)
    reads: list[bytes] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    marked: set[int] = field(default_factory=set)
    username: str = ""
    signed_in: bool = False
    encrypted: bool = False
    said_quit: bool = False
    ended: bool = False
    flooded: int = 0
    """Octets that were sent after the connection was taken over."""

    @property
    def lines(self) -> list[str]:
        """Every line that was received, answers to challenges included."""
        return bytes(self.received).decode("utf-8", "surrogateescape").split("\r\n")[:-1]

    def mail(self, number: int) -> Mail | None:
        """The message of this number that is not marked for deletion."""
        if not 1 <= number <= len(self.server.mailbox) or number in self.marked:
            return None
        return self.server.mailbox[number - 1]

    def numbers(self) -> list[int]:
        """The numbers of all messages that are not marked."""
        return [number for number in range(1, len(self.server.mailbox) + 1) if number not in self.marked]


class ScriptedServer:
    """A POP3 server on a loopback port; use it as an asynchronous context manager.

    ``chunk`` writes replies in pieces of so many octets. ``capabilities`` are CAPA's rows; ``None`` answers CAPA by
    ``-ERR``. ``uidl`` and ``top`` switch those commands off, ``apop`` shows a timestamp and accepts APOP.
    """

    def __init__(
        self,
        mailbox: Sequence[bytes | Mail] = (),
        *,
        on: Mapping[str, Action | list[Action]] | None = None,
        security: Security = Security.NONE,
        username: str = "alex",
        password: str = "open sesame",
        capabilities: Sequence[str] | None = ("TOP", "UIDL", "USER", "PIPELINING", "RESP-CODES"),
        capabilities_after_sign_in: Sequence[str] | None = None,
        apop: bool = False,
        uidl: bool = True,
        top: bool = True,
        chunk: int | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.mailbox = [
            mail if isinstance(mail, Mail) else Mail(mail, b"uid-%d" % number) for number, mail in enumerate(mailbox, 1)
        ]
        self.on: dict[str, Action | list[Action]] = dict(on or {})
        self.security = security
        self.username = username
        self.password = password
        self.capabilities = capabilities
        self.capabilities_after_sign_in = capabilities_after_sign_in
        self.apop = apop
        self.uidl = uidl
        self.top = top
        self.chunk = chunk
        self.sessions: list[ScriptedSession] = []
        self.host = HOST
        self.port = 0
        self._context = context
        self._conversations = Conversations()

    # --- What tests ask ---------------------------------------------------------------------------------------

    @property
    def received(self) -> bytes:
        """Every octet that was received behind TLS or without it, all sessions joined."""
        return b"".join(bytes(session.received) for session in self.sessions)

    @property
    def commands(self) -> list[str]:
        """Every command line that was received, all sessions joined; secrets in them are as they came."""
        return [command for session in self.sessions for command in session.commands]

    @property
    def session(self) -> ScriptedSession:
        """The latest session."""
        return self.sessions[-1]

    def account_server(self, *, host: str | None = None, auth: AuthMethod = AuthMethod.PASSWORD) -> Server:
        """The settings that an account needs to reach this server."""
        return Server(host or self.host, self.port, self.security, self.username, auth)

    # --- Running ----------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        context = (self._context or server_context()) if self.security is Security.TLS else None
        self.port = await self._conversations.begin(self._converse, port=self.port, ssl=context, limit=1 << 20)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._conversations.end()

    def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Coroutine[Any, Any, None]:
        session = ScriptedSession(self, len(self.sessions) + 1, encrypted=self.security is Security.TLS)
        self.sessions.append(session)
        return _Conversation(session, reader, writer).run()

    def action(self, session: ScriptedSession, line: str) -> Answer:
        """What the script says about this command line; ``DEFAULT`` where it says nothing."""
        command = line.upper()
        for key in (command, command.partition(" ")[0], line):
            if key not in self.on:
                continue
            action = self.on[key]
            if isinstance(action, list):
                action = action.pop(0) if action else DEFAULT
            if callable(action):
                action = action(session, line)
            return DEFAULT if action is None else action
        return DEFAULT


class _Conversation:
    """Serves one session."""

    def __init__(self, session: ScriptedSession, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._session = session
        self._server = session.server
        self._reader = reader
        self._writer = writer
        self._pending = bytearray()

    async def run(self) -> None:
        try:
            await self._serve()
        except (OSError, asyncio.IncompleteReadError, EOFError):
            pass
        finally:
            self._session.ended = True
            self._writer.transport.abort()

    async def _serve(self) -> None:
        greeting = ok(f"ready {TIMESTAMP}" if self._server.apop else "ready")
        if not await self._act(self._server.action(self._session, "greeting"), greeting):
            return
        while True:
            line = (await self._line()).decode("utf-8", "surrogateescape")
            self._session.commands.append(line)
            action = self._server.action(self._session, line)
            if isinstance(action, Default):
                if not await self._usual(line):
                    return
            elif not await self._act(action, b""):
                return

    async def _act(self, action: Answer, usual: bytes) -> bool:
        if isinstance(action, Close):
            await self._write(action.after)
            return False
        if isinstance(action, Takeover):
            await action.rampage(self._session, self._reader, self._writer)
            return False
        if isinstance(action, Hang):
            await self._write(action.after)
            while await self._read():
                pass
            return False
        await self._write(action if isinstance(action, bytes) else usual)
        return True

    async def _usual(self, line: str) -> bool:
        verb, _, rest = line.partition(" ")
        verb = verb.upper()
        if verb == "STLS":
            return await self._start_tls()
        if verb == "AUTH":
            return await self._auth(rest)
        if verb == "QUIT":
            self._session.said_quit = True
            self._server.mailbox = [
                mail for number, mail in enumerate(self._server.mailbox, 1) if number not in self._session.marked
            ]
            await self._write(ok("bye"))
            return False
        await self._write(self._reply(verb, rest))
        return True

    def _reply(self, verb: str, rest: str) -> bytes:
        if verb == "CAPA":
            return self._capa()
        if not self._session.signed_in:
            return self._sign_in(verb, rest)
        match verb:
            case "STAT":
                numbers = self._session.numbers()
                return ok(f"{len(numbers)} {sum(map(self._size, numbers))}")
            case "NOOP":
                return ok()
            case "RSET":
                self._session.marked.clear()
                return ok()
            case "UIDL" if self._server.uidl:
                return self._rows(rest, lambda number: self._server.mailbox[number - 1].uid)
            case "LIST":
                return self._rows(rest, lambda number: b"%d" % self._size(number))
            case "RETR" | "TOP" | "DELE":
                return self._about(verb, rest)
        return err("unknown command")

    def _about(self, verb: str, rest: str) -> bytes:
        words = rest.split()
        number = int(words[0]) if words and words[0].isdigit() else 0
        mail = self._session.mail(number)
        if mail is None:
            return err("no such message")
        if verb == "DELE":
            self._session.marked.add(number)
            return ok()
        if verb == "RETR":
            return ok("message follows") + stuffed(mail.content)
        if not self._server.top:
            return err("unknown command")
        head, blank, body = mail.content.partition(b"\r\n\r\n")
        lines = body.split(b"\r\n")[: int(words[1])]
        return ok() + stuffed(head + blank + b"".join(line + b"\r\n" for line in lines))

    def _rows(self, rest: str, column: Callable[[int], bytes]) -> bytes:
        if not rest:
            rows = [b"%d %s\r\n" % (number, column(number)) for number in self._session.numbers()]
            return ok() + b"".join(rows) + b".\r\n"
        number = int(rest) if rest.isdigit() else 0
        if self._session.mail(number) is None:
            return err("no such message")
        return b"+OK %d %s\r\n" % (number, column(number))

    def _size(self, number: int) -> int:
        mail = self._server.mailbox[number - 1]
        return len(mail.content) if mail.size is None else mail.size

    def _capa(self) -> bytes:
        rows = self._server.capabilities
        if self._session.signed_in and self._server.capabilities_after_sign_in is not None:
            rows = self._server.capabilities_after_sign_in
        if rows is None:
            return err("unknown command")
        if self._server.security is Security.STARTTLS and not self._session.encrypted:
            rows = [*rows, "STLS"]
        return ok() + b"".join(row.encode() + b"\r\n" for row in rows) + b".\r\n"

    # --- Signing in -------------------------------------------------------------------------------------------

    def _sign_in(self, verb: str, rest: str) -> bytes:
        match verb:
            case "USER":
                self._session.username = rest
                return ok()
            case "PASS":
                return self._judge(self._session.username, rest)
            case "APOP" if self._server.apop:
                username, _, digest = rest.rpartition(" ")
                expected = md5(TIMESTAMP.encode() + self._server.password.encode()).hexdigest()
                return self._judge(username, self._server.password if digest == expected else "")
        return err("unknown command")

    def _judge(self, username: str, password: str) -> bytes:
        if (username, password) != (self._server.username, self._server.password):
            return err("[AUTH] Authentication failed.")
        self._session.signed_in = True
        return ok("signed in")

    async def _auth(self, rest: str) -> bool:
        mechanism, _, initial = rest.partition(" ")
        match mechanism.upper():
            case "PLAIN":
                token = b64decode(initial) if initial else await self._ask(b"")
                _, username, password = token.decode().split("\0")
                await self._write(self._judge(username, password))
            case "LOGIN":
                username = (await self._ask(b"Username:")).decode()
                password = (await self._ask(b"Password:")).decode()
                await self._write(self._judge(username, password))
            case "CRAM-MD5":
                username, _, digest = (await self._ask(CHALLENGE)).decode().rpartition(" ")
                expected = hmac.new(self._server.password.encode(), CHALLENGE, "md5").hexdigest()
                await self._write(self._judge(username, self._server.password if digest == expected else ""))
            case "XOAUTH2":
                return await self._judge_token(
                    initial, f"user={self._server.username}\x01auth=Bearer {self._server.password}\x01\x01"
                )
            case "OAUTHBEARER":
                return await self._judge_token(
                    initial, f"n,a={self._server.username},\x01auth=Bearer {self._server.password}\x01\x01"
                )
            case _:
                await self._write(err("unknown mechanism"))
        return True

    async def _judge_token(self, initial: str, good: str) -> bool:
        token = b64decode(initial) if initial else await self._ask(b"")
        if token == good.encode():
            usual = self._judge(self._server.username, self._server.password)
        else:
            usual = err("[AUTH] Authentication failure: unknown token")
            complaint = self._server.action(self._session, "complaint")
            if complaint != b"":
                if not await self._act(complaint, b"+ " + b64encode(b'{"status":"400"}') + b"\r\n"):
                    return False
                await self._line()
        return await self._act(self._server.action(self._session, "answer"), usual)

    async def _ask(self, challenge: bytes) -> bytes:
        await self._write(b"+ " + b64encode(challenge) + b"\r\n")
        return b64decode(await self._line())

    async def _start_tls(self) -> bool:
        if self._server.security is not Security.STARTTLS or self._session.encrypted:
            await self._write(err("unknown command"))
            return True
        await self._write(ok("begin TLS"))
        await self._writer.start_tls(self._server._context or server_context())
        self._session.encrypted = True
        self._session.signed_in = False
        return True

    # --- Octets -----------------------------------------------------------------------------------------------

    async def _line(self) -> bytes:
        while (end := self._pending.find(b"\n")) < 0:
            data = await self._read()
            if not data:
                raise EOFError
            self._pending += data
        line = bytes(self._pending[:end]).removesuffix(b"\r")
        del self._pending[: end + 1]
        return line

    async def _read(self) -> bytes:
        data = await self._reader.read(1 << 16)
        self._session.received += data
        if data:
            self._session.reads.append(data)
        return data

    async def _write(self, octets: bytes) -> None:
        step = self._server.chunk or len(octets) or 1
        for at in range(0, len(octets), step):
            self._writer.write(octets[at : at + step])
            await self._writer.drain()
            if self._server.chunk:
                await asyncio.sleep(0)
