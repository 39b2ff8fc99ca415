"""Reading messages: usual ones as other mail programs show them, all others somehow, and none without bounds."""

import json
import time
from binascii import b2a_uu
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from popfetch.domain.errors import AttachmentBeyondReach
from popfetch.domain.header_text import Mailbox
from popfetch.domain.message_reading import (
    LONGEST_HTML,
    LONGEST_TEXT,
    Enclosed,
    OpenedMessage,
    attachment_of,
    image_type,
    is_attachment_id,
    open_message,
    with_inline,
)
from tests.builders.hostile_mail import BOMBS, BROKEN, a_mail, a_part, parts
from tests.builders.stored_messages import PNG, a_message


def attachments(content: bytes) -> list[tuple[str, str, str]]:
    return [(one.id, one.filename, one.content_type) for one in open_message(content).attachments]


class TestAUsualMessage:
    def test_is_its_headers(self) -> None:
        opened = open_message(
            b"From: =?utf-8?Q?B=C3=B6hm=2C_Bert?= <bert@example.org>\r\n"
            b'To: "Anna, A." <anna@example.com>, Team: carl@example.net, dora@example.net;\r\n'
            b"Cc: (boss) eva@example.net\r\nReply-To: <replies@example.org>\r\n"
            b"Subject: =?utf-8?B?Q3Xhu5lj?= =?utf-8?B?IGjhu41w?=\r\n =?utf-8?B?IQ==?=\r\n"
            b"Date: Mon, 23 Nov 2026 19:00:00 +0700\r\nMessage-ID: <1@example.org>\r\n\r\nHello"
        )
        assert opened.subject == "Cuộc họp!"
        assert opened.senders == (Mailbox("Böhm, Bert", "bert@example.org"),)
        assert opened.to == (
            Mailbox("Anna, A.", "anna@example.com"),
            Mailbox("", "carl@example.net"),
            Mailbox("", "dora@example.net"),
        )
        assert opened.cc == (Mailbox("boss", "eva@example.net"),)
        assert opened.reply_to == (Mailbox("", "replies@example.org"),)
        assert opened.dated == datetime(2026, 11, 23, 12, tzinfo=UTC)
        assert opened.message_id == "<1@example.org>"
        assert [name for name, _ in opened.headers] == [
            *("From", "To", "Cc", "Reply-To", "Subject", "Date", "Message-ID"),
        ]
        assert opened.text == "Hello"

    def test_is_text_html_and_what_is_attached(self) -> None:
        opened = open_message(a_message())
        assert opened.text == "Xin chào Anna!\n"
        assert opened.html
        assert "<b>Anna</b>" in opened.html
        assert [(one.id, one.filename, one.octets) for one in opened.attachments] == [
            ("1.2.2", "logo.png", len(PNG)),
            ("2", "Hoá đơn.pdf", 8),
        ]
        assert opened.image("logo@example.org", 1000) == ("image/png", PNG)
        assert opened.image("logo@example.org", 10) is None
        assert opened.image("none", 1000) is None
        assert opened.problems == ()

    @given(st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=200), st.binary(max_size=300))
    def test_is_what_the_standard_library_writes(self, text: str, octets: bytes) -> None:
        message = EmailMessage()
        message["Subject"] = "x"
        message.set_content(text)
        message.add_alternative(f"<p>{text}</p>", subtype="html")
        message.add_attachment(octets, "application", "pdf", filename="a.pdf")
        content = message.as_bytes()
        opened = open_message(content)
        assert (opened.text or "").rstrip("\n").split("\n") == text.rstrip("\n").split("\n")
        file = attachment_of(content, opened.attachments[0].id)
        assert file is not None
        assert (file.filename, file.content_type, file.content) == ("a.pdf", "application/pdf", octets)


