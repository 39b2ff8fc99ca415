"""Listings of a maildrop: how to ask for them, and how the rows of UIDL and LIST become messages.

Pure functions over replies: nothing here sends or waits. A row that makes no sense is a ``ProtocolViolation``.
"""

from collections.abc import Sequence

from popfetch.pop3 import replies
from popfetch.pop3.commands import Command
from popfetch.pop3.errors import ProtocolViolation
from popfetch.pop3.events import Replied
from popfetch.ports.maildrop import ListedMessage

ASK_ONE_BY_ONE = 64
"""Up to so many messages are asked for one by one, however many there are ..."""

MOST_ONE_BY_ONE = 2000
"""... and never more than this, however small a part of the whole they are."""


def asks_one_by_one(wanted: int, count: int, *, pipelines: bool) -> bool:
    """Whether to ask for ``wanted`` of ``count`` messages one by one, rather than for the whole listing.

    Pipelined, both take one round trip, and the octets decide: a message asked for costs about three rows. One at
    a time, each message costs two round trips, which a few hundred rows outweigh. ``count`` 0 is unknown and taken
    for many.
    """
    if not pipelines:
        return 1000 * wanted < count
    if wanted > max(ASK_ONE_BY_ONE, min(MOST_ONE_BY_ONE, count // 20)):
        return False
    return not count or 3 * wanted <= count


def merged_listing(uidl: Sequence[bytes] | None, sizes: Sequence[bytes] | None) -> list[ListedMessage]:
    """The messages of a whole listing, by number: UIDL's rows decide what there is, LIST's add what they can."""
    octets: dict[int, int] = {}
    for row in sizes or ():
        if row and not row.isspace():
            number, size = replies.parse_list_row(row)
            octets.setdefault(number, size)
    if uidl is None:
        return [ListedMessage(number, b"", octets[number]) for number in sorted(octets)]
    uids: dict[int, bytes] = {}
    for row in uidl:
        if row and not row.isspace():
            number, uid = replies.parse_uidl_row(row)
            uids.setdefault(number, uid)
    return [ListedMessage(number, uids[number], octets.get(number, 0)) for number in sorted(uids)]


def uid_of(reply: Replied) -> bytes:
    """The UID in the reply to UIDL of one message; empty where the server gave none."""
    if not reply.text:
        return b""
    if len(reply.text.split()) == 1 and reply.text.strip() != b"%d" % reply.command.number:
        return reply.text.strip()  # Twisted's server answers with the UID alone
    number, uid = replies.parse_uidl_row(reply.text)
    _check_number(reply.command, number)
    return uid


def octets_of(reply: Replied) -> int:
    """The size in the reply to LIST of one message."""
    number, octets = replies.parse_list_row(reply.text)
    _check_number(reply.command, number)
    return octets


def _check_number(command: Command, number: int) -> None:
    if number != command.number:
        raise ProtocolViolation(f"The server answered {command.name} with a row about message {number}.")
