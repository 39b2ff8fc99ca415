"""From a draft to a message as it goes onto the wire (RFC 5322, 2045 to 2047, 2231, 6532).

The standard library writes every header: it encodes and folds, and refuses what would break out of its line. What is
written is ASCII, whatever was typed, so that every server and every relay takes it; only an address with other letters
before its @ makes a message of UTF-8, which then needs servers that speak SMTPUTF8. A blind copy is a matter of the
envelope: no header ever names it.
"""

import re
from base64 import b32encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address, Group, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import EmailPolicy, Policy

from popfetch.domain.account import Account
from popfetch.domain.draft import Attachment, Correspondent, Draft, Envelope
from popfetch.domain.notice import Mail


class _MessageIds(UnstructuredHeader):
    """A row of Message-IDs: folded between them, never within, where the library would encode a long one."""

    def fold(self, *, policy: Policy) -> str:
        name: str = self.name  # type: ignore[attr-defined] # of the class that the registry makes of this one
        return f"{name}: {f'{policy.linesep} '.join(str(self).split())}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("in-reply-to", _MessageIds)  # type: ignore[arg-type]
_HEADERS.map_to_type("references", _MessageIds)  # type: ignore[arg-type]
_ASCII = EmailPolicy(linesep="\r\n", cte_type="7bit", header_factory=_HEADERS)
_UTF8 = EmailPolicy(linesep="\r\n", cte_type="7bit", header_factory=_HEADERS, utf8=True)

MESSAGE = "message/rfc822"
"""The content type of a message."""

_NOBODY_NAMED = Group("undisclosed-recipients")
_LIKE_AN_ENCODED_WORD = re.compile(r"=(?=\?[^?\s]+\?[bq]\?)", re.IGNORECASE)
_PAUSE = "\u200b"

_OPAQUE = ("application", "octet-stream")
"""What a file of a type is sent as that may not be encoded (RFC 2045, section 6.4), and whose octets would change."""

_LONGEST_LINE = 998
"""Octets of a line without its CRLF (RFC 5322, section 2.1.1)."""


@dataclass(frozen=True, slots=True)
class ComposedMessage:
    """A message with its envelope; every line of ``content`` ends with CRLF."""

    envelope: Envelope
    content: bytes


def compose(
    draft: Draft, sender: Correspondent, *, reply_to: Correspondent | None, message_id: str, at: datetime
) -> ComposedMessage:
    """The message that a draft becomes, with the envelope of all its recipients, blind copies among them.

    ``message_id`` comes with its angle brackets; ``at`` is the instant of the Date header.
    """
    named = (sender, *draft.to, *draft.cc, *([reply_to] if reply_to else []))
    needs_utf8 = any(someone.needs_utf8 for someone in (*named, *draft.bcc))
    message = EmailMessage(policy=_UTF8 if any(someone.needs_utf8 for someone in named) else _ASCII)
    message["From"] = _address(sender)
    if draft.to or not draft.cc:
        message["To"] = [_address(someone) for someone in draft.to] or _NOBODY_NAMED
    if draft.cc:
        message["Cc"] = [_address(someone) for someone in draft.cc]
    if reply_to is not None:
        message["Reply-To"] = _address(reply_to)
    message["Subject"] = literal(draft.subject)
    message["Date"] = at
    message["Message-ID"] = message_id
    if draft.thread is not None:
        message["In-Reply-To"] = draft.thread.in_reply_to
        message["References"] = " ".join(draft.thread.references or (draft.thread.in_reply_to,))
    _add_bodies(message, draft)
    content = message.as_bytes()
    recipients = tuple(someone.address for someone in (*draft.to, *draft.cc, *draft.bcc))
    return ComposedMessage(Envelope(sender.address, recipients, len(content), needs_utf8), content)


