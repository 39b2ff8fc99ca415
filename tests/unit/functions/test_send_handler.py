"""Sending over the API: what a request may hold, and how each outcome is answered."""

import base64
import io
import json
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from functions.accounts import handler as accounts_function
from functions.send import handler as function
from popfetch.runtime import wiring_send
from popfetch.services.sending import LONGEST_ATTACHMENTS
from popfetch.smtp import errors as smtp
from tests.builders.accounts import OTHER_OWNER, OWNER, SMTP_PASSWORD
from tests.builders.api import Answer, ApiClient, a_body, an_event, lines_of
from tests.builders.aws import Aws
from tests.builders.journals import log_of
from tests.builders.kept_accounts import KeptAccounts
from tests.builders.wiring import forget_wiring

STORED_ID = "01m1emr7v8x4c5dvjr82c9c4dw"

client = ApiClient(function)
accounts = ApiClient(accounts_function)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    monkeypatch.setattr(function.journal.metrics.provider, "namespace", "popfetch")
    return log_of(monkeypatch, function, accounts_function)


@pytest.fixture
def kept(stack: Aws, log: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeptAccounts]:
    kept = KeptAccounts(stack)
    monkeypatch.setattr(accounts_function, "accounts_service", lambda _: kept.accounts)
    monkeypatch.setattr(function, "sending", kept.sending)
    monkeypatch.setattr(function, "sent_under_a_key", kept.once)
    yield kept
    kept.remove_all()
    assert SMTP_PASSWORD not in log.getvalue()


@pytest.fixture
def account(kept: KeptAccounts) -> dict[str, Any]:
    account: dict[str, Any] = accounts.request("POST", "/accounts", a_body()).json
    return account


def a_mail(**changes: Any) -> dict[str, Any]:
    mail: dict[str, Any] = {"to": ["bert@example.org"], "subject": "Hello", "text": "Hello, Bert."}
    return {name: value for name, value in {**mail, **changes}.items() if value is not None}


def send(account: dict[str, Any], body: Any = None, *, key: str = "", **changes: Any) -> Answer:
    event = an_event("POST", f"/accounts/{account['id']}/send", a_mail() if body is None else body, **changes)
    if key:
        event["headers"]["Idempotency-Key"] = key
    return client.call(event)


