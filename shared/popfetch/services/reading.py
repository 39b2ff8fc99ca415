"""Reading mail: the list of it, a message, and the files that it is and that it has.

A message is read anew each time from its octets, and nothing of that is kept. What its sender has written as HTML goes
to nobody before it was made harmless; what cannot be made so is shown as text.
"""

import html
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import unquote

from popfetch.domain.errors import AttachmentNotFound, HtmlUnreadable, MessageNotFound
from popfetch.domain.file_names import message_file_name
from popfetch.domain.marks import with_few_marks
from popfetch.domain.message import StoredMessage
from popfetch.domain.message_identity import is_message_id
from popfetch.domain.message_list import Wanted
from popfetch.domain.message_reading import (
    LONGEST_READ,
    AttachedFile,
    OpenedMessage,
    attachment_of,
    is_attachment_id,
    octets_in_answer,
    open_message,
    with_inline,
)
from popfetch.domain.mime_parts import HTML_UNREADABLE, TRUNCATED
from popfetch.ports.accounts import AccountStore
from popfetch.ports.invocation import Clock, Journal
from popfetch.ports.stored_mail import (
    CleanHtml,
    ExtractedFiles,
    FileLink,
    HtmlSanitiser,
    MessageIndex,
    MessagePage,
    StoredMail,
)

LONGEST_SHOWN_HTML = 3_400_000
"""Octets of the HTML in an answer, its images among them; a function's answer has 6 MB at the most."""

LONGEST_IMAGES = 1_800_000
"""Octets of all images that a message shows within its HTML; as text they are a third more."""

MOST_IMAGES = 200

_NAMED_IMAGES = re.compile(r"""cid:([^"'\s<>)]{1,500})""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """A message as its owner reads it; ``opened`` has the sender's HTML, ``html`` what is left of it to be shown."""

    stored: StoredMessage
    opened: OpenedMessage
    html: str | None
    remote_images: int


@dataclass(frozen=True, slots=True)
class Reading:
    """The verbs that read. No call reaches another owner's account or its messages: they are not found."""

    accounts: AccountStore
    index: MessageIndex
    mail: StoredMail
    extracted: ExtractedFiles
    sanitiser: HtmlSanitiser
    journal: Journal
    clock: Clock

    def list_all(self, owner_id: str, wanted: Wanted, *, limit: int, cursor: str | None) -> MessagePage:
        """One page of all of an owner's messages. Raises InvalidCursor."""
        account_ids = [record.account.account_id for record in self.accounts.of_owner(owner_id)]
        return self.index.page(account_ids, wanted, limit=limit, cursor=cursor)

    def list_of(self, owner_id: str, account_id: str, wanted: Wanted, *, limit: int, cursor: str | None) -> MessagePage:
        """One page of an account's messages. Raises AccountNotFound and InvalidCursor."""
        account = self.accounts.get(owner_id, account_id).account
        return self.index.page([account.account_id], wanted, limit=limit, cursor=cursor)

    def read(self, owner_id: str, account_id: str, message_id: str, *, remote_images: bool = False) -> ReadMessage:
        """A message, with whatever can be read of it. Raises AccountNotFound and MessageNotFound."""
        stored = self._stored(owner_id, account_id, message_id)
        opened = open_message(self._content(stored), whole=stored.octets <= LONGEST_READ)
        if opened.html is None:
            return ReadMessage(stored, opened, None, 0)
        try:
            clean = self._clean(opened.html, _images(opened), remote_images)
        except HtmlUnreadable as error:
            self.journal.warning("the HTML of a message is not shown", message_id=message_id, reason=error.message)
            text = opened.text if opened.text is not None else self.sanitiser.text(opened.html)
            problems = (*opened.problems, HTML_UNREADABLE)
            return ReadMessage(stored, replace(opened, text=text, problems=problems), None, 0)
        attachments = with_inline(opened.attachments, clean.shown)
        problems = opened.problems if clean.whole else tuple(dict.fromkeys((*opened.problems, TRUNCATED)))
        opened = replace(opened, attachments=attachments, problems=problems)
        # Once more, as HTML can name a mark where it does not write it.
        return ReadMessage(stored, opened, with_few_marks(clean.html), clean.remote_images)

    def _clean(self, document: str, images: Mapping[str, str], remote_images: bool) -> CleanHtml:
        """The HTML made harmless, and no longer than an answer may be. Raises HtmlUnreadable."""
        clean = self.sanitiser.clean(document, images, remote_images=remote_images)
        octets = octets_in_answer(clean.html)
        if octets <= LONGEST_SHOWN_HTML:
            return clean
        # What grows by being made harmless is a few signs over and over; without the images, so much of it fits.
        part = document[: len(document) * LONGEST_SHOWN_HTML // (2 * octets)]
        clean = self.sanitiser.clean(part, {}, remote_images=remote_images)
        if octets_in_answer(clean.html) > LONGEST_SHOWN_HTML:
            raise HtmlUnreadable("it grows too large.")
        return replace(clean, whole=False)

    def raw(self, owner_id: str, account_id: str, message_id: str) -> FileLink:
        """Where a message can be had, byte for byte. Raises AccountNotFound and MessageNotFound."""
        stored = self._stored(owner_id, account_id, message_id)
        return self.mail.link(stored.key, message_file_name(stored.subject, message_id), self.clock())

    def attachment(self, owner_id: str, account_id: str, message_id: str, attachment_id: str) -> FileLink:
        """Where something attached to a message can be had, out of its encoding.

        Raises AccountNotFound, MessageNotFound, AttachmentNotFound and AttachmentBeyondReach.
        """
        stored = self._stored(owner_id, account_id, message_id)
        file = self._attached(stored, attachment_id)
        return self.extracted.link(stored, attachment_id, file, self.clock())

    def _attached(self, stored: StoredMessage, attachment_id: str) -> AttachedFile:
        if not is_attachment_id(attachment_id):
            raise AttachmentNotFound
        file = attachment_of(self._content(stored), attachment_id, whole=stored.octets <= LONGEST_READ)
        if file is None:
            raise AttachmentNotFound
        return file

    def _stored(self, owner_id: str, account_id: str, message_id: str) -> StoredMessage:
        account = self.accounts.get(owner_id, account_id).account
        stored = self.index.get(account.account_id, message_id) if is_message_id(message_id) else None
        if stored is None or stored.owner_id != owner_id:
            raise MessageNotFound
        return stored

    def _content(self, stored: StoredMessage) -> bytes:
        content = self.mail.read(stored.key, LONGEST_READ)
        if content is None:
            raise MessageNotFound
        return content


def _images(opened: OpenedMessage) -> dict[str, str]:
    """The images that the HTML shows of the message's own, by Content-ID, as ``data:`` addresses."""
    document = html.unescape(opened.html or "")
    images: dict[str, str] = {}
    tried: set[str] = set()
    left = LONGEST_IMAGES
    for name in dict.fromkeys(_NAMED_IMAGES.findall(document)):
        content_id = name if opened.holds(name) else unquote(name)
        # A name has many spellings, and each part is looked at once.
        if content_id in tried or not opened.holds(content_id):
            continue
        if len(tried) == MOST_IMAGES:
            break
        tried.add(content_id)
        if image := opened.image(content_id, left):
            kind, octets = image
            images[content_id] = f"data:{kind};base64,{b64encode(octets).decode()}"
            left -= len(octets)
    return images