def compose_notice(
    mail: Mail, sender: Correspondent, recipient: Correspondent, *, message_id: str = "", at: datetime | None = None
) -> ComposedMessage:
    """The message of a mail that popfetch writes itself; whoever hands it in fills in what is left out."""
    message = EmailMessage(policy=_UTF8 if sender.needs_utf8 or recipient.needs_utf8 else _ASCII)
    message["From"] = _address(sender)
    message["To"] = _address(recipient)
    message["Subject"] = literal(mail.subject)
    if at is not None:
        message["Date"] = at
    if message_id:
        message["Message-ID"] = message_id
    # RFC 3834: no holiday note or ticket system answers, and none is answered
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    message["Content-Language"] = mail.language
    content = message.as_bytes()
    needs_utf8 = sender.needs_utf8 or recipient.needs_utf8
    return ComposedMessage(Envelope(sender.address, (recipient.address,), len(content), needs_utf8), content)


def sender_of(account: Account) -> Correspondent:
    """Who an account writes as: its name and its address, which alone is enough where it is the name as well."""
    return Correspondent.of(account.email, "" if account.name == account.email else account.name)


def message_id_for(sender: Correspondent, unique: bytes) -> str:
    """A Message-ID of the sender's domain (RFC 5322, section 3.6.4), with ``unique`` (20 octets) before the @."""
    return f"<{b32encode(unique).decode('ascii').lower()}@{sender.domain}>"


def literal(text: str) -> str:
    """Text that stays what it is in a header: what looks like an encoded word would be decoded on its way in.

    Decoded it may hold line breaks and anything else that was kept out of the text itself.
    """
    return _LIKE_AN_ENCODED_WORD.sub(f"={_PAUSE}", text)


def _address(someone: Correspondent) -> Address:
    return Address(literal(someone.name), someone.local_part, someone.domain)


def _add_bodies(message: EmailMessage, draft: Draft) -> None:
    shown = [attachment for attachment in draft.attachments if draft.html and attachment.content_id]
    beside = [attachment for attachment in draft.attachments if attachment not in shown]
    if draft.text or not draft.html:
        message.set_content(draft.text)
        if draft.html:
            message.add_alternative(draft.html, subtype="html")
    else:
        message.set_content(draft.html, subtype="html")
    html = message.get_body(("html",))
    for image in shown:
        maintype, subtype, params = _kind(image)
        assert isinstance(html, EmailMessage)
        html.add_related(
            image.content,
            maintype,
            subtype,
            params=params,
            cid=f"<{image.content_id}>",
            disposition="inline",
            filename=literal(image.filename),
        )
    for attachment in beside:
        if _is_message(attachment) and is_seven_bit(attachment.content):
            _add_message(message, attachment)
            continue
        maintype, subtype, params = _kind(attachment)
        message.add_attachment(
            attachment.content, maintype, subtype, params=params, filename=literal(attachment.filename)
        )


def _add_message(message: EmailMessage, attachment: Attachment) -> None:
    """Add a message as what it is, unread: the library would parse it, and write something else."""
    part = EmailMessage(policy=message.policy)
    part["Content-Type"] = MESSAGE
    part["Content-Disposition"] = "attachment"
    part.set_param("filename", literal(attachment.filename), header="Content-Disposition")
    part.set_payload(attachment.content.decode("ascii"))
    if message.get_content_type() != "multipart/mixed":
        message.make_mixed()
    message.attach(part)


def is_seven_bit(content: bytes) -> bool:
    """Whether something can go as it is, with no encoding (RFC 2045, section 2.7): ASCII in lines that end in CRLF."""
    lines = content.split(b"\r\n")
    return (
        content.isascii()
        and b"\0" not in content
        and content.count(b"\r") == content.count(b"\n") == len(lines) - 1
        and max(map(len, lines)) <= _LONGEST_LINE
    )


def _is_message(attachment: Attachment) -> bool:
    return attachment.content_type.partition(";")[0].strip().lower() == MESSAGE


def _kind(attachment: Attachment) -> tuple[str, str, dict[str, str]]:
    """Main type, subtype and parameters of a file."""
    kind, *parameters = attachment.content_type.split(";")
    maintype, _, subtype = kind.strip().lower().partition("/")
    if maintype in {"message", "multipart"}:
        return (*_OPAQUE, {})
    return maintype, subtype, dict(_pairs(parameters))


def _pairs(parameters: Iterable[str]) -> Iterable[tuple[str, str]]:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        yield name.strip().lower(), value.strip().strip('"')
