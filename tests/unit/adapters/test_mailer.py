"""Mail by SES: what arrives is what was written, and each failure is told apart without naming anybody."""

import email
from email.message import EmailMessage
from email.policy import default
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import Stubber
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from popfetch.adapters.mailer import SesMailer
from popfetch.domain.errors import MailRefused, MailUnavailable
from popfetch.domain.notice import Mail
from popfetch.notices.languages import mail_about, mail_asking
from tests.builders.accounts import an_account
from tests.builders.aws import REGION, Aws
from tests.builders.notices import a_question, a_stop

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

SENDER = "popfetch@example.com"
OWNER_ADDRESS = "owner@example.org"


def a_mail(**changes: Any) -> Mail:
    return Mail(**{"subject": "Hello", "text": "Hello\n", "html": "<p>Hello</p>\n", "language": "en", **changes})


@pytest.fixture
def ses(aws: Aws) -> "SESV2Client":
    boto3.client("ses").verify_email_identity(EmailAddress=SENDER)
    return boto3.client("sesv2")


def sent() -> list[EmailMessage]:
    messages = ses_backends[DEFAULT_ACCOUNT_ID][REGION].sent_messages
    return [email.message_from_string(message.raw_data, policy=default) for message in messages]


def test_a_mail_arrives_in_both_forms_with_the_headers_of_an_automatic_one(ses: "SESV2Client") -> None:
    mail = mail_about(a_stop(), an_account(1, name="Công việc 💌"))
    assert SesMailer(ses, SENDER).send(OWNER_ADDRESS, mail)
    (message,) = sent()
    assert message["From"] == "popfetch <popfetch@example.com>"
    assert message["To"] == OWNER_ADDRESS
    assert message["Subject"] == mail.subject
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "en"
    assert message.get_content_type() == "multipart/alternative"
    text, html = message.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert text.get_content().replace("\r\n", "\n") == mail.text
    assert html.get_content().replace("\r\n", "\n") == mail.html


def test_a_mail_in_vietnamese_arrives_as_it_was_written_and_its_link_in_one_piece(ses: "SESV2Client") -> None:
    question = a_question(link=f"https://example.com/{'Zk9-x_=.' * 20}?a=1&b==2")
    mail = mail_asking(question, "vi-VN")
    SesMailer(ses, SENDER).send(OWNER_ADDRESS, mail)
    (message,) = sent()
    assert (message["Subject"], message["Content-Language"]) == (mail.subject, "vi")
    text, html = message.iter_parts()
    assert question.link in text.get_content().splitlines()
    assert html.get_content().replace("\r\n", "\n") == mail.html


@pytest.mark.parametrize("name", ["x", "x" * 100, "💌" * 100, "ש" * 100, "é " * 50])
def test_what_goes_over_the_wire_is_ascii_in_lines_that_every_server_takes(ses: "SESV2Client", name: str) -> None:
    mail = mail_about(a_stop(message="x" * 300), an_account(1, name=name.strip()))
    SesMailer(ses, SENDER).send(OWNER_ADDRESS, mail)
    (message,) = sent()
    assert message["Subject"] == mail.subject
    raw = ses_backends[DEFAULT_ACCOUNT_ID][REGION].sent_messages[-1].raw_data
    assert raw.isascii()
    assert all(len(line) <= 78 or not line.startswith(("Subject", " ")) for line in raw.splitlines())
    assert max(len(line) for line in raw.splitlines()) <= 998


def test_a_name_that_looks_encoded_is_not_decoded(ses: "SESV2Client") -> None:
    SesMailer(ses, SENDER).send(OWNER_ADDRESS, a_mail(subject="=?utf-8?q?a=E2=80=AEb=0D=0ABcc=3A_x?="))
    (message,) = sent()
    assert message["Subject"].replace("\u200b", "") == "=?utf-8?q?a=E2=80=AEb=0D=0ABcc=3A_x?="
    assert message["Bcc"] is None


def test_a_line_break_that_got_this_far_opens_no_header(ses: "SESV2Client") -> None:
    with pytest.raises(ValueError, match=r"(?i)linefeed"):
        SesMailer(ses, SENDER).send(OWNER_ADDRESS, a_mail(subject="a\r\nBcc: x@example.com"))
    assert sent() == []


def test_a_domain_of_another_alphabet_goes_in_its_encoded_form(ses: "SESV2Client") -> None:
    SesMailer(ses, SENDER).send("anna@bücher.example", a_mail())
    assert sent()[0]["To"] == "anna@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "address", ["änna@example.org", "a\r\nb@example.org", "@example.org", "nobody", "", "a@", "a@[x"]
)
def test_an_address_that_ses_cannot_take_is_refused_without_being_named(ses: "SESV2Client", address: str) -> None:
    with pytest.raises(MailRefused) as refused:
        SesMailer(ses, SENDER).send(address, a_mail())
    assert not address or address not in str(refused.value)
    assert sent() == []


def test_a_sender_that_is_not_verified_is_refused_with_the_remedy(ses: "SESV2Client") -> None:
    with pytest.raises(MailRefused, match="Verify the address in SenderAddress") as refused:
        SesMailer(ses, "other@example.net").send(OWNER_ADDRESS, a_mail())
    assert refused.value.reason == "MessageRejected"


def failing(ses: "SESV2Client", code: str, status: int) -> Stubber:
    stubber = Stubber(ses)
    said = f"The following identities failed the check: {OWNER_ADDRESS}"
    stubber.add_client_error("send_email", code, said, http_status_code=status)
    return stubber


@pytest.mark.parametrize(
    "code",
    [
        "MessageRejected",
        "MailFromDomainNotVerifiedException",
        "AccountSuspendedException",
        "AccessDeniedException",
        "BadRequestException",
        "NotFoundException",
    ],
)
def test_what_does_not_heal_is_refused_and_names_nobody(ses: "SESV2Client", code: str) -> None:
    with failing(ses, code, 400), pytest.raises(MailRefused) as refused:
        SesMailer(ses, SENDER).send(OWNER_ADDRESS, a_mail())
    assert refused.value.reason == code
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("TooManyRequestsException", 429),
        ("LimitExceededException", 400),
        ("SendingPausedException", 400),
        ("InternalServiceErrorException", 500),
        ("Anything", 400),
    ],
)
def test_what_may_pass_is_to_be_tried_again_and_names_nobody(ses: "SESV2Client", code: str, status: int) -> None:
    with failing(ses, code, status), pytest.raises(MailUnavailable, match=code) as unavailable:
        SesMailer(ses, SENDER).send(OWNER_ADDRESS, a_mail())
    assert unavailable.value.retryable
    assert unavailable.value.__context__ is None


def test_a_connection_that_breaks_is_to_be_tried_again() -> None:
    class Silent:
        def send_email(self, **_: object) -> None:
            raise ReadTimeoutError(endpoint_url="https://email.eu-central-1.amazonaws.com")

    with pytest.raises(MailUnavailable, match="ReadTimeoutError"):
        SesMailer(Silent(), SENDER).send(OWNER_ADDRESS, a_mail())  # type: ignore[arg-type]
