"""Reading a message as mail programs show it: its headers, its text, its HTML, and what is attached.

Which parts are the message and which come along with it is decided as others do (RFC 2046, RFC 2183, RFC 2387): of
alternatives the last one of a kind, of related parts the first, and all texts that stand one after the other. What has
a file's name or says that it is an attachment is one, and so is whatever is neither text nor HTML. Some programs give
the message itself a name: an alternative is the message all the same, and where nothing else would be shown, so is the
first text that does not say it is an attachment.
"""

import html
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from popfetch.domain.charsets import decoded
from popfetch.domain.errors import AttachmentBeyondReach
from popfetch.domain.file_names import file_name, message_file_name
from popfetch.domain.header_text import Mailbox, read_date, read_mailboxes, read_text
from popfetch.domain.marks import with_few_marks
from popfetch.domain.mime_parts import (
    PART_ID,
    TEXT_UNDECODABLE,
    TOO_MANY_HEADERS,
    TOO_MANY_PARTS,
    TRUNCATED,
    HeaderField,
    Part,
    read_fields,
    take_apart,
    value_of,
)

LONGEST_READ = 48 * 1024 * 1024
"""Octets of a message that are read; of a longer one, its beginning."""

LONGEST_TEXT = 1_000_000
LONGEST_HTML = 2_000_000
LONGEST_HEADERS = 500_000
LONGEST_ATTACHMENT_LIST = 600_000
"""Octets that these have at the most in an answer, all together with ``services.reading`` below a function's 6 MB."""

LONGEST_HEADER = 4_000
LONGEST_SUBJECT = 1_000

