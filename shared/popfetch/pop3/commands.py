"""The commands of POP3 as frozen values, each with the shape of its reply.

What a command puts on the wire is never shown: some carry a password.
"""

from dataclasses import dataclass, field
from enum import Enum


class Shape(Enum):
    """What follows a command: how its reply is read when the status line is ``+OK``."""

    LINE = "a status line and nothing else"
    LISTING = "rows up to a line with a single dot"
    MESSAGE = "a dot-stuffed message up to a line with a single dot"
    EXCHANGE = "challenges (RFC 5034, section 4), then a status line"
    HANDSHAKE = "a status line, then TLS (RFC 2595, section 4)"
    FAREWELL = "a status line, then the end of the connection"


@dataclass(frozen=True, slots=True)
class Command:
    """One command line; ``number`` is the message it is about, 0 where it is about none."""

    name: str
    shape: Shape
    wire: bytes = field(repr=False)
    number: int = 0
    proves_identity: bool = False
    """Whether ``+OK`` to it means that the session is signed in."""


def _plain(name: str, shape: Shape = Shape.LINE, number: int = 0) -> Command:
    return Command(name, shape, name.encode("ascii") + b"\r\n", number)


STAT = _plain("STAT")
LIST_ALL = _plain("LIST", Shape.LISTING)
UIDL_ALL = _plain("UIDL", Shape.LISTING)
CAPA = _plain("CAPA", Shape.LISTING)
NOOP = _plain("NOOP")
RSET = _plain("RSET")
STLS = _plain("STLS", Shape.HANDSHAKE)
QUIT = _plain("QUIT", Shape.FAREWELL)


def list_one(number: int) -> Command:
    """LIST of one message."""
    return _plain(f"LIST {number}", number=number)


def uidl_one(number: int) -> Command:
    """UIDL of one message."""
    return _plain(f"UIDL {number}", number=number)


def top(number: int, lines: int) -> Command:
    """The header block of a message and the first ``lines`` lines of its body."""
    return _plain(f"TOP {number} {lines}", Shape.MESSAGE, number)


def retr(number: int) -> Command:
    """A whole message."""
    return _plain(f"RETR {number}", Shape.MESSAGE, number)


def dele(number: int) -> Command:
    """Mark a message for deletion; QUIT makes it real."""
    return _plain(f"DELE {number}", number=number)


def user(name: str) -> Command:
    """The user name; 8-bit names go as UTF-8 (RFC 6856, section 2.2)."""
    return Command("USER", Shape.LINE, b"USER " + name.encode() + b"\r\n")


def password(value: str) -> Command:
    """The password, in clear; 8-bit passwords go as UTF-8."""
    return Command("PASS", Shape.LINE, b"PASS " + value.encode() + b"\r\n", proves_identity=True)


def apop(name: str, digest: str) -> Command:
    """User name and digest of the greeting's timestamp (RFC 1939, section 7)."""
    wire = b"APOP " + name.encode() + b" " + digest.encode("ascii") + b"\r\n"
    return Command("APOP", Shape.LINE, wire, proves_identity=True)


def auth(mechanism: str, initial_response: bytes | None = None) -> Command:
    """Begin a SASL exchange; ``initial_response`` is in base64 already, ``=`` for an empty one."""
    wire = b"AUTH " + mechanism.encode("ascii")
    if initial_response is not None:
        wire += b" " + (initial_response or b"=")
    return Command(f"AUTH {mechanism}", Shape.EXCHANGE, wire + b"\r\n", proves_identity=True)