class TestWhichPartIsShown:
    def test_of_alternatives_the_last_of_a_kind(self) -> None:
        content = parts(
            a_part(b"first"), a_part(b"<p>1", b"text/html"), a_part(b"<p>2", b"text/html"), kind=b"alternative"
        )
        opened = open_message(content)
        assert (opened.text, opened.html, opened.attachments) == ("first", "<p>2", ())

    def test_of_mixed_ones_all_that_are_text(self) -> None:
        opened = open_message(parts(a_part(b"one"), a_part(b"%PDF", b"application/pdf"), a_part(b"two")))
        assert (opened.text, opened.html) == ("one\ntwo", None)

    def test_of_html_with_a_text_behind_it_both(self) -> None:
        opened = open_message(parts(a_part(b"<p>Hello</p>", b"text/html"), a_part(b"-- <list>")))
        assert opened.text == "-- <list>"
        assert opened.html == '<p>Hello</p>\n<div style="white-space: pre-wrap">-- &lt;list&gt;</div>'

    def test_of_related_ones_the_first_or_the_named(self) -> None:
        inner = (a_part(b"first"), a_part(b"<p>Hello", b"text/html", b"Content-ID: <root>"))
        first = open_message(parts(*inner, kind=b"related"))
        assert (first.text, first.html) == ("first", None)
        named = parts(*inner, kind=b"related").replace(b"boundary=", b'start="<root>"; boundary=')
        assert open_message(named).html == "<p>Hello"

    def test_of_an_invitation_the_text_and_the_rest_is_attached(self) -> None:
        content = parts(a_part(b"Meeting"), a_part(b"BEGIN:VCALENDAR", b"text/calendar"), kind=b"alternative")
        assert open_message(content).text == "Meeting"
        assert attachments(content) == [("2", "attachment-2.ics", "text/calendar")]

    @pytest.mark.parametrize(
        "field", [b"Content-Disposition: attachment", b"Content-Disposition: inline; filename=notes.txt"]
    )
    def test_text_that_is_a_file_is_attached(self, field: bytes) -> None:
        content = parts(a_part(b"Hello"), a_part(b"notes", b"text/plain", field))
        assert open_message(content).text == "Hello"
        assert len(attachments(content)) == 1

    def test_of_alternatives_one_that_has_a_name_too(self) -> None:
        inner = (a_part(b"first", b"text/plain; name=body.txt"), a_part(b"<p>2", b"text/html; name=body.html"))
        opened = open_message(parts(*inner, kind=b"alternative"))
        assert (opened.text, opened.html, opened.attachments) == ("first", "<p>2", ())

    def test_where_there_would_be_none_the_first_text_that_is_a_file(self) -> None:
        file = a_part(b"<p>Hello", b"text/html", b"Content-Disposition: inline; filename=mail.html")
        content = parts(a_part(b"%PDF", b"application/pdf"), file)
        assert open_message(content).html == "<p>Hello"
        assert [name for _, name, _ in attachments(content)] == ["attachment-1.pdf", "mail.html"]

    @pytest.mark.parametrize(
        "content_type",
        [b'text/html charset="utf-8"', b"text/html (page); charset=utf-8", b"Text/HTML;charset=utf-8 ;"],
    )
    def test_of_a_type_that_is_written_carelessly(self, content_type: bytes) -> None:
        opened = open_message(a_mail("<p>Grüße".encode(), content_type=content_type))
        assert (opened.html, opened.problems) == ("<p>Grüße", ())

    @pytest.mark.parametrize("encoding", [b"base64;", b'"base64"', b"BASE64 (all of it)"])
    def test_in_an_encoding_that_is_written_carelessly(self, encoding: bytes) -> None:
        assert open_message(a_mail(b"SGVsbG8=", b"Content-Transfer-Encoding: " + encoding)).text == "Hello"

    def test_a_message_within_is_attached_under_its_subject(self) -> None:
        inner = b"Subject: =?utf-8?q?Cu=E1=BB=99c_h=E1=BB=8Dp=3A_A/B?=\r\n\r\nHello"
        content = parts(a_part(b"see below"), a_part(inner, b"message/rfc822"), a_part(b"\r\nx", b"message/rfc822"))
        assert [name for _, name, _ in attachments(content)] == ["Cuộc họp_ A-B.eml", "message-3.eml"]
        file = attachment_of(content, "2")
        assert file is not None
        assert file.content == inner

    def test_what_html_shows_is_told(self) -> None:
        listed = [Enclosed("1", "a", "image/png", 1, content_id="x"), Enclosed("2", "b", "image/png", 1)]
        assert [one.inline for one in with_inline(listed, ["x", ""])] == [True, False]