_PART_ID = re.compile(PART_ID)
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_DECLARED = re.compile(rb"""charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)
_PIECE = 16_384
_MOST_OCTETS_OF_A_CHARACTER = 14

_IMAGES: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("image/png", lambda octets: octets.startswith(b"\x89PNG\r\n\x1a\n")),
    ("image/jpeg", lambda octets: octets.startswith(b"\xff\xd8\xff")),
    ("image/gif", lambda octets: octets.startswith((b"GIF87a", b"GIF89a"))),
    ("image/webp", lambda octets: octets[:4] == b"RIFF" and octets[8:12] == b"WEBP"),
    ("image/bmp", lambda octets: octets.startswith(b"BM") and octets[6:10] == bytes(4)),
)
"""The images that a message may show within its HTML, by what they begin with; what they say they are is not asked."""


@dataclass(frozen=True, slots=True)
class Enclosed:
    """Something attached; ``inline`` says that the message's HTML shows it, ``content_id`` by which name.

    ``octets`` is ``None`` where it lies beyond what is read of the message, which has it whole.
    """

    id: str
    filename: str
    content_type: str
    octets: int | None
    inline: bool = False
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """Something attached, with its octets."""

    filename: str
    content_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpenedMessage:
    """A message as it is read; ``html`` is the sender's own, and must be made harmless before anybody sees it."""

    headers: tuple[tuple[str, str], ...]
    subject: str
    message_id: str
    dated: datetime | None
    senders: tuple[Mailbox, ...]
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    bcc: tuple[Mailbox, ...]
    reply_to: tuple[Mailbox, ...]
    text: str | None
    html: str | None
    attachments: tuple[Enclosed, ...]
    problems: tuple[str, ...]
    _content: bytes = field(repr=False, default=b"")
    _parts: dict[str, Part] = field(repr=False, default_factory=dict)

    def holds(self, content_id: str) -> bool:
        """Whether something that came along has this Content-ID."""
        return content_id in self._parts

    def image(self, content_id: str, longest: int) -> tuple[str, bytes] | None:
        """Type and octets of the image that the HTML names so; ``None`` where there is none, or a larger one."""
        part = self._parts.get(content_id)
        if part is None:
            return None
        octets = part.octets(self._content, longest + 1)
        kind = image_type(octets)
        return (kind, octets) if kind and len(octets) <= longest else None


@dataclass(slots=True)
class _Bodies:
    """What is read of a message's parts."""

    content: bytes
    whole: bool
    attached: list[Part] = field(default_factory=list)
    problems: dict[str, None] = field(default_factory=dict)

    def is_cut(self, part: Part) -> bool:
        """Whether a part goes on, or may go on, behind what was read of the message."""
        return not self.whole and part.end == len(self.content)


@dataclass(frozen=True, slots=True)
class _Shown:
    text: str | None = None
    html: str | None = None


def open_message(content: bytes, *, whole: bool = True) -> OpenedMessage:
    """Read a message, or as much of it as there is (not ``whole``). Never fails, whatever it is given."""
    structure = take_apart(content)
    root = structure.root
    bodies = _Bodies(content, whole, problems=dict.fromkeys(structure.problems))
    shown = _show(root, bodies, named=True)
    if shown == _Shown() and (first := next(filter(_may_be_shown, bodies.attached), None)):
        shown = _read_text(first, bodies)
    room = _Room(LONGEST_HEADERS)
    people = {name: tuple(_people(root, name, room)) for name in ("from", "to", "cc", "bcc", "reply-to")}
    headers = tuple(_headers(root.fields, room))
    if len(headers) < len(root.fields):
        bodies.problems[TOO_MANY_HEADERS] = None
    text = _within(shown.text, LONGEST_TEXT, bodies)
    written_html = _within(shown.html, LONGEST_HTML, bodies)
    if not whole:
        bodies.problems[TRUNCATED] = None
    attachments = tuple(_listed(bodies))
    return OpenedMessage(
        headers=headers,
        subject=read_text(root.value("subject"), LONGEST_SUBJECT),
        message_id=read_text(root.value("message-id"), 1_000),
        dated=read_date(root.value("date")),
        senders=people["from"],
        to=people["to"],
        cc=people["cc"],
        bcc=people["bcc"],
        reply_to=people["reply-to"],
        text=text,
        html=written_html,
        attachments=attachments,
        problems=tuple(bodies.problems),
        _content=content,
        _parts={part.content_id: part for part in reversed(bodies.attached) if part.content_id},
    )


def attachment_of(content: bytes, attachment_id: str, *, whole: bool = True) -> AttachedFile | None:
    """What is attached to a message under this id, as ``open_message`` tells it; ``None`` where nothing is.

    Raises AttachmentBeyondReach where only its beginning is in what was read of the message.
    """
    if not is_attachment_id(attachment_id):
        return None
    bodies = _Bodies(content, whole)
    _show(take_apart(content).root, bodies, named=True)
    for part in bodies.attached:
        if part.id == attachment_id:
            if bodies.is_cut(part):
                raise AttachmentBeyondReach
            return AttachedFile(_name(part, content), part.content_type, part.octets(content))
    return None


def is_attachment_id(text: str) -> bool:
    """True for what can name an attachment at all; anything else must not reach a key."""
    return len(text) <= 150 and _PART_ID.fullmatch(text) is not None


def octets_in_answer(text: str) -> int:
    """How much of a function's answer a text takes: the answer is JSON within the JSON that the function hands over."""
    return len(json.dumps(json.dumps(text)))


def image_type(octets: bytes) -> str | None:
    """The type of an image that may be shown, by its octets; ``None`` for anything else."""
    return next((kind for kind, begins in _IMAGES if begins(octets[:16])), None)


def with_inline(attachments: Iterable[Enclosed], shown: Iterable[str]) -> tuple[Enclosed, ...]:
    """The attachments, those marked that the HTML shows under one of these names."""
    names = set(shown)
    return tuple(replace(one, inline=bool(one.content_id) and one.content_id in names) for one in attachments)


# --- Which parts are shown ------------------------------------------------------------------------------------


def _show(part: Part, bodies: _Bodies, *, named: bool = False) -> _Shown:
    """What is shown of a part; with ``named`` it may have a name and be shown all the same."""
    if not part.parts:
        if _may_be_shown(part) and (named or not part.filename):
            return _read_text(part, bodies)
        bodies.attached.append(part)
        return _Shown()
    match part.content_type:
        case "multipart/alternative":
            all_shown = [_show(inner, bodies, named=True) for inner in part.parts]
            return _Shown(
                text=next((shown.text for shown in all_shown if shown.text is not None), None),
                html=next((shown.html for shown in reversed(all_shown) if shown.html is not None), None),
            )
        case "multipart/related":
            start = part.parameters.get("start", "").strip("<> ")
            root = next((inner for inner in part.parts if start and inner.content_id == start), part.parts[0])
            shown = _show(root, bodies, named=named)
            for inner in part.parts:
                if inner is not root:
                    bodies.attached += inner.leaves()
            return shown
        case _:
            return _one_after_the_other([_show(inner, bodies) for inner in part.parts])


def _may_be_shown(part: Part) -> bool:
    return part.content_type in {"text/plain", "text/html"} and part.disposition != "attachment"


def _read_text(part: Part, bodies: _Bodies) -> _Shown:
    longest = LONGEST_HTML if part.content_type == "text/html" else LONGEST_TEXT
    octets = part.octets(bodies.content, longest + 1)
    complete = len(octets) <= longest
    if not complete:
        octets = octets[:longest]
        bodies.problems[TRUNCATED] = None
    charset = part.parameters.get("charset", "")
    if not charset and part.content_type == "text/html" and (found := _DECLARED.search(octets[:2_000])):
        charset = found[1].decode("ascii")
    text, exact = decoded(octets, charset, whole=complete and bodies.whole)
    if not exact:
        bodies.problems[TEXT_UNDECODABLE] = None
    text = with_few_marks(_CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))
    return _Shown(html=text) if part.content_type == "text/html" else _Shown(text=text)


