"""How a message is put together (RFC 2045, 2046, 2231): its parts, as places within its octets.

Nothing is copied but header fields, nothing is decoded before it is asked for, and every measure of a message is
bounded: how deep its parts lie in each other, how many there are, how many header fields a part has. So the time is
that of finding the boundaries, whatever the message is made of; what is beyond a bound is told as a problem and stays
in the message itself, which can be had as it is. What is malformed is read as other mail programs do, and never fails.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from popfetch.domain.charsets import decoded, guessed
from popfetch.domain.header_text import decode_words
from popfetch.domain.message_identity import HEADER_LIMIT
from popfetch.domain.transfer_encodings import transferred

DEEPEST = 30
MOST_PARTS = 1_000
MOST_FIELDS = 1_000
MOST_FIELDS_OF_A_PART = 100
LONGEST_PART_HEADER = 64 * 1024
MOST_BOUNDARY_LINES = 100_000
"""Lines that begin like a boundary and are looked at, in all parts together."""

PART_ID = r"[1-9][0-9]{0,3}(?:\.[1-9][0-9]{0,3}){0,30}"
"""What names a part: its place, and before it the places of those that hold it; a pattern."""

LONGEST_PARAMETERS = 8 * 1024

TRUNCATED = "truncated"
TOO_MANY_PARTS = "too_many_parts"
TOO_MANY_HEADERS = "too_many_headers"
STRUCTURE_UNREADABLE = "structure_unreadable"
TEXT_UNDECODABLE = "text_undecodable"
HTML_UNREADABLE = "html_unreadable"
"""The problems that a message can have, for whoever reads it."""

_FIELD = re.compile(rb"([!-9;-~]{1,100})[ \t]*:[ \t]*")
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_FIRST = re.compile(r"\s*([^\s;(]*)")
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,100}")
_PARAMETER = re.compile(
    # Some senders leave the semicolon out.
    r'(?:;\s*|(?<!\s)\s+)([^\s=;"]{1,80})\s*=\s*("(?:[^"\\]|\\.)*"?|[^;"]*)',
    re.DOTALL,
)
_ENCODING = re.compile(r"[a-z0-9-]+")
_CONTINUED = re.compile(r"([^*]+)(?:\*([0-9]{1,3}))?(\*)?")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class HeaderField:
    """A field as it stands in a header, its folds included."""

    name: str
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a message; its body lies from ``start`` to ``end`` within the message's octets.

    ``content_type`` is a type and nothing else, in lower case. ``filename`` and ``content_id`` are empty where it has
    none; the former is as the sender wrote it, which may be anything.
    """

    id: str
    fields: tuple[HeaderField, ...]
    content_type: str
    parameters: dict[str, str]
    disposition: str
    filename: str
    content_id: str
    encoding: str
    start: int
    end: int
    parts: "tuple[Part, ...]" = ()

    def value(self, name: str) -> bytes:
        """The value of the first field of this name; empty where there is none."""
        return value_of(self.fields, name)

    def octets(self, content: bytes, longest: int | None = None) -> bytes:
        """What the part holds, out of its encoding; with ``longest``, no more than about its first so many octets."""
        body = memoryview(content)[self.start : self.end]
        if longest is not None:
            body = body[: 3 * longest if self.encoding == "quoted-printable" else 2 * longest]
            return transferred(body, self.encoding)[:longest]
        return transferred(body, self.encoding)

    def leaves(self) -> "Iterator[Part]":
        """The parts that hold something themselves, in order."""
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.leaves()


@dataclass(frozen=True, slots=True)
class Structure:
    """A message taken apart, and what could not be read of it."""

    root: Part
    problems: tuple[str, ...]


def take_apart(content: bytes) -> Structure:
    """Find the parts of a message."""
    taking = _Taking(content)
    root = taking.part("", 0, len(content), 0, "text/plain")
    return Structure(root, tuple(taking.problems))


def value_of(fields: tuple[HeaderField, ...], name: str) -> bytes:
    """The value of the first of these fields that has this name; empty where none has."""
    return next((found.value for found in fields if found.name.lower() == name), b"")