class TestPeople:
    @pytest.mark.parametrize(
        ("written", "name"),
        [
            (b"=?UTF-8?Q?Nguy=E1=BB=85n,_V=C4=83n?= <a@b.example>", "Nguyễn, Văn"),
            (b"=?UTF-8?Q?Support:_ACME?= <a@b.example>", "Support: ACME"),
            (b"=?UTF-8?Q?Anna_(Sales);_<x>?= <a@b.example>", "Anna (Sales); <x>"),
            (b'"=?UTF-8?Q?Anna,_B?=" <a@b.example>', "Anna, B"),
            (b"a@b.example (=?UTF-8?Q?Anna_(Sales)?=)", "Anna (Sales)"),
        ],
    )
    def test_keep_names_that_hold_what_divides_names(self, written: bytes, name: str) -> None:
        opened = open_message(b"To: " + written + b", c@d.example\r\n\r\n")
        assert opened.to == (Mailbox(name, "a@b.example"), Mailbox("", "c@d.example"))


class TestDates:
    @pytest.mark.parametrize(
        "written",
        [
            b"Mon, 23 Nov 2026 19:00:00 +07:00",
            b"Mon, 23 Nov 2026 19:00:00 GMT+0700",
            b"Mon, 23 Nov 2026 19:00:00 UTC+7",
            b"Mon, 23 Nov 2026 19:00:00 ICT",
            b"Mon, 23 Nov 2026 19:00 +0700 (GMT+07:00)",
            b"Mon, 23 Nov 2026 19:00:00.250 +0700",
            b"Mon, 23 Nov 2026 07:00:00 EST",
            b"2026-11-23T19:00:00+07:00",
        ],
    )
    def test_are_read_as_programs_write_them(self, written: bytes) -> None:
        assert open_message(b"Date: " + written + b"\r\n\r\n").dated == datetime(2026, 11, 23, 12, tzinfo=UTC)

    def test_of_a_leap_second_are_those_of_the_second_before(self) -> None:
        opened = open_message(b"Date: Sat, 31 Dec 2016 23:59:60 GMT\r\n\r\n")
        assert opened.dated == datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)


class TestFileNames:
    @pytest.mark.parametrize(
        ("written", "name"),
        [
            (b'filename="a b.pdf"', "a b.pdf"),
            (b"filename=a b.pdf", "a b.pdf"),
            (b'filename="=?utf-8?B?SG/DoSDEkcahbi5wZGY=?="', "Hoá đơn.pdf"),
            (b"filename*=utf-8''Ho%C3%A1%20%C4%91%C6%A1n.pdf", "Hoá đơn.pdf"),
            (b"filename*0*=utf-8''Ho%C3%A1; filename*1=\" don\"; filename*2*=.pdf", "Hoá don.pdf"),
            (b"filename=plain.pdf; filename*=utf-8''better.pdf", "better.pdf"),
            (b"filename*=klingon''a%FF.pdf", "aÿ.pdf"),
            (b'filename="../../etc/passwd"', "passwd"),
            (b'filename="C:\\\\Users\\\\x\\\\a.pdf"', "a.pdf"),
            (b'filename="a\\"b.pdf"', "a_b.pdf"),
            ('filename="gpj.\u202eexe"'.encode(), "gpj. exe"),
            (b'filename="a\0\r\n\tb.pdf"', "a b.pdf"),
            (b'filename="<script>.html"', "_script_.html"),
            (b'filename="CON.txt"', "_CON.txt"),
            (b'filename=".."', "attachment-2.pdf"),
            (b'filename=""', "attachment-2.pdf"),
            (b"filename=" + b"a" * 1000 + b".pdf", "a" * 146 + ".pdf"),
            (b'filename="J\xf6rg.pdf"', "Jörg.pdf"),
        ],
    )
    def test_are_names_and_nothing_else(self, written: bytes, name: str) -> None:
        field = b"Content-Disposition: attachment; " + written
        content = parts(a_part(b"Hello"), a_part(b"x", b"application/pdf", field))
        assert attachments(content) == [("2", name, "application/pdf")]

    @given(st.binary(max_size=200))
    def test_are_harmless_whatever_was_written(self, written: bytes) -> None:
        field = b"Content-Disposition: attachment; filename*=utf-8''" + "".join(f"%{b:02x}" for b in written).encode()
        ((_, name, _),) = attachments(parts(a_part(b"Hello"), a_part(b"x", b"application/pdf", field)))[:1]
        assert 0 < len(name) <= 150
        assert name.isprintable() or all(c.isprintable() or c.isspace() for c in name)
        assert not set('/\\:*?"<>|\r\n\0') & set(name)
        assert not name.startswith(".")


