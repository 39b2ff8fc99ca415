"""Reading mail as a service: whatever a message is made of, its answer comes soon and fits."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from popfetch.adapters.sanitising_process import HtmlSanitiser
from popfetch.api.message_models import MessageOut
from popfetch.domain.errors import AttachmentBeyondReach, AttachmentNotFound
from popfetch.domain.message_reading import LONGEST_READ, OpenedMessage
from popfetch.services.reading import Reading, ReadMessage
from tests.builders.accounts import NOON, OWNER, an_account, an_account_id
from tests.builders.aws import Aws, aws, empty
from tests.builders.hostile_mail import BOMBS, BROKEN, a_mail, a_part, html_mail, parts
from tests.builders.journals import RecordingJournal
from tests.builders.kept_accounts import KeptAccounts
from tests.builders.stored_messages import PNG, a_message, store

LONGEST_ANSWER = 6 * 1024 * 1024 - 100_000
"""Octets of what a function hands over, its headers left out."""


@pytest.fixture(scope="module")
def stack() -> Iterator[Aws]:
    with aws() as built:
        yield built


@pytest.fixture
def journal() -> RecordingJournal:
    return RecordingJournal()


@pytest.fixture
def reading(stack: Aws, journal: RecordingJournal) -> Iterator[Reading]:
    kept = KeptAccounts(stack)
    kept.table.add(an_account())
    yield replace(kept.reading(journal), sanitiser=HtmlSanitiser(seconds=2))
    empty(stack)


def read(reading: Reading, stack: Aws, content: bytes, *, remote_images: bool = False) -> ReadMessage:
    stored = store(stack, content)
    return reading.read(OWNER, an_account_id(), stored.message_id, remote_images=remote_images)


def handed_over(message: ReadMessage) -> int:
    """Octets of the function's answer: JSON within JSON."""
    body = json.dumps(MessageOut.of(message).model_dump(mode="json", by_alias=True))
    return len(json.dumps({"body": body}))


@pytest.mark.parametrize("name", [name for name in BOMBS if "HTML" in name or "CSS" in name or "image" in name])
def test_what_is_made_to_exhaust_is_answered_soon_and_fits(reading: Reading, stack: Aws, name: str) -> None:
    content = BOMBS[name]()
    stored = store(stack, content)
    began = time.monotonic()
    message = reading.read(OWNER, an_account_id(), stored.message_id)
    assert time.monotonic() - began < 10
    assert handed_over(message) < LONGEST_ANSWER


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_malformed_is_answered(reading: Reading, stack: Aws, name: str) -> None:
    assert handed_over(read(reading, stack, BROKEN[name])) < 10_000_000


@pytest.mark.parametrize("sign", ['"', "<", "\u00a0", "\u1ed9"])
def test_the_largest_answer_fits(reading: Reading, stack: Aws, sign: str) -> None:
    octets = (sign * 3_000_000).encode()[:5_000_000]
    image = a_part(PNG + bytes(1_500_000), b"image/png", b"Content-ID: <a>")
    html = a_part(b'<img src="cid:a"><p title="' + octets[:100] + b'">' + octets, b"text/html; charset=utf-8")
    many = (a_part(b"x", b"application/pdf; name=" + octets[:400]) for _ in range(995))
    whole = parts(a_part(octets, b"text/plain; charset=utf-8"), html, image, *many)
    fields = b"".join(b"To: " + octets[:90] + b"@example.org\r\n" for _ in range(900))
    message = read(reading, stack, fields + whole)
    assert "truncated" in message.opened.problems
    assert handed_over(message) < LONGEST_ANSWER


def test_html_that_exhausts_its_reader_is_shown_as_text(
    reading: Reading, stack: Aws, journal: RecordingJournal
) -> None:
    message = read(reading, stack, html_mail("<p>Hello</p>" + "<div>" * 300_000))
    assert message.html is None
    assert message.opened.text == "Hello"
    assert "html_unreadable" in message.opened.problems
    assert journal.messages == ["the HTML of a message is not shown"]


