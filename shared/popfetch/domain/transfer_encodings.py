"""Octets out of the encodings that carry them through mail (RFC 2045, section 6), however badly they were applied."""

import re
from binascii import Error, a2b_base64, a2b_qp, a2b_uu
from itertools import islice, takewhile

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_IN_ALPHABET = bytes(sorted(set(range(256)) - set(_ALPHABET)))
_UU_LINE = re.compile(rb"[^\r\n]+")
_OCTETS_OF_A_UU_LINE = 30
"""Half of what a line has usually: no more lines than that makes are read, as each of them takes its time."""


def transferred(octets: bytes | memoryview, encoding: str) -> bytes:
    """The octets that were meant; an encoding that is not known is taken for none."""
    match encoding:
        case "base64":
            return from_base64(octets)
        case "quoted-printable":
            return a2b_qp(octets)
        case "x-uuencode" | "uuencode" | "x-uue" | "uue":
            return from_uuencoded(bytes(octets))
        case _:
            return bytes(octets)


def from_base64(octets: bytes | memoryview) -> bytes:
    """Whatever of base64 can be read: what is not of its alphabet is passed over, and padding is made up."""
    try:
        return a2b_base64(octets)
    except Error:
        letters = bytes(octets).translate(None, _NOT_IN_ALPHABET)
        usable = letters if len(letters) % 4 != 1 else letters[:-1]
        return a2b_base64(usable + b"=" * (-len(usable) % 4))


def from_uuencoded(octets: bytes) -> bytes:
    """The file that begins behind a line ``begin``; a line that cannot be read is left out."""
    begin = 0 if octets.startswith(b"begin ") else octets.find(b"\nbegin ") + 1
    if octets.startswith(b"begin ", begin):
        begin = octets.find(b"\n", begin)
    lines = islice(_UU_LINE.finditer(octets, max(begin, 0)), 1_000 + len(octets) // _OCTETS_OF_A_UU_LINE)
    return b"".join(_from_uu_line(line[0]) for line in takewhile(lambda line: line[0] != b"end", lines))


def _from_uu_line(line: bytes) -> bytes:
    # Some programs write more than the length that a line begins with.
    longest = (((line[0] - 32) & 63) * 4 + 5) // 3
    try:
        return a2b_uu(line[:longest])
    except Error:
        return b""
