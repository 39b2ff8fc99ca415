"""The pages after a sign-in at a provider: complete, and in every language."""

import re
from base64 import b64encode
from hashlib import sha256

import pytest

from popfetch.domain.oauth import FLOW_LIFETIME
from popfetch.notices.consent_pages import (
    consent_try_again_page,
    invalid_page,
    other_browser_page,
)
from popfetch.notices.languages import LANGUAGES
from popfetch.notices.page import CONTENT_SECURITY_POLICY
from tests.builders.html_reader import ATTRIBUTES, ELEMENTS, Shown, loads_nothing

languages = pytest.mark.parametrize("language", sorted(LANGUAGES))


def all_pages(language: str) -> list[str]:
    return [
        invalid_page(language),
        other_browser_page(language),
        consent_try_again_page(language),
    ]


@languages
def test_every_page_is_a_whole_document_with_one_heading(language: str) -> None:
    for html in all_pages(language):
        assert html.startswith("<!doctype html>\n")
        shown = Shown(html)
        assert shown.values_of("lang") == [language]
        assert shown.tags.count("h1") == shown.tags.count("title") == shown.tags.count("main") == 1
        assert "width=device-width" in html
        assert re.search(r"<title>popfetch: .+</title>", html)


@languages
def test_no_page_runs_loads_asks_or_leads_to_anything(language: str) -> None:
    for html in all_pages(language):
        shown = Shown(html)
        assert shown.elements <= ELEMENTS
        assert shown.attribute_names <= ATTRIBUTES
        assert loads_nothing(html)
        assert not re.search(r"https?:|javascript:", html)


@languages
def test_the_policy_of_pages_fits(language: str) -> None:
    for html in all_pages(language):
        (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
        digest = b64encode(sha256(style.encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in CONTENT_SECURITY_POLICY


@languages
def test_no_two_pages_say_the_same(language: str) -> None:
    pages = all_pages(language)
    assert len(set(pages)) == len(pages)


def test_what_a_sign_in_that_is_not_waited_for_is_told() -> None:
    told = Shown(invalid_page("en")).text
    for words in ("used already", "more than 10 minutes", "has changed nothing", "start the sign-in again"):
        assert words in told


def test_whoever_comes_in_another_browser_is_warned_before_they_are_helped() -> None:
    told = Shown(other_browser_page("en")).text
    warning, help_ = told.index("give its address to nobody"), told.index("hand that program the address of this page")
    assert told.index("keeps nothing of it") < warning < help_
    assert "may be able to read your mail" in told
    assert "within 10 minutes" in told


@languages
def test_the_time_that_is_told_is_the_time_there_is(language: str) -> None:
    minutes = str(int(FLOW_LIFETIME.total_seconds()) // 60)
    for html in (invalid_page(language), other_browser_page(language)):
        assert re.findall(r"\b\d+\b", Shown(html).text) == [minutes]


def test_storage_that_did_not_answer_is_told_without_a_link_in_a_mail() -> None:
    told = Shown(consent_try_again_page("en")).text
    assert "start the sign-in again" in told
    assert "link" not in told
    assert "mail" not in told


@pytest.mark.parametrize("language", ["vi", "vi-VN", "VI_vn"])
def test_a_language_may_come_in_any_form(language: str) -> None:
    assert all_pages(language) == all_pages("vi")


def test_whoever_speaks_no_language_of_ours_reads_english() -> None:
    assert all_pages("tlh") == all_pages("en")