class TestCharsets:
    @pytest.mark.parametrize(
        ("charset", "octets", "text"),
        [
            (b"utf-8", "Cuộc họp".encode(), "Cuộc họp"),
            (b"windows-1258", b"Cu\xf4\xf2c", "Cuô\u0323c"),
            (b"iso-8859-1", b"\x93quoted\x94", "“quoted”"),
            (b"gb2312", "会议".encode("gb18030"), "会议"),
            (b"iso-2022-jp", "会議".encode("iso-2022-jp"), "会議"),
            (b"iso-2022-jp", b"\x1b$B-!$3$s-j\x1b(I1\x1b(B.", "①こん㈱ｱ."),
            (b"us-ascii", b"\x1b$B-!$3$s\x1b(B", "①こん"),
            (b"euc-jp", b"\xad\xa1\xa4\xb3\xa4\xf3\x8e\xb1", "①こんｱ"),
            (b"ks_c_5601-1987", "회의".encode("cp949"), "회의"),
            (b"koi8-r", "встреча".encode("koi8-r"), "встреча"),
            (b"us-ascii", "Grüße".encode(), "Grüße"),
            (b'"utf-8"', "Grüße".encode(), "Grüße"),
            (b"UTF8", "Grüße".encode(), "Grüße"),
            (b"utf-16", "Grüße".encode("utf-16"), "Grüße"),
        ],
    )
    def test_are_read(self, charset: bytes, octets: bytes, text: str) -> None:
        opened = open_message(a_mail(octets, content_type=b"text/plain; charset=" + charset))
        assert (opened.text, opened.problems) == (text, ())

    def test_of_html_may_stand_within_it(self) -> None:
        document = b'<meta http-equiv="Content-Type" content="text/html; charset=koi8-r">' + "да".encode("koi8-r")
        assert (open_message(a_mail(document, content_type=b"text/html")).html or "").endswith("да")

    @pytest.mark.parametrize("name", ["unknown charset", "broken UTF-8"])
    def test_that_are_wrong_are_told(self, name: str) -> None:
        assert open_message(BROKEN[name]).problems == ("text_undecodable",)


def in_an_answer(opened: OpenedMessage) -> int:
    people = (opened.senders, opened.to, opened.cc, opened.bcc, opened.reply_to)
    shown = [
        *(opened.text, opened.html, opened.headers, opened.subject, opened.message_id),
        *([(one.name, one.address) for one in some] for some in people),
        [(one.id, one.filename, one.content_type, one.octets) for one in opened.attachments],
    ]
    return len(json.dumps(shown))


def assert_bounded(opened: OpenedMessage) -> None:
    assert in_an_answer(opened) < 5_000_000
    assert len(opened.attachments) <= 1_000
    assert len(json.dumps(opened.text)) <= LONGEST_TEXT + 100
    assert len(json.dumps(opened.html)) <= LONGEST_HTML + 100
    for _, value in opened.headers:
        assert not set(map(chr, range(32))) & set(value)