def test_of_a_message_that_is_larger_than_is_read_the_beginning_is_shown(reading: Reading, stack: Aws) -> None:
    content = parts(a_part(b"Hello"), a_part(b"x" * (LONGEST_READ + 10), b"application/pdf"))
    message = read(reading, stack, content)
    assert (message.opened.text, message.opened.problems) == ("Hello", ("truncated",))
    assert message.stored.octets == len(content)
    with pytest.raises(AttachmentBeyondReach):
        reading.attachment(OWNER, an_account_id(), message.stored.message_id, "2")


def test_an_attachment_is_given_anew_each_time(reading: Reading, stack: Aws) -> None:
    stored = store(stack, a_message())
    first = reading.attachment(OWNER, an_account_id(), stored.message_id, "2")
    assert first.expires_at == NOON + timedelta(minutes=5)
    (found,) = stack.s3.list_objects_v2(Bucket=stack.bucket, Prefix="attachments/")["Contents"]
    stack.s3.delete_object(Bucket=stack.bucket, Key=found["Key"])
    reading.attachment(OWNER, an_account_id(), stored.message_id, "2")
    assert stack.s3.list_objects_v2(Bucket=stack.bucket, Prefix="attachments/")["KeyCount"] == 1
    with pytest.raises(AttachmentNotFound):
        reading.attachment(OWNER, an_account_id(), stored.message_id, "3")


def test_images_that_do_not_fit_are_attachments(reading: Reading, stack: Aws) -> None:
    image = a_part(PNG + bytes(2_000_000), b"image/png; name=large.png", b"Content-ID: <a>")
    html = a_part(b'<img src="cid:a" alt="large">', b"text/html")
    message = read(reading, stack, parts(html, image, kind=b"related"))
    assert message.html == '<img alt="large">'
    assert [(one.filename, one.inline) for one in message.opened.attachments] == [("large.png", False)]


def test_what_only_says_that_it_is_an_image_is_not_shown(reading: Reading, stack: Aws) -> None:
    image = a_part(b"<svg onload=alert(1)>", b"image/png", b"Content-ID: <a>")
    message = read(reading, stack, parts(a_part(b'<img src="cid:a">', b"text/html"), image, kind=b"related"))
    assert message.html == "<img>"


def test_an_address_that_is_written_in_references_is_read(reading: Reading, stack: Aws) -> None:
    image = a_part(PNG, b"image/png", b"Content-ID: <a@b>")
    html = a_part(b'<img src="cid:a&#64;b"><img src="cid:a%40b">', b"text/html")
    message = read(reading, stack, parts(html, image, kind=b"related"))
    assert (message.html or "").count("data:image/png;base64,") == 2


def test_a_part_is_looked_at_once_however_often_it_is_named(
    reading: Reading, stack: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    looked_at: list[str] = []
    look = OpenedMessage.image

    def looking(opened: OpenedMessage, content_id: str, longest: int) -> tuple[str, bytes] | None:
        looked_at.append(content_id)
        return look(opened, content_id, longest)

    monkeypatch.setattr(OpenedMessage, "image", looking)
    image = a_part(PNG + bytes(2_000_000), b"image/png", b"Content-ID: <abc>")
    spellings = [b"abc", b"%61bc", b"a%62c", b"ab%63", b"%61%62c", b"%61%62%63", b"nobody"]
    html = a_part(b"".join(b'<img src="cid:%b">' % one for one in spellings), b"text/html")

    # when
    read(reading, stack, parts(html, image, kind=b"related"))

    # then
    assert looked_at == ["abc"]


def test_a_mail_of_no_html_has_none(reading: Reading, stack: Aws) -> None:
    message = read(reading, stack, a_mail(b"<b>Hello</b>"))
    assert (message.html, message.opened.text) == (None, "<b>Hello</b>")