def _one_after_the_other(all_shown: list[_Shown]) -> _Shown:
    texts = [shown.text for shown in all_shown if shown.text is not None]
    text = "\n".join(texts) if texts else None
    if not any(shown.html is not None for shown in all_shown):
        return _Shown(text=text)
    return _Shown(text=text, html="\n".join(filter(None, map(_as_html, all_shown))))


def _as_html(shown: _Shown) -> str:
    if shown.html is not None:
        return shown.html
    return f'<div style="white-space: pre-wrap">{html.escape(shown.text)}</div>' if shown.text else ""


# --- What is told of it, within bounds ------------------------------------------------------------------------


class _Room:
    """What is left of an answer."""

    def __init__(self, octets: int) -> None:
        self._left = octets

    def takes(self, *texts: str) -> bool:
        self._left -= sum(map(octets_in_answer, texts)) + 50
        return self._left >= 0


def _within(text: str | None, octets: int, bodies: _Bodies) -> str | None:
    """A text that has at most so many octets in an answer."""
    if text is None or len(text) * _MOST_OCTETS_OF_A_CHARACTER <= octets:
        return text
    left = octets
    for at in range(0, len(text), _PIECE):
        left -= octets_in_answer(text[at : at + _PIECE])
        if left < 0:
            bodies.problems[TRUNCATED] = None
            return text[:at]
    return text


def _people(root: Part, name: str, room: _Room) -> Iterable[Mailbox]:
    values = [found.value for found in root.fields if found.name.lower() == name]
    for mailbox in (mailbox for value in values[:5] for mailbox in read_mailboxes(value)):
        if not room.takes(mailbox.name, mailbox.address):
            return
        yield mailbox


def _headers(fields: tuple[HeaderField, ...], room: _Room) -> Iterable[tuple[str, str]]:
    for found in fields:
        value = read_text(found.value, LONGEST_HEADER)
        if not room.takes(found.name, value):
            return
        yield found.name, value


def _listed(bodies: _Bodies) -> Iterable[Enclosed]:
    room = _Room(LONGEST_ATTACHMENT_LIST)
    for part in bodies.attached:
        name = _name(part, bodies.content)
        if not room.takes(name, part.content_type, part.id, "0" * 100):
            bodies.problems[TOO_MANY_PARTS] = None
            return
        yield Enclosed(part.id, name, part.content_type, _size(part, bodies), content_id=part.content_id)


def _size(part: Part, bodies: _Bodies) -> int | None:
    if bodies.is_cut(part):
        return None
    return len(part.octets(bodies.content)) if part.encoding else part.end - part.start


def _name(part: Part, content: bytes) -> str:
    if not part.filename and part.content_type in {"message/rfc822", "message/global"}:
        head = part.octets(content, 64 * 1024)
        fields, _, _ = read_fields(head, 0, len(head), most=200, longest=len(head))
        return message_file_name(read_text(value_of(fields, "subject"), 200), f"message-{part.id}")
    return file_name(part.filename, part.content_type, f"attachment-{part.id}")
