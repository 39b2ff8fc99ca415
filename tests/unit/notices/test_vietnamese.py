"""What owners are told in Vietnamese: popfetch's own sentence for what happened, and the server's words as they are."""

from dataclasses import replace

import pytest

from popfetch.domain.account import AuthMethod, Security, Standing
from popfetch.domain.failures import CONNECTIONS_IN_A_ROW, SIGN_INS_IN_A_ROW
from popfetch.notices.languages import mail_about
from tests.builders.accounts import a_server, an_account
from tests.builders.html_reader import Shown
from tests.builders.notices import (
    A_GRANT,
    CONSENT_GONE,
    OUT_OF_ORDER,
    REFUSAL,
    TOKEN_REFUSED,
    UNREACHABLE,
    UNREADABLE,
    a_stop,
)

ANNA = an_account(1, name="Công việc", email="anna@example.com", incoming=a_server())
BY_TOKEN = replace(ANNA, incoming=a_server(auth=AuthMethod.OAUTH2), incoming_secret=None, grant=A_GRANT)


def test_a_refused_sign_in_is_told_with_its_account_its_time_and_what_to_do() -> None:
    mail = mail_about(a_stop(), ANNA, "vi-VN")
    assert mail.subject == "popfetch: Công việc (anna@example.com) cần bạn kiểm tra mật khẩu"
    for words in (
        f"{SIGN_INS_IN_A_ROW} lần liên tiếp",
        "pop.example.com, cổng 995, bảo mật: TLS",
        "12:00 ngày 23/11/2026 (giờ UTC)",
        "Máy chủ không chấp nhận tên đăng nhập và mật khẩu này. Máy chủ trả lời: “no”",
        "mật khẩu thư đến mới",
        "Mật khẩu thư đi (SMTP)",
        "mật khẩu ứng dụng",
        "quyền truy cập POP",
        "Không có thư nào bị mất",
    ):
        assert words in mail.text
    assert REFUSAL not in mail.text


def test_an_unreachable_server_is_told_with_what_to_compare() -> None:
    account = an_account(1, name="Nhà", incoming=a_server(host="mail.example.net", port=110, security=Security.NONE))
    mail = mail_about(UNREACHABLE, account, "vi")
    assert mail.subject == "popfetch: không kết nối được với Nhà (anna1@example.com)"
    for words in (f"{CONNECTIONS_IN_A_ROW} lần liên tiếp", "mail.example.net, cổng 110, bảo mật: không có"):
        assert words in mail.text
    assert "Máy chủ trả lời" not in mail.text


def test_each_letter_is_the_one_of_its_stop() -> None:
    assert "cần bạn nhập lại mật khẩu" in mail_about(UNREADABLE, ANNA, "vi").subject
    assert "cần bạn xử lý" in mail_about(OUT_OF_ORDER, ANNA, "vi").subject
    assert "cần bạn đăng nhập lại" in mail_about(CONSENT_GONE, BY_TOKEN, "vi").subject
    assert "cần bạn đăng nhập lại" in mail_about(UNREADABLE, BY_TOKEN, "vi").subject
    assert "cần bạn kiểm tra việc đăng nhập" in mail_about(TOKEN_REFUSED, BY_TOKEN, "vi").subject


def test_consent_that_is_gone_is_told_with_whom_to_sign_in_as() -> None:
    mail = mail_about(CONSENT_GONE, BY_TOKEN, "vi")
    for words in (
        "popfetch không còn quyền mở hộp thư",
        "Lỗi gần nhất: popfetch chưa có hoặc không còn quyền mở hộp thư này.\n",
        "chọn “Đăng nhập lại”",
        "đúng hộp thư của tài khoản này (anna@example.com)",
        "đồng ý với mọi quyền được yêu cầu",
        "phần cài đặt bảo mật",
        "quản trị viên",
        "không cần nhập gì trong popfetch",
        "ngay khi bạn đã đăng nhập lại",
    ):
        assert words in mail.text
    assert CONSENT_GONE.message not in mail.text.replace("\u200b", "")


def test_a_refused_token_is_told_without_a_password() -> None:
    mail = mail_about(TOKEN_REFUSED, BY_TOKEN, "vi")
    for words in (
        "Máy chủ không chấp nhận quyền truy cập mà bạn đã cấp cho popfetch. Máy chủ trả lời: “no”",
        "chọn “Đăng nhập lại”",
        "(anna@example.com)",
    ):
        assert words in mail.text
    assert "tên đăng nhập và mật khẩu" not in mail.text


def test_an_outgoing_server_without_a_password_is_not_told_to_get_one() -> None:
    assert "SMTP" not in mail_about(a_stop(), replace(ANNA, outgoing=BY_TOKEN.incoming), "vi").text
    assert "Mật khẩu thư đi (SMTP)" in mail_about(a_stop(), replace(ANNA, outgoing=ANNA.incoming), "vi").text


@pytest.mark.parametrize("code", ["authentication", "permanent", "pop_not_enabled"])
def test_what_is_known_of_the_provider_goes_along(code: str) -> None:
    gmail = an_account(email="a@gmail.com", incoming=a_server(host="pop.gmail.com"), standing=Standing.AUTH_FAILED)
    mail = mail_about(a_stop(code=code), gmail, "vi")
    assert "Về Gmail: Mật khẩu thông thường của bạn không dùng được ở đây." in mail.text


@pytest.mark.parametrize("code", ["network", "tls", "host_refused"])
def test_each_reason_of_a_lost_connection_has_a_sentence_of_its_own(code: str) -> None:
    stop = a_stop(standing=Standing.CONNECTION_FAILED, code=code, message="In English.", server_said="")
    mail = mail_about(stop, ANNA, "vi")
    assert "Lỗi gần nhất: " in mail.text
    assert "In English." not in mail.text


def test_a_stop_for_a_reason_not_known_here_quotes_the_server_alone() -> None:
    told = mail_about(a_stop(code="new_code", server_said="quota"), ANNA, "vi").text
    assert "Lỗi gần nhất: Máy chủ trả lời: “quota”" in told
    assert "Lỗi gần nhất" not in mail_about(a_stop(code="new_code", server_said=" \0"), ANNA, "vi").text


def test_nothing_that_a_server_says_is_obeyed_or_taken_for_a_link() -> None:
    said = "<a href='https://evil.example'>here</a> a@evil.example"
    mail = mail_about(a_stop(server_said=said), ANNA, "vi")
    assert "a" not in Shown(mail.html).elements
    assert "evil.example" not in mail.text + mail.html
    assert said in mail.text.replace("\u200b", "")
