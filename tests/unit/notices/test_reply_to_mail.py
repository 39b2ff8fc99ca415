"""The mail that asks an address whether it wants the replies: it may go to a stranger, and it has the one link."""

import re
from datetime import UTC, datetime
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popfetch.notices.document import STYLE
from popfetch.notices.languages import LANGUAGES, mail_asking
from tests.builders.html_reader import ATTRIBUTES, ELEMENTS, Shown, loads_nothing
from tests.builders.notices import a_question

languages = pytest.mark.parametrize("language", sorted(LANGUAGES))


def test_it_says_who_asks_what_for_until_when_and_what_to_do() -> None:
    mail = mail_asking(a_question(expires_at=datetime(2026, 11, 25, 9, 5, tzinfo=UTC)))
    assert mail.subject == "popfetch: shall replies come to this address?"
    told = mail.text.replace("\u200b", "")
    for words in (
        "Mail is sent from: anna.work@example.com",
        "The link works until: 25 November 2026, 09:05 UTC",
        "only pressing that button confirms",
        "works once",
        "do nothing",
        "never asks for a password",
    ):
        assert words in told


def test_it_says_so_in_vietnamese_too() -> None:
    mail = mail_asking(a_question(expires_at=datetime(2026, 11, 25, 9, 5, tzinfo=UTC)), "vi_VN")
    assert mail.subject == "popfetch: bạn có muốn nhận thư trả lời tại địa chỉ này không?"
    told = mail.text.replace("\u200b", "")
    for words in (
        "Thư được gửi từ: anna.work@example.com",
        "Liên kết có hiệu lực đến: 09:05 ngày 25/11/2026 (giờ UTC)",
        "chỉ khi bạn bấm nút đó",
        "chỉ dùng được một lần",
        "bạn không cần làm gì",
        "không bao giờ hỏi mật khẩu",
    ):
        assert words in told


@languages
def test_it_has_exactly_one_link_to_press_and_to_read(language: str) -> None:
    question = a_question()
    mail = mail_asking(question, language)
    shown = Shown(mail.html)
    assert mail.text.splitlines().count(question.link) == 1
    assert re.findall(r"https?:\S*", mail.text) == [question.link]
    assert shown.tags.count("a") == 1
    assert shown.values_of("href") == [question.link]
    assert shown.text.count(question.link) == 1
    assert len(re.findall(r"https?:", mail.html)) == 2
    assert loads_nothing(mail.html)


@languages
def test_no_address_becomes_a_link_of_its_own(language: str) -> None:
    mail = mail_asking(a_question(), language)
    rest = mail.text.replace(a_question().link, "")
    assert "anna.work@example.com" in rest.replace("\u200b", "")
    assert not re.search(r"\w[.@]\w|\w:/", rest)
    assert "@" not in mail.subject
    assert "anna.private" not in mail.text + mail.html


@languages
def test_both_forms_say_the_same(language: str) -> None:
    letter = LANGUAGES[language].confirm_reply_to(a_question())
    mail = letter.to_mail()
    assert letter.action
    words = mail.text.replace(f"{letter.action.label}:", letter.action.label)
    for label, _ in letter.facts:
        words = words.replace(f"{label}: ", label)
    assert Shown(mail.html).text.replace(" ", "") == "".join(words.split())


@languages
def test_a_link_is_escaped_and_stays_what_it_is(language: str) -> None:
    link = "https://example.com/?a=1&b=\"x\"&c='y'<z>&amp;"
    mail = mail_asking(a_question(link=link), language)
    assert link not in mail.html
    assert escape(link) in mail.html
    assert Shown(mail.html).values_of("href") == [link]


@languages
@given(account_email=st.text(min_size=1, max_size=400))
def test_no_address_breaks_the_mail(language: str, account_email: str) -> None:
    mail = mail_asking(a_question(account_email=account_email), language)
    shown = Shown(mail.html)
    assert shown.elements <= ELEMENTS | {"a"}
    assert shown.attribute_names <= ATTRIBUTES | {"href"}
    (mail.subject + mail.text + mail.html).encode()


def test_the_button_is_large_enough_for_a_thumb() -> None:
    height = re.search(r"\.button {[^}]*min-height: (\d+)px", STYLE)
    assert height
    assert int(height[1]) >= 44
