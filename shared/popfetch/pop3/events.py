"""What a session says has happened, as frozen values; texts are the server's octets, untouched."""

from dataclasses import dataclass

from popfetch.pop3.commands import Command


@dataclass(frozen=True, slots=True)
class Greeted:
    """The greeting arrived; ``timestamp`` is APOP's, angle brackets and all, where there is one."""

    accepted: bool
    text: bytes
    timestamp: bytes | None = None


@dataclass(frozen=True, slots=True)
class Replied:
    """A reply that is a status line and no more: a single-line reply, or any ``-ERR``."""

    command: Command
    accepted: bool
    text: bytes


@dataclass(frozen=True, slots=True)
class Challenged:
    """The server asks for the next step of a SASL exchange; ``challenge`` is base64 as it came."""

    command: Command
    challenge: bytes


@dataclass(frozen=True, slots=True)
class Listed:
    """A whole listing arrived: its rows without line ends."""

    command: Command
    text: bytes
    rows: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class BodyBegan:
    """The status line of a message was ``+OK``; its octets follow."""

    command: Command
    text: bytes


@dataclass(frozen=True, slots=True)
class BodyContent:
    """The next octets of a message, dot-unstuffed; never empty."""

    command: Command
    data: bytes


@dataclass(frozen=True, slots=True)
class BodyEnded:
    """The terminator of a message was seen."""

    command: Command


type Event = Greeted | Replied | Challenged | Listed | BodyBegan | BodyContent | BodyEnded