class _Taking:
    """One message being taken apart; what is left of each bound is kept here."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._parts_left = MOST_PARTS
        self._lines_left = MOST_BOUNDARY_LINES
        self.problems: dict[str, None] = {}

    def part(self, part_id: str, start: int, end: int, depth: int, default_type: str) -> Part:
        """The part that lies from ``start`` to ``end``, with those in it."""
        most, longest = (MOST_FIELDS_OF_A_PART, LONGEST_PART_HEADER) if depth else (MOST_FIELDS, HEADER_LIMIT)
        fields, start, all_of_them = read_fields(self._content, start, end, most=most, longest=longest)
        if not all_of_them:
            self.problems[TOO_MANY_HEADERS] = None
        content_type, parameters = read_parameters(value_of(fields, "content-type"))
        disposition, told = read_parameters(value_of(fields, "content-disposition"))
        if not _TYPE.fullmatch(content_type):
            content_type = default_type
        parts: tuple[Part, ...] = ()
        if content_type.startswith("multipart/"):
            parts = self._parts(part_id, start, end, depth, parameters.get("boundary", ""), content_type)
            if not parts:
                self.problems[STRUCTURE_UNREADABLE] = None
                content_type = "text/plain" if depth < DEEPEST else "application/octet-stream"
        if not parts:
            self._parts_left -= 1
        return Part(
            id=part_id or "1",
            fields=fields,
            content_type=content_type,
            parameters=parameters,
            disposition=disposition,
            filename=told.get("filename") or parameters.get("name", ""),
            content_id=guessed(value_of(fields, "content-id")[:1000]).strip().strip("<>").strip(),
            encoding=_encoding(value_of(fields, "content-transfer-encoding")),
            start=start,
            end=end,
            parts=parts,
        )

    def _parts(
        self, part_id: str, start: int, end: int, depth: int, boundary: str, content_type: str
    ) -> tuple[Part, ...]:
        if not boundary.strip() or depth >= DEEPEST:
            return ()
        default = "message/rfc822" if content_type == "multipart/digest" else "text/plain"
        parts: list[Part] = []
        for first, last in self._between(boundary, start, end):
            if self._parts_left <= 0:
                self.problems[TOO_MANY_PARTS] = None
                break
            own_id = f"{part_id}.{len(parts) + 1}".lstrip(".")
            parts.append(self.part(own_id, first, last, depth + 1, default))
        return tuple(parts)

    def _between(self, boundary: str, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Where the parts lie that a boundary divides; one that it never closes ends with what holds it."""
        content, needle = self._content, b"--" + boundary.rstrip().encode()
        begun = -1
        at = start if content.startswith(needle, start, end) else self._next_line(needle, start, end)
        while at >= 0:
            line_end = content.find(b"\n", at, end)
            line_end = end if line_end < 0 else line_end
            rest = content[at + len(needle) : min(line_end, at + len(needle) + 200)].rstrip()
            if rest in {b"", b"--"}:
                if begun >= 0:
                    yield begun, self._before_break(at, begun)
                begun = min(line_end + 1, end)
                if rest:
                    return
            at = self._next_line(needle, max(line_end - 1, at), end)
        if begun >= 0:
            yield begun, end

    def _next_line(self, needle: bytes, start: int, end: int) -> int:
        """The next place where a line begins so; -1 where there is none, or too many were looked at."""
        if self._lines_left <= 0:
            self.problems[TOO_MANY_PARTS] = None
            return -1
        self._lines_left -= 1
        found = self._content.find(b"\n" + needle, start, end)
        return found + 1 if found >= 0 else -1

    def _before_break(self, at: int, begun: int) -> int:
        """The end of what precedes a boundary: the line break before it is its own (RFC 2046, section 5.1.1)."""
        at -= 1
        if at > begun and self._content[at - 1 : at] == b"\r":
            at -= 1
        return max(at, begun)


def read_fields(
    content: bytes, start: int, end: int, *, most: int, longest: int
) -> tuple[tuple[HeaderField, ...], int, bool]:
    """The header that begins at ``start``: its fields, where the body begins, and whether these are all fields.

    Lines that are no field are passed over where a blank line ends the header after all; where none does, the body
    begins with the first of them.
    """
    limit = min(end, start + longest)
    fields: list[tuple[str, bytearray]] = []
    stray = (-1, 0)
    at = start
    while at < limit:
        line_end = content.find(b"\n", at, limit)
        after = limit if line_end < 0 else line_end + 1
        line = content[at:after].rstrip(b"\r\n")
        if not line:
            return _read(fields), after, True
        if line[:1] in {b" ", b"\t"} and fields:
            fields[-1][1].extend(b"\r\n" + line)
        elif found := _FIELD.match(line):
            if len(fields) >= most:
                blank = _BLANK_LINE.search(content, at, limit)
                return _read(fields), blank.end() if blank else limit, False
            fields.append((found[1].decode("ascii"), bytearray(line[found.end() :])))
        elif at == start and line.startswith((b"From ", b">From ")):
            pass  # the line by which an mbox begins a message
        elif stray[0] < 0:
            if not fields:
                return (), at, True
            stray = (at, len(fields))
        at = after
    if stray[0] >= 0:
        return _read(fields[: stray[1]]), stray[0], True
    return _read(fields), limit, limit == end


def _read(fields: list[tuple[str, bytearray]]) -> tuple[HeaderField, ...]:
    return tuple(HeaderField(name, bytes(value)) for name, value in fields)


def read_parameters(value: bytes) -> tuple[str, dict[str, str]]:
    """What stands first in a value, in lower case, and its parameters by lower-case names (RFC 2045, RFC 2231)."""
    text = guessed(value[:LONGEST_PARAMETERS]).replace("\r\n", "").replace("\n", "").replace("\0", "")
    first = _FIRST.match(text)
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for found in _PARAMETER.finditer(text):
        name = _CONTINUED.fullmatch(found[1])
        if name is None:
            continue
        written = found[2].strip()
        if written.startswith('"'):
            written = _ESCAPED.sub(r"\1", written[1:].removesuffix('"'))
        place = int(name[2] or 0)
        of_name = pieces.setdefault(name[1].lower(), {})
        # the extended form is meant where both are there (RFC 6266, section 4.3)
        if place not in of_name or name[3]:
            of_name[place] = (written, bool(name[3]))
    return first[1].lower() if first else "", {name: _joined(of_name) for name, of_name in pieces.items()}


def _encoding(value: bytes) -> str:
    found = _ENCODING.search(guessed(value[:100]).lower())
    return found[0] if found else ""


def _joined(pieces: dict[int, tuple[str, bool]]) -> str:
    """The value of a parameter that may come in pieces, encoded or not."""
    if not any(extended for _, extended in pieces.values()):
        return decode_words("".join(pieces[place][0] for place in sorted(pieces)))
    octets, charset = bytearray(), ""
    for place in sorted(pieces):
        written, extended = pieces[place]
        if extended and place == min(pieces) and written.count("'") >= 2:
            charset, _, written = written.split("'", 2)
        octets += unquote_to_bytes(written) if extended else written.encode()
    return decoded(bytes(octets), charset)[0]