class TestSending:
    def test_answers_who_gets_it(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        answer = send(account, a_mail(cc=["carl@example.net"], bcc=["dora@example.net"]))
        assert answer.status == 200
        sent = answer.json
        assert sent["status"] == "sent"
        assert sent["accepted"] == ["bert@example.org", "carl@example.net", "dora@example.net"]
        assert sent["refused"] == []
        ((envelope, content),) = kept.outgoing.taken
        assert f"Message-ID: {sent['message_id']}\r\n".encode() in content
        assert sent["octets"] == len(content) == envelope.octets
        assert sent["sent_at"] == "2026-11-23T12:00:00Z"

    def test_takes_recipients_in_every_usual_form(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        answer = send(
            account,
            a_mail(
                to="Bert Böhm <bert@example.org>",
                cc=['"Carl, \\"C\\"" <carl@example.net>', {"address": "dora@example.net", "name": "Dora"}],
                bcc=["eva@example.net", "EVA@example.net", "bert@example.org"],
            ),
        )
        assert answer.status == 200
        ((envelope, content),) = kept.outgoing.taken
        message = message_from_bytes(content, policy=default)
        assert [(a.display_name, a.addr_spec) for a in message["To"].addresses] == [("Bert Böhm", "bert@example.org")]
        assert [(a.display_name, a.addr_spec) for a in message["Cc"].addresses] == [
            ('Carl, "C"', "carl@example.net"),
            ("Dora", "dora@example.net"),
        ]
        assert envelope.recipients == ("bert@example.org", "carl@example.net", "dora@example.net", "eva@example.net")

    def test_takes_files(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        content = base64.b64encode(b"%PDF").decode()
        file = {"filename": "Hoá đơn.pdf", "content_type": "application/pdf", "content": content}
        assert send(account, a_mail(attachments=[file])).status == 200
        message = message_from_bytes(kept.outgoing.taken[0][1], policy=default)
        (part,) = message.iter_attachments()
        assert (part.get_filename(), part.get_content_type()) == ("Hoá đơn.pdf", "application/pdf")
        assert part.get_payload(decode=True) == b"%PDF"

    def test_takes_what_it_has_sent_before(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        first = send(account, a_mail(subject="Báo cáo")).json
        assert send(account, a_mail(attachments=[{"message_id": first["id"]}])).status == 200
        (_, before), (_, content) = kept.outgoing.taken
        (part,) = message_from_bytes(content, policy=default).iter_attachments()
        assert (part.get_filename(), part.get_content_type()) == ("Báo cáo.eml", "message/rfc822")
        assert before in content

    def test_of_some_only_says_who_does_not_get_it(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        kept.outgoing.refused = {"carl@example.net": smtp.RecipientRefused("No Carl.", server_text="5.1.1 no Carl")}
        answer = send(account, a_mail(cc=["carl@example.net"]))
        assert answer.status == 200
        assert answer.json["accepted"] == ["bert@example.org"]
        assert answer.json["refused"] == [
            {
                "address": "carl@example.net",
                "code": "recipient_refused",
                "message": "No Carl.",
                "server_said": "5.1.1 no Carl",
            }
        ]

    def test_that_nobody_confirmed_is_accepted_and_not_an_error(
        self, kept: KeptAccounts, account: dict[str, Any]
    ) -> None:
        kept.outgoing.at_transmit = smtp.Unconfirmed("silent")
        answer = send(account)
        assert (answer.status, answer.json["status"]) == (202, "unconfirmed")

    def test_logs_what_happened_and_nothing_of_the_mail(
        self, account: dict[str, Any], log: io.StringIO, kept: KeptAccounts
    ) -> None:
        send(account, a_mail(subject="Private subject", text="Private text"), key="my-key")
        (line,) = [line for line in lines_of(log) if line["message"] == "mail sent"]
        assert (line["account_id"], line["state"], line["recipients"]) == (account["id"], "sent", 1)
        for private in ("Private", "bert@example.org", "my-key"):
            assert private not in log.getvalue()


class TestAKey:
    def test_sends_once(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        first = send(account, key="6f1c")
        assert [send(account, key="6f1c").json for _ in range(2)] == [first.json] * 2
        assert len(kept.outgoing.taken) == 1

    def test_of_another_mail_is_refused(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        send(account, key="6f1c")
        answer = send(account, a_mail(subject="Another"), key="6f1c")
        assert (answer.status, answer.error["code"]) == (422, "idempotency_key_reused")
        assert len(kept.outgoing.taken) == 1

    def test_is_free_again_where_nothing_was_sent(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        kept.outgoing.at_begin = smtp.ServerTemporary("later")
        assert send(account, key="6f1c").status == 422
        kept.outgoing.at_begin = None
        assert send(account, key="6f1c").status == 200

    @pytest.mark.parametrize("key", ["x" * 201, "a b", "\u00e9", "a\tb"])
    def test_that_is_none_is_refused(self, kept: KeptAccounts, account: dict[str, Any], key: str) -> None:
        answer = send(account, key=key)
        assert (answer.status, answer.error["code"]) == (422, "invalid_request")
        assert kept.outgoing.calls == []


BREAKS = [
    "a\r\nBcc: x@example.net",
    "a\nBcc: x@example.net",
    "a\rBcc: x@example.net",
    "a\u2028b",
    "a\0b",
    "a\x0bb",
    "a\r\n",
]
NEVER_ADDRESSES = [
    "bert@example.org\r\nBcc: x@example.net",
    "bert@example.org\n",
    "Bert\r\nBcc: x@example.net <bert@example.org>",
    "Bert <bert@example.org>\r\nBcc: x@example.net",
    "Bert <bert@example.org\r\n>",
    "bert@example.org> SIZE=1 <x@example.net",
    "<bert@example.org>, x@example.net",
    "bert@example.org, x@example.net",
    "bert",
    "@example.org",
    "bert@",
    "bert@[127.0.0.1",
    "bert @example.org",
    '"b r"@example.org',
    "bert@exa mple.org",
    "",
    " ",
    "Bert <>",
    "bert@example..org",
]


class TestWhatIsRefused:
    @pytest.fixture(autouse=True)
    def _nothing_is_sent(self, kept: KeptAccounts) -> Iterator[None]:
        yield
        assert kept.outgoing.calls == []

    def refused(self, account: dict[str, Any], field: str, body: dict[str, Any]) -> str:
        answer = send(account, body)
        assert (answer.status, answer.error["code"]) == (422, "invalid_request"), answer.text
        problems = {name: problem for name, problem in answer.problems.items() if name.startswith(field)}
        assert problems, answer.problems
        return next(iter(problems.values()))

    @pytest.mark.parametrize("text", BREAKS)
    def test_a_subject_of_two_lines(self, account: dict[str, Any], text: str) -> None:
        assert "line breaks" in self.refused(account, "subject", a_mail(subject=text))

    @pytest.mark.parametrize("text", BREAKS)
    def test_a_name_of_two_lines(self, account: dict[str, Any], text: str) -> None:
        mailbox = {"address": "bert@example.org", "name": text}
        assert "line breaks" in self.refused(account, "to.0.name", a_mail(to=[mailbox]))

    @pytest.mark.parametrize("text", BREAKS)
    def test_a_file_name_of_two_lines(self, account: dict[str, Any], text: str) -> None:
        file = {"filename": text, "content": "eA=="}
        assert "line breaks" in self.refused(account, "attachments.0.filename", a_mail(attachments=[file]))

    @pytest.mark.parametrize("field", ["to", "cc", "bcc"])
    @pytest.mark.parametrize("address", NEVER_ADDRESSES)
    def test_what_is_no_address(self, account: dict[str, Any], field: str, address: str) -> None:
        self.refused(account, f"{field}.0", a_mail(**{"to": ["carl@example.net"], field: [address]}))
        self.refused(account, f"{field}.0", a_mail(**{"to": ["carl@example.net"], field: {"address": address}}))

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("in_reply_to", "<a@b>\r\nBcc: x@example.net"),
            ("in_reply_to", "<a@b>\n"),
            ("in_reply_to", "a@b"),
            ("in_reply_to", "<a@b> <c@d>"),
            ("in_reply_to", "ACCOUNT#x"),
            ("references", ["<a@b>\r\nBcc: x@example.net"]),
            ("references", ["<a@b>"] * 51),
            ("text", "a\0b"),
            ("html", "a\0b"),
            ("text", "\ud800"),
            ("subject", "x" * 501),
            ("subject", 7),
            ("to", []),
            ("to", None),
            ("to", ["bert@example.org"] * 101),
            ("to", {}),
            ("to", [["bert@example.org"]]),
            ("to", [7]),
            ("reply_to", "x@example.net"),
            ("from", "x@example.net"),
            ("headers", {"Bcc": "x@example.net"}),
        ],
    )
    def test_what_does_not_fit(self, account: dict[str, Any], field: str, value: Any) -> None:
        self.refused(account, "" if field == "to" else field, a_mail(**{field: value}))

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"content_type": "text/plain\r\nBcc: x@example.net"}, ".content_type"),
            ({"content_type": "text"}, ".content_type"),
            ({"content_type": "text/plain; name=x"}, ".content_type"),
            ({"content_id": "a>\r\nBcc: x"}, ".content_id"),
            ({"content_id": "<a@b>"}, ".content_id"),
            ({"content": "not base64!"}, ""),
            ({"content": None}, ""),
            ({"upload_id": "x" * 22}, ""),
            ({"upload_id": "../../mail/x", "content": None}, ".upload_id"),
            ({"path": "/etc/passwd"}, ".path"),
            ({"filename": None}, ""),
            ({"message_id": STORED_ID}, ""),
            ({"attachment_id": "1"}, ""),
            ({"account_id": "a" * 20}, ""),
            ({"message_id": STORED_ID, "content": None, "content_type": "text/html"}, ""),
            ({"message_id": "ACCOUNT#x", "content": None}, ".message_id"),
            ({"message_id": STORED_ID, "content": None, "attachment_id": "../x"}, ".attachment_id"),
            ({"message_id": STORED_ID, "content": None, "account_id": "x#STATE"}, ".account_id"),
        ],
    )
    def test_what_is_no_file(self, account: dict[str, Any], changes: dict[str, Any], field: str) -> None:
        file = {"filename": "a.txt", "content": "eA==", **changes}
        file = {name: value for name, value in file.items() if value is not None or name == "content"}
        self.refused(account, f"attachments.0{field}", a_mail(attachments=[file]))

    def test_more_recipients_together_than_a_server_takes(self, account: dict[str, Any]) -> None:
        many = [f"b{number}@example.org" for number in range(60)]
        assert "100 recipients" in self.refused(account, "", a_mail(to=many, cc=[f"x{one}" for one in many]))

    def test_a_mail_as_somebody_elses_account(self, account: dict[str, Any]) -> None:
        for key in ("", "k"):
            answer = send(account, key=key, owner=OTHER_OWNER)
            assert (answer.status, answer.error["code"]) == (404, "account_not_found")

    def test_a_mail_as_an_account_without_a_server(self, kept: KeptAccounts) -> None:
        account = accounts.request("POST", "/accounts", a_body(outgoing=None)).json
        answer = send(account)
        assert (answer.status, answer.error["code"]) == (409, "no_outgoing_server")

    def test_an_upload_that_is_not_there(self, account: dict[str, Any]) -> None:
        answer = send(account, a_mail(attachments=[{"filename": "a", "upload_id": "x" * 22}]))
        assert (answer.status, answer.error["code"]) == (422, "invalid_mail")

    def test_a_stored_message_that_is_not_there(self, account: dict[str, Any]) -> None:
        theirs = accounts.request("POST", "/accounts", a_body(), owner=OTHER_OWNER).json
        for more in ({}, {"account_id": account["id"]}, {"account_id": theirs["id"]}, {"attachment_id": "1"}):
            answer = send(account, a_mail(attachments=[{"message_id": STORED_ID, **more}]))
            assert (answer.status, answer.error["code"]) == (422, "invalid_mail")
            assert "no such message" in answer.error["message"]


class TestTheServersRefusals:
    def test_are_not_logged_with_its_words_which_name_people(
        self, kept: KeptAccounts, account: dict[str, Any], log: io.StringIO
    ) -> None:
        kept.outgoing.at_begin = smtp.ServerTemporary("It says: bert@example.org is busy.", server_text="bert@x")
        assert "bert@example.org" in send(account).error["message"]
        (line,) = [line for line in lines_of(log) if line["message"] == "request not carried out"]
        assert (line["error"], line["reason"]) == ("temporary", "ServerTrouble")
        assert "bert" not in log.getvalue()

    @pytest.mark.parametrize(
        ("error", "code"),
        [
            (smtp.SenderRefused("s", server_text="5.7.1 no"), "sender_refused"),
            (smtp.MessageTooLarge("l", server_text="5.7.1 no"), "message_too_large"),
            (smtp.SendingTooFrequent("f", server_text="5.7.1 no"), "sending_too_frequent"),
            (smtp.ServerTemporary("t", server_text="5.7.1 no"), "temporary"),
            (smtp.ServerPermanent("p", server_text="5.7.1 no"), "not_sent"),
        ],
    )
    def test_are_told_with_its_words(
        self, kept: KeptAccounts, account: dict[str, Any], error: smtp.SmtpError, code: str
    ) -> None:
        kept.outgoing.at_begin = error
        answer = send(account)
        assert (answer.status, answer.error["code"]) == (422, code)
        assert answer.error["details"] == {"server_said": "5.7.1 no"}

    def test_of_all_recipients_are_told_one_by_one(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        kept.outgoing.refused = {"bert@example.org": smtp.RecipientRefused("No Bert.", server_text="5.1.1 who")}
        answer = send(account)
        assert (answer.status, answer.error["code"]) == (422, "recipients_refused")
        ((one,)) = answer.error["details"]["refused"]
        assert one["address"] == "bert@example.org"
        assert one["server_said"] == "5.1.1 who"

    def test_of_the_password_show_at_the_account_and_nowhere_else(
        self, kept: KeptAccounts, account: dict[str, Any]
    ) -> None:
        kept.outgoing.at_sign_in = smtp.SignInRefused("The server says no.", server_text="5.7.8 no", explicit=True)
        answer = send(account)
        assert (answer.status, answer.error["code"]) == (422, "sign_in_refused")
        assert answer.error["details"] == {"direction": "outgoing", "server_said": "5.7.8 no"}
        shown = accounts.request("GET", f"/accounts/{account['id']}").json
        assert shown["status"] == "active"
        assert shown["outgoing_status"] == "auth_failed"
        assert shown["outgoing_failure"] == {
            "code": "authentication",
            "message": "The server says no.",
            "at": "2026-11-23T12:00:00Z",
            "refusals": 1,
        }

    def test_too_many_in_a_row_leave_the_server_alone(self, kept: KeptAccounts, account: dict[str, Any]) -> None:
        kept.outgoing.at_sign_in = smtp.SignInRefused("no", explicit=True)
        for _ in range(3):
            send(account)
        answer = send(account)
        assert (answer.status, answer.error["code"]) == (409, "outgoing_auth_failed")
        assert len(kept.outgoing.calls) == 3


class TestUploads:
    def offer(self, account: dict[str, Any], octets: Any = 5, **changes: Any) -> Answer:
        return client.request("POST", f"/accounts/{account['id']}/uploads", {"octets": octets}, **changes)

    def test_have_an_address_that_is_signed_for_their_size(self, account: dict[str, Any]) -> None:
        answer = self.offer(account)
        assert answer.status == 201
        assert answer.json["method"] == "PUT"
        assert answer.json["headers"] == {"Content-Type": "application/octet-stream", "Content-Length": "5"}
        assert "content-length" in answer.json["url"]
        assert answer.json["expires_at"] == "2026-11-23T12:15:00Z"

    def test_go_along(self, kept: KeptAccounts, account: dict[str, Any], stack: Aws) -> None:
        upload = self.offer(account).json
        key = f"uploads/{OWNER}/{upload['upload_id']}"
        stack.s3.put_object(Bucket=stack.bucket, Key=key, Body=b"large")
        file = {"filename": "a.bin", "upload_id": upload["upload_id"]}
        assert send(account, a_mail(attachments=[file])).status == 200
        assert b"bGFyZ2U=" in kept.outgoing.taken[0][1]

    @pytest.mark.parametrize("octets", [0, -1, LONGEST_ATTACHMENTS + 1, "5", None, 1.5])
    def test_of_an_impossible_size_are_refused(self, account: dict[str, Any], octets: Any) -> None:
        answer = self.offer(account, octets)
        assert (answer.status, list(answer.problems)) == (422, ["octets"])

    def test_are_for_accounts_of_ones_own(self, account: dict[str, Any]) -> None:
        assert self.offer(account, owner=OTHER_OWNER).error["code"] == "account_not_found"


class TestWiring:
    def test_sends_with_what_the_template_gives(self, stack: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
        forget_wiring()
        monkeypatch.setenv("POPFETCH_TABLE_NAME", stack.table)
        monkeypatch.setenv("POPFETCH_MAIL_BUCKET_NAME", stack.bucket)
        monkeypatch.setenv("POPFETCH_CREDENTIALS_KEY_ID", stack.key_id)
        monkeypatch.setenv("POPFETCH_OAUTH_CLIENTS_PARAMETER", "/popfetch/oauth-clients")
        answer = send({"id": "a" * 20})
        assert (answer.status, answer.error["code"]) == (404, "account_not_found")
        assert wiring_send.sending.cache_info().currsize == 1
        forget_wiring()


class TestDescription:
    def test_names_every_field_and_the_key(self) -> None:
        described = json.loads(function.app.get_openapi_json_schema(title="popfetch", version="1"))
        operation = described["paths"]["/accounts/{account_id}/send"]["post"]
        assert {p["name"] for p in operation["parameters"]} == {"account_id", "idempotency-key"}
        assert set(operation["responses"]) >= {"200", "202", "401", "404", "409", "422", "500", "503"}
        assert set(described["components"]["schemas"]["MailIn"]["properties"]) == {
            "to",
            "cc",
            "bcc",
            "subject",
            "text",
            "html",
            "attachments",
            "in_reply_to",
            "references",
        }
