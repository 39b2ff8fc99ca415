"""The pages that the link leads to: complete, in both languages, and able to do nothing but post to themselves."""

import re
from base64 import b64encode
from hashlib import sha256
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popfetch.notices.languages import LANGUAGES
from popfetch.notices.page import CONTENT_SECURITY_POLICY
from popfetch.notices.reply_to_pages import confirmed_page, invalid_link_page, question_page, try_again_page
from tests.builders.html_reader import ATTRIBUTES, ELEMENTS, Shown, loads_nothing

ADDRESS, ACCOUNT = "anna.private@example.org", "anna.work@example.com"
languages = pytest.mark.parametrize("language", sorted(LANGUAGES))


def all_pages(language: str, address: str = ADDRESS, account: str = ACCOUNT) -> list[str]:
    return [
        question_page(address, account, language),
        confirmed_page(address, account, language),
        invalid_link_page(language),
        try_again_page(language),
    ]


@languages
def test_every_page_is_a_whole_document_with_one_heading(language: str) -> None:
    titles = set()
    for html in all_pages(language):
        assert html.startswith("<!doctype html>\n")
        shown = Shown(html)
        assert shown.values_of("lang") == [language]
        assert shown.tags.count("h1") == shown.tags.count("title") == shown.tags.count("main") == 1
        assert "width=device-width" in html
        (title,) = re.findall(r"<title>(popfetch: .+)</title>", html)
        titles.add(title)
    assert len(titles) == 4


@languages
def test_no_page_runs_loads_or_leads_to_anything(language: str) -> None:
    for html in all_pages(language):
        shown = Shown(html)
        assert shown.elements <= ELEMENTS | {"form", "button"}
        assert shown.attribute_names <= ATTRIBUTES | {"method", "type"}
        assert loads_nothing(html)
        assert not re.search(r"https?:|javascript:", html)


@languages
def test_only_the_question_has_a_button_which_posts_to_the_same_address(language: str) -> None:
    question, *others = (Shown(html) for html in all_pages(language))
    assert question.tags.count("form") == question.tags.count("button") == 1
    assert question.values_of("method") == ["post"]
    assert question.values_of("type") == ["submit"]
    assert "input" not in question.elements
    for other in others:
        assert not other.elements & {"form", "button", "a"}


@languages
def test_question_and_answer_name_both_addresses(language: str) -> None:
    for html in all_pages(language)[:2]:
        assert ADDRESS in Shown(html).text
        assert ACCOUNT in Shown(html).text


def test_what_the_pages_say() -> None:
    question, confirmed, invalid, failed = (Shown(html).text for html in all_pages("en"))
    assert "Yes, send replies here" in question
    assert f"Mail is sent from{ACCOUNT} Replies go to{ADDRESS}" in confirmed
    assert "close this page" in confirmed
    assert "newer link" in invalid
    assert "ask for a new link" in invalid
    assert "once more" in failed


@pytest.mark.parametrize("language", ["vi", "vi-VN", "VI_vn"])
def test_a_language_may_come_in_any_form(language: str) -> None:
    assert all_pages(language) == all_pages("vi")


def test_whoever_speaks_no_language_of_ours_reads_english() -> None:
    assert all_pages("tlh") == all_pages("en")


@languages
def test_the_policy_allows_the_style_of_every_page_and_nothing_else(language: str) -> None:
    for html in all_pages(language):
        (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
        digest = b64encode(sha256(style.encode()).digest()).decode()
        assert CONTENT_SECURITY_POLICY.split("; ") == [
            "default-src 'none'",
            f"style-src 'sha256-{digest}'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ]
    assert quote(CONTENT_SECURITY_POLICY, safe=" ;'=/+-") == CONTENT_SECURITY_POLICY


def test_markup_in_an_address_is_shown_and_not_obeyed() -> None:
    hostile = '"<script>alert(1)</script>"@example.com'
    for html in all_pages("en", hostile, f"</dd>{hostile}")[:2]:
        assert "script" not in Shown(html).elements
        assert hostile in Shown(html).text


def test_an_address_from_right_to_left_does_not_turn_what_surrounds_it() -> None:
    address = "\u05e2\u05d1\u05d5\u05d3\u05d4@example.com"
    for html in all_pages("en", address, "\u202e" + ACCOUNT)[:2]:
        assert f"<bdi>{address}</bdi>" in html
        assert "\u202e" not in html


@languages
@given(address=st.text(max_size=400), account=st.text(max_size=400))
def test_no_address_breaks_a_page(language: str, address: str, account: str) -> None:
    for html in all_pages(language, address, account):
        assert Shown(html).elements <= ELEMENTS | {"form", "button"}
        html.encode()
