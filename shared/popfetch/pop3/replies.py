"""Reading the text of replies: status lines, response codes, capabilities, rows of LIST and UIDL.

Each reader takes the octets of one line without its line end and either understands them or raises
ProtocolViolation; none keeps state.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from popfetch.dialogue.texts import clean
from popfetch.pop3.errors import ProtocolViolation

BLANKS = b" \t"
LONGEST_LOGIN_DELAY = 24 * 60 * 60
"""Seconds of LOGIN-DELAY that are believed: whoever asks for more would have the mailbox forgotten."""

MOST_DIGITS = 18
"""The longest number that is read; anything longer is no count of messages or octets."""

_CODE = re.compile(rb"\s*\[([A-Za-z0-9/_.+-]{1,64})\]")
# Numbers are spelled out as digits, up to 18 of them: int() would also take signs, blanks and underscores.
_LIST_ROW = re.compile(rb"\s*([0-9]{1,18})(?!\S)\s*([0-9]{1,18}(?!\S))?")
_UIDL_ROW = re.compile(rb"[ \t]*([0-9]{1,18})(?:[ \t]+(.*))?\Z", re.DOTALL)
_TIMESTAMP = re.compile(rb"<[!-;=?A-~]+@[!-;=?A-~]+>")


class Status(Enum):
    """How a status line begins."""

    OK = "+OK"
    ERR = "-ERR"
    CHALLENGE = "+"


def parse_status(line: bytes) -> tuple[Status, bytes] | None:
    """Status and text of a line, ``None`` where the line is no status line at all.

    ``+ `` is a challenge (RFC 5034, section 4); whether one fits here is for the caller to know.
    """
    for status, word in ((Status.OK, b"+OK"), (Status.ERR, b"-ERR")):
        if line.startswith(word) and not line[len(word) : len(word) + 1].isalnum():
            return status, line[len(word) :].lstrip(BLANKS)
    if line == b"+" or line.startswith(b"+ "):
        return Status.CHALLENGE, line[2:].strip(BLANKS)
    return None


def response_code(text: bytes) -> str:
    """The response code a text begins with, in upper case and without brackets; empty where there is none.

    RFC 2449, section 8. Codes are read whether RESP-CODES is announced or not.
    """
    match = _CODE.match(text)
    return match.group(1).decode("ascii").upper() if match else ""


def apop_timestamp(greeting: bytes) -> bytes | None:
    """The timestamp of a greeting (RFC 1939, section 7): printable ASCII shaped like a message id, nothing else.

    Anything looser would let an attacker choose what is hashed with the password (CVE-2007-1558).
    """
    match = _TIMESTAMP.search(greeting)
    return match.group() if match else None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What CAPA announced (RFC 2449); lines that make no sense are as if they were not there."""

    names: frozenset[str] = frozenset()
    mechanisms: frozenset[str] = frozenset()
    login_delay: int | None = field(default=None)
    """Seconds that the server wants between two sign-ins."""

    def __contains__(self, name: str) -> bool:
        return name in self.names


def parse_capabilities(rows: Iterable[bytes]) -> Capabilities:
    """Read the rows of CAPA."""
    names: set[str] = set()
    mechanisms: set[str] = set()
    login_delay: int | None = None
    for row in rows:
        words = row.decode("ascii", "replace").upper().split()
        if not words:
            continue
        names.add(words[0])
        if words[0] in {"SASL", "AUTH"}:
            mechanisms.update(words[1:])
        elif words[0] == "LOGIN-DELAY" and len(words) > 1 and words[1].isascii() and words[1].isdigit():
            login_delay = min(int(words[1][:MOST_DIGITS]), LONGEST_LOGIN_DELAY)
    return Capabilities(frozenset(names), frozenset(mechanisms), login_delay)


def parse_stat(text: bytes) -> tuple[int, int]:
    """Count and octets of ``+OK 2 320``; octets are 0 where they make no sense, a count must."""
    words = text.split()
    count = _number(words[0]) if words else None
    if count is None:
        raise ProtocolViolation(
            "The server's reply to STAT does not say how many messages there are.", server_text=clean(text)
        )
    return count, (_number(words[1]) if len(words) > 1 else None) or 0


def parse_list_row(row: bytes) -> tuple[int, int]:
    """Number and octets of a row of LIST; octets are 0 where they make no sense."""
    match = _LIST_ROW.match(row)
    number = int(match.group(1)) if match else 0
    if not match or not number:
        raise _no_number("LIST", row)
    return number, int(match.group(2) or 0)


def parse_uidl_row(row: bytes) -> tuple[int, bytes]:
    """Number and UID of a row of UIDL.

    The UID is everything behind the blanks that follow the number, up to the end of the line: octets whose meaning
    is the server's own. It is empty where there is nothing.
    """
    match = _UIDL_ROW.match(row)
    number = int(match.group(1)) if match else 0
    if not match or not number:
        raise _no_number("UIDL", row)
    return number, match.group(2) or b""


def _number(word: bytes) -> int | None:
    # int() alone would also take a sign, blanks and underscores
    return int(word) if word.isdigit() and len(word) <= MOST_DIGITS else None


def _no_number(command: str, row: bytes) -> ProtocolViolation:
    return ProtocolViolation(f"A row of the server's {command} has no message number.", server_text=clean(row))