class TestAnyMessage:
    @settings(max_examples=300)
    @given(st.binary(max_size=600))
    def test_is_read_somehow(self, content: bytes) -> None:
        assert_bounded(open_message(content))

    @settings(max_examples=300)
    @given(
        st.lists(
            st.sampled_from(
                [
                    *(b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b";", b"=", b'"', b"--", b"b", b"\0", b"\xff", b"("),
                    *(b"Content-Type: ", b"multipart/mixed; ", b"multipart/alternative;", b"boundary=b", b"text/html"),
                    *(b"message/rfc822", b"--b\r\n", b"--b--\r\n", b"charset=utf-7", b"=?utf-8?q?", b"?=", b"Subject:"),
                    *(b"Content-Transfer-Encoding: ", b"base64", b"quoted-printable", b"Content-Disposition: "),
                    *(b"attachment", b"; filename*0*=", b"From: ", b"<a@b>", b",", b"Date: ", b"1 Jan 99 +9999"),
                ]
            ),
            max_size=60,
        )
    )
    def test_that_is_nearly_one_is_read_somehow(self, pieces: list[bytes]) -> None:
        content = b"".join(pieces)
        opened = open_message(content)
        assert_bounded(opened)
        for one in opened.attachments:
            file = attachment_of(content, one.id)
            assert file is not None
            assert len(file.content) == one.octets

    @settings(max_examples=60)
    @given(st.data())
    def test_that_was_cut_anywhere_is_read_as_far_as_it_goes(self, data: st.DataObject) -> None:
        whole = a_message()
        opened = open_message(whole[: data.draw(st.integers(0, len(whole)))], whole=False)
        assert "truncated" in opened.problems

    @pytest.mark.parametrize("name", BROKEN)
    def test_that_is_malformed_is_read_somehow(self, name: str) -> None:
        assert_bounded(open_message(BROKEN[name]))

    @pytest.mark.parametrize(
        ("name", "problem"),
        [
            ("no boundary", "structure_unreadable"),
            ("boundary never seen", "structure_unreadable"),
            ("many fields", "too_many_headers"),
            ("huge header", "too_many_headers"),
            ("parts", "too_many_parts"),
            ("nested", "structure_unreadable"),
            ("line breaks", "truncated"),
        ],
    )
    def test_tells_what_is_wrong_with_it(self, name: str, problem: str) -> None:
        content = BROKEN[name] if name in BROKEN else BOMBS[name]()
        assert problem in open_message(content).problems

    @pytest.mark.parametrize("name", BOMBS)
    def test_takes_little_time(self, name: str) -> None:
        content = BOMBS[name]()
        began = time.process_time()
        assert_bounded(open_message(content))
        assert time.process_time() - began < 3

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("no header", "Hello there,\nthis is no header.\n"),
            ("no boundary", "Hello"),
            ("boundary never seen", "Hello"),
            ("boundary never closed", "Hello\n"),
            ("NULs", "Hellothere"),
            ("broken base64", "Hello"),
            ("unknown encoding", "Hello"),
            ("uuencoded", "begin 644 a.txt\n#0V%T\n`\nend\n"),
            ("no blank line", "Hello there, this is no field\n"),
        ],
    )
    def test_has_the_text_that_was_meant(self, name: str, text: str) -> None:
        assert open_message(BROKEN[name]).text == text


class TestAttachments:
    @pytest.mark.parametrize("attachment_id", ["", "0", "x", "1.", ".1", "1..2", "01", "9", "1.1", "..", "1" * 200])
    def test_that_are_none_are_not_there(self, attachment_id: str) -> None:
        assert attachment_of(a_message(), attachment_id) is None

    def test_keep_their_ids(self) -> None:
        content = a_message()
        ids = [one.id for one in open_message(content).attachments]
        assert ids == ["1.2.2", "2"]
        assert all(map(is_attachment_id, ids))

    def test_of_a_message_that_is_one_file_are_that_file(self) -> None:
        content = a_mail(b"JVBERg==", b"Content-Transfer-Encoding: base64", content_type=b"application/pdf; name=a.pdf")
        assert attachments(content) == [("1", "a.pdf", "application/pdf")]
        file = attachment_of(content, "1")
        assert file is not None
        assert file.content == b"%PDF"

    @pytest.mark.parametrize("encoding", [b"x-uuencode", b"uuencode", b"x-uue"])
    def test_may_be_uuencoded(self, encoding: bytes) -> None:
        octets = bytes(range(100))
        lines = [b2a_uu(octets[at : at + 45]) for at in range(0, 100, 45)]
        body = b"begin 644 a.bin\r\n" + b"".join(line[:-1] + b"\r\n" for line in lines) + b"`\r\nend\r\n"
        field = b"Content-Transfer-Encoding: " + encoding
        file = attachment_of(parts(a_part(b"Hello"), a_part(body, b"application/octet-stream", field)), "2")
        assert file is not None
        assert file.content == octets

    def test_that_lie_beyond_what_is_read_are_not_taken_for_whole(self) -> None:
        content = parts(a_part(b"Hello"), a_part(b"%PDF-", b"application/pdf"), a_part(b"PK", b"application/zip"))
        cut = content[: content.index(b"PK") + 1]
        opened = open_message(cut, whole=False)
        assert [(one.id, one.octets) for one in opened.attachments] == [("2", 5), ("3", None)]
        assert attachment_of(cut, "2", whole=False) is not None
        with pytest.raises(AttachmentBeyondReach):
            attachment_of(cut, "3", whole=False)

    def test_are_those_of_the_standard_library(self) -> None:
        content = a_message()
        theirs = [
            part.get_payload(decode=True) for part in message_from_bytes(content, policy=default).iter_attachments()
        ]
        file = attachment_of(content, "2")
        assert file is not None
        assert theirs == [file.content]


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBP", "image/webp"),
        (b"<svg onload=alert(1)>", None),
        (b"", None),
    ],
)
def test_an_image_is_one_by_its_octets(octets: bytes, kind: str | None) -> None:
    assert image_type(octets) == kind
