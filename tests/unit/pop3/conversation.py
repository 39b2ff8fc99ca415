"""Reading a session's events in tests: whole, byte by byte, or cut anywhere."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from popfetch.pop3 import commands
from popfetch.pop3.commands import Command
from popfetch.pop3.errors import Pop3Error
from popfetch.pop3.events import BodyContent, Event, Replied
from popfetch.pop3.limits import DEFAULT_LIMITS, Limits
from popfetch.pop3.session import Session

GREETING = b"+OK ready\r\n"


def signed_in(limits: Limits = DEFAULT_LIMITS) -> Session:
    """A session that has greeted and accepted USER and PASS."""
    session = Session(limits)
    session.receive(GREETING)
    session.next_event()
    for command in (commands.user("alex"), commands.password("open sesame")):
        session.send(command)
        session.receive(b"+OK\r\n")
        assert isinstance(session.next_event(), Replied)
    return session


def pieces(stream: bytes, cuts: Iterable[int]) -> list[bytes]:
    """The stream cut at these places."""
    places = sorted({0, len(stream), *(cut for cut in cuts if 0 <= cut <= len(stream))})
    return [stream[start:end] for start, end in pairwise(places)]


def byte_by_byte(stream: bytes) -> list[bytes]:
    return [stream[at : at + 1] for at in range(len(stream))]


def all_events(session: Session, blocks: Sequence[bytes]) -> list[Event | str]:
    """Every event, content joined; ends with the code of the error where there is one."""
    found: list[Event | str] = []
    try:
        for block in blocks:
            session.receive(block)
            while (event := session.next_event()) is not None:
                before = found[-1] if found else None
                if isinstance(event, BodyContent) and isinstance(before, BodyContent):
                    found[-1] = BodyContent(event.command, before.data + event.data)
                else:
                    found.append(event)
    except Pop3Error as error:
        found.append(type(error).__name__)
    return found


def events_of(stream: bytes, *asked: Command, limits: Limits = DEFAULT_LIMITS) -> list[Event | str]:
    """The events of replies to these commands, which must be the same whole and byte by byte."""
    outcomes = []
    for blocks in ([stream], byte_by_byte(stream)):
        session = signed_in(limits)
        session.send(*asked)
        outcomes.append(all_events(session, blocks))
    assert outcomes[0] == outcomes[1]
    return outcomes[0]


def body_of(stream: bytes) -> bytes:
    """The message that a whole reply to RETR holds."""
    return b"".join(event.data for event in events_of(stream, commands.retr(1)) if isinstance(event, BodyContent))
