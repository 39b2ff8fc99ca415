"""From a draft to a message: what recipients read is what was typed, and nothing else gets into the header."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popfetch.domain.composition import ComposedMessage, compose, compose_notice
from popfetch.domain.draft import Attachment, Correspondent, Draft, Thread
from popfetch.domain.notice import Mail

ANNA = Correspondent("anna", "example.com", "Anna Müller")
BERT = Correspondent("bert", "example.org")
AT = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
MESSAGE_ID = "<abc@example.com>"

HEADERS = {"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"}


def a_draft(**changes: Any) -> Draft:
    defaults: dict[str, Any] = {"to": (BERT,), "subject": "Hello", "text": "Hello, Bert."}
    return Draft(**{**defaults, **changes})


def composed(draft: Draft, sender: Correspondent = ANNA, reply_to: Correspondent | None = None) -> ComposedMessage:
    return compose(draft, sender, reply_to=reply_to, message_id=MESSAGE_ID, at=AT)


def read(message: ComposedMessage) -> EmailMessage:
    parsed = message_from_bytes(message.content, policy=default)
    assert isinstance(parsed, EmailMessage)
    return parsed


class TestHeader:
    def test_says_who_writes_to_whom_and_when(self) -> None:
        message = read(composed(a_draft(cc=(Correspondent("carl", "example.net", "Carl"),))))
        assert str(message["From"]) == "Anna Müller <anna@example.com>"
        assert str(message["To"]) == "bert@example.org"
        assert str(message["Cc"]) == "Carl <carl@example.net>"
        assert message["Subject"] == "Hello"
        assert message["Date"].datetime == AT
        assert message["Message-ID"] == MESSAGE_ID

    def test_has_a_reply_to_only_where_there_is_one(self) -> None:
        assert read(composed(a_draft()))["Reply-To"] is None
        elsewhere = Correspondent("post", "example.net")
        assert str(read(composed(a_draft(), reply_to=elsewhere))["Reply-To"]) == "post@example.net"

    def test_never_names_a_blind_copy(self) -> None:
        message = composed(a_draft(bcc=(Correspondent("secret", "example.net", "Secret"),)))
        assert b"secret" not in message.content.lower()
        assert b"bcc" not in message.content.lower()
        assert message.envelope.recipients == ("bert@example.org", "secret@example.net")

    def test_names_nobody_where_all_are_blind_copies(self) -> None:
        message = composed(a_draft(to=(), bcc=(BERT,)))
        assert b"To: undisclosed-recipients:;\r\n" in message.content
        assert b"bert" not in message.content.split(b"\r\n\r\n")[0]

    def test_names_only_copies_where_nobody_else_is_addressed(self) -> None:
        message = read(composed(a_draft(to=(), cc=(BERT,))))
        assert message["To"] is None
        assert str(message["Cc"]) == "bert@example.org"

    def test_puts_an_answer_into_its_thread(self) -> None:
        long = f"<{'A' * 90}@AM0PR04MB1234.eurprd04.prod.outlook.com>"
        thread = Thread(long, ("<first@example.org>", long))
        message = composed(a_draft(thread=thread))
        # whole, on a line each: a Message-ID that is encoded or cut ties nothing together
        assert f"In-Reply-To: {long}\r\n".encode() in message.content
        assert f"References: <first@example.org>\r\n {long}\r\n".encode() in message.content

    @pytest.mark.parametrize("what", ["subject", "sender", "recipient", "filename"])
    def test_takes_what_looks_encoded_as_it_stands(self, what: str) -> None:
        tricky = "=?utf-8?q?a=0D=0ABcc:_x@example.net?="
        file = Attachment(tricky if what == "filename" else "a.txt", "text/plain", b"x")
        draft = a_draft(
            subject=tricky if what == "subject" else "Hello",
            to=(Correspondent("bert", "example.org", tricky if what == "recipient" else ""),),
            attachments=(file,),
        )
        message = composed(draft, Correspondent("anna", "example.com", tricky if what == "sender" else ""))
        (part,) = read(message).iter_attachments()
        shown = [read(message)["Subject"], read(message)["From"], read(message)["To"], part.get_filename()]
        assert tricky in {str(value).replace("\u200b", "").split(" <")[0].strip('"') for value in shown}
        assert read(message)["Bcc"] is None

    @pytest.mark.parametrize(
        "draft",
        [
            a_draft(subject="a\r\nBcc: x@example.net"),
            a_draft(subject="a\nBcc: x@example.net"),
            a_draft(to=(Correspondent("bert", "example.org", "a\r\nBcc: x@example.net"),)),
            a_draft(to=(Correspondent("bert\r\nBcc: x", "example.org"),)),
            a_draft(to=(Correspondent("bert", "example.org\r\nBcc: x@example.net"),)),
            a_draft(thread=Thread("<a@b>\r\nBcc: x@example.net", ("<a@b>",))),
        ],
    )
    def test_is_not_written_with_a_line_break_that_got_this_far(self, draft: Draft) -> None:
        try:
            message = composed(draft)
        except ValueError:
            return
        assert b"\r\nBcc" not in message.content
        assert read(message)["Bcc"] is None


class TestWords:
    TYPED = st.text(
        st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="\u200b"), max_size=120
    ).map(lambda text: " ".join(text.split()))

    @given(subject=TYPED, name=TYPED, own_name=TYPED)
    def test_arrive_as_they_were_typed(self, subject: str, name: str, own_name: str) -> None:
        draft = a_draft(subject=subject, to=(Correspondent("bert", "example.org", name),))
        message = composed(draft, Correspondent("anna", "example.com", own_name))
        parsed = read(message)
        assert set(parsed.keys()) == HEADERS
        assert message.content.isascii()
        assert squeezed(parsed["Subject"]) == squeezed(subject)
        assert squeezed(parsed["To"].addresses[0].display_name) == squeezed(name)
        assert squeezed(parsed["From"].addresses[0].display_name) == squeezed(own_name)
        assert parsed["To"].addresses[0].addr_spec == "bert@example.org"

    @given(filename=TYPED.filter(bool), content=st.binary(max_size=300))
    def test_and_files_arrive_as_they_are(self, filename: str, content: bytes) -> None:
        message = composed(a_draft(attachments=(Attachment(filename, "application/pdf", content),)))
        (part,) = read(message).iter_attachments()
        assert isinstance(part, EmailMessage)
        assert squeezed(part.get_filename() or "") == squeezed(filename)
        assert part.get_payload(decode=True) == content
        assert part.get_content_disposition() == "attachment"

    @given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=500))
    def test_of_the_body_arrive_line_by_line(self, text: str) -> None:
        message = composed(a_draft(text=text))
        assert message.content.isascii()
        assert max(map(len, message.content.split(b"\r\n"))) <= 998
        assert message.content.replace(b"\r\n", b"").count(b"\n") == 0
        arrived = read(message).get_content().replace("\r\n", "\n")
        assert arrived == (text if text.endswith("\n") else f"{text}\n")


def squeezed(text: str) -> str:
    """The text without what folding may add or take: blanks, and the mark behind an equals sign."""
    return "".join(str(text).replace("\u200b", "").split())


class TestBodies:
    def test_come_as_text_alone(self) -> None:
        assert read(composed(a_draft())).get_content_type() == "text/plain"

    def test_come_as_html_alone(self) -> None:
        assert read(composed(a_draft(text="", html="<p>Hello</p>"))).get_content_type() == "text/html"

    def test_come_as_both_for_the_reader_to_choose(self) -> None:
        message = read(composed(a_draft(html="<p>Chào Bert</p>")))
        assert message.get_content_type() == "multipart/alternative"
        assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]

    def test_may_be_empty(self) -> None:
        assert read(composed(a_draft(text="", subject=""))).get_content().strip() == ""

    def test_show_an_image_that_came_along(self) -> None:
        image = Attachment("logo.png", "image/png", b"\x89PNG", "logo1")
        message = read(composed(a_draft(html='<img src="cid:logo1">', attachments=(image,))))
        (related,) = [part for part in message.walk() if part.get_content_type() == "multipart/related"]
        shown = list(related.iter_parts())[1]
        assert (shown["Content-ID"], shown.get_content_disposition()) == ("<logo1>", "inline")
        assert shown.get_payload(decode=True) == b"\x89PNG"

    def test_have_an_image_beside_them_where_no_html_could_show_it(self) -> None:
        image = Attachment("logo.png", "image/png", b"\x89PNG", "logo1")
        (part,) = read(composed(a_draft(attachments=(image,)))).iter_attachments()
        assert part.get_content_disposition() == "attachment"

    def test_keep_the_charset_of_a_text_file(self) -> None:
        file = Attachment("a.txt", "text/plain; charset=iso-8859-1", "é\r\n".encode("latin-1"))
        (part,) = read(composed(a_draft(attachments=(file,)))).iter_attachments()
        assert part.get_content_charset() == "iso-8859-1"
        assert part.get_payload(decode=True) == b"\xe9\r\n"

    @pytest.mark.parametrize("kind", ["message/rfc822", "multipart/mixed"])
    def test_keep_every_octet_of_a_message_within(self, kind: str) -> None:
        inner = b"Subject: x\nFrom: a\n\n.\nhello \n"
        (part,) = read(composed(a_draft(attachments=(Attachment("a.eml", kind, inner),)))).iter_attachments()
        assert part.get_payload(decode=True) == inner
        assert part.get_content_type() == "application/octet-stream"

    @pytest.mark.parametrize(
        "inner",
        [
            b"Subject: x\r\nFrom: a\r\n\r\n.\r\nhello \r\nFrom here on\r\n",
            b"Subject: no end of line\r\n\r\nhello",
            b"\r\n\r\n\r\n",
            b"no header at all",
            b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nnever ended\r\n',
            b"Subject:  folded\r\n   strangely \r\n\r\nx\r\n",
        ],
    )
    @pytest.mark.parametrize("html", ["", "<p>x</p>"])
    def test_hold_a_message_as_what_it_is_where_it_needs_no_encoding(self, inner: bytes, html: str) -> None:
        files = (Attachment("Cuộc họp.eml", "Message/RFC822; x=y", inner), Attachment("b.bin", "a/b", b"\xff"))
        message = composed(a_draft(html=html, attachments=files))
        assert message.content.isascii()
        part, other = read(message).iter_attachments()
        assert (part.get_content_type(), part.get_filename()) == ("message/rfc822", "Cuộc họp.eml")
        assert part.get_content_disposition() == "attachment"
        assert b"\r\n\r\n" + inner + b"\r\n--" in message.content
        assert other.get_payload(decode=True) == b"\xff"

    @pytest.mark.parametrize("inner", [b"\xc3\xa9", b"a\nb", b"a\rb", b"\0", b"x" * 999, b"a\r\n" + b"x" * 999])
    def test_hold_one_that_would_have_to_be_encoded_as_a_file(self, inner: bytes) -> None:
        (part,) = read(
            composed(a_draft(attachments=(Attachment("a.eml", "message/rfc822", inner),)))
        ).iter_attachments()
        assert part.get_content_type() == "application/octet-stream"
        assert part.get_payload(decode=True) == inner

    @given(st.text("ab:\r\n -=", max_size=200).map(str.encode))
    def test_never_change_an_octet_of_a_message_within(self, inner: bytes) -> None:
        message = composed(a_draft(attachments=(Attachment("a.eml", "message/rfc822", inner),)))
        (part,) = read(message).iter_attachments()
        if part.get_content_type() == "message/rfc822":
            assert b"\r\n\r\n" + inner + b"\r\n--" in message.content
        else:
            assert part.get_payload(decode=True) == inner


class TestEnvelope:
    def test_has_the_size_of_the_message(self) -> None:
        message = composed(a_draft())
        assert message.envelope.octets == len(message.content)
        assert message.envelope.sender == "anna@example.com"

    def test_needs_no_utf8_for_a_domain_of_another_alphabet(self) -> None:
        message = composed(a_draft(to=(Correspondent.of("bert@bücher.example"),)))
        assert not message.envelope.needs_utf8
        assert message.envelope.recipients == ("bert@xn--bcher-kva.example",)
        assert message.content.isascii()

    def test_needs_utf8_for_letters_before_the_at(self) -> None:
        message = composed(a_draft(to=(Correspondent.of("đặng@example.org"),)))
        assert message.envelope.needs_utf8
        assert "To: đặng@example.org\r\n".encode() in message.content

    def test_needs_utf8_for_a_blind_copy_that_the_header_does_not_name(self) -> None:
        message = composed(a_draft(bcc=(Correspondent.of("đặng@example.org"),)))
        assert message.envelope.needs_utf8
        assert message.content.isascii()


class TestNotices:
    MAIL = Mail("Chào", "Xin chào\n", "<p>Xin chào</p>", "vi")

    def test_are_marked_as_automatic(self) -> None:
        message = read(compose_notice(self.MAIL, ANNA, BERT, message_id=MESSAGE_ID, at=AT))
        assert message["Auto-Submitted"] == "auto-generated"
        assert message["Content-Language"] == "vi"
        assert (message["Message-ID"], message["Date"].datetime) == (MESSAGE_ID, AT)

    def test_leave_out_what_their_service_fills_in(self) -> None:
        message = read(compose_notice(self.MAIL, ANNA, BERT))
        assert (message["Message-ID"], message["Date"]) == (None, None)
