"""The pages after a sign-in at a provider: complete, in every language, and nothing of an address gets into them."""

import re
from base64 import b64encode
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popfetch.domain.oauth import FLOW_LIFETIME
from popfetch.notices.consent_pages import (
    CONNECTED,
    FAILED,
    consent_try_again_page,
    front_page,
    invalid_page,
    other_browser_page,
)
from popfetch.notices.languages import LANGUAGES
from popfetch.notices.page import CONTENT_SECURITY_POLICY
from tests.builders.html_reader import ATTRIBUTES, ELEMENTS, Shown, loads_nothing
from tests.builders.notices import CONSENT_FAILURES, CONSENT_TROUBLES

languages = pytest.mark.parametrize("language", sorted(LANGUAGES))

HOSTILE = [
    "<script>alert(1)</script>",
    "'\"><img src=x onerror=alert(1)>",
    "</style><p>call +1 555 0100",
    "your+password+is+needed+at+evil.example",
    "https://evil.example/",
    "consent_refused\r\nSet-Cookie: a=b",
    "consent_refused\0",
    " consent_refused",
    "CONSENT_REFUSED",
    "\u202eesufer",
    "\ud800",
    "{0.__class__}",
    "%s",
    "__class__",
    "x" * 10_000,
]


def outcomes(language: str) -> list[str]:
    """Every front page that there is."""
    return [
        *(front_page(language, CONNECTED, code) for code in ["", *CONSENT_TROUBLES, "unknown"]),
        *(front_page(language, FAILED, code) for code in [*CONSENT_FAILURES, "unknown"]),
        front_page(language, "", ""),
    ]


def all_pages(language: str) -> list[str]:
    return [
        invalid_page(language),
        other_browser_page(language),
        consent_try_again_page(language),
        *outcomes(language),
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


@languages
def test_every_code_has_a_sentence_of_its_own(language: str) -> None:
    for outcome, codes in ((CONNECTED, CONSENT_TROUBLES), (FAILED, CONSENT_FAILURES)):
        unknown = front_page(language, outcome, "unknown")
        assert unknown not in {front_page(language, outcome, code) for code in codes}


@languages
def test_a_failure_without_a_code_is_told_in_general_words(language: str) -> None:
    assert front_page(language, FAILED, "") == front_page(language, FAILED, "unknown")


@languages
@pytest.mark.parametrize("code", HOSTILE)
def test_a_code_that_is_not_known_is_told_in_general_words_and_never_shown(language: str, code: str) -> None:
    for outcome in (CONNECTED, FAILED):
        assert front_page(language, outcome, code) == front_page(language, outcome, "unknown")
    assert front_page(language, code, code) == front_page(language, "", "")


@languages
@given(outcome=st.text(max_size=100), code=st.text(max_size=100))
def test_no_address_changes_what_pages_say(language: str, outcome: str, code: str) -> None:
    known = set(outcomes(language))
    for given_outcome in (CONNECTED, FAILED, outcome):
        for given_code in (code, outcome, "", CONSENT_FAILURES[0], CONSENT_TROUBLES[0]):
            assert front_page(language, given_outcome, given_code) in known


@pytest.mark.parametrize("outcome", ["", "Connected", "connected ", "failure", "success"])
def test_any_other_outcome_is_none(outcome: str) -> None:
    assert front_page("en", outcome, "consent_refused") == front_page("en", "", "")


def test_codes_count_for_their_own_outcome_only() -> None:
    assert front_page("en", CONNECTED, "consent_refused") == front_page("en", CONNECTED, "unknown")
    assert front_page("en", FAILED, "maildrop_busy") == front_page("en", FAILED, "unknown")


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


def test_whoever_has_consented_is_told_what_follows() -> None:
    told = Shown(front_page("en", CONNECTED, "")).text
    for words in ("popfetch may collect this mailbox now", "Mail follows", "within minutes", "close this page"):
        assert words in told


@pytest.mark.parametrize("trouble", CONSENT_TROUBLES)
def test_a_trouble_beside_a_consent_does_not_hide_that_it_is_kept(trouble: str) -> None:
    told = Shown(front_page("en", CONNECTED, trouble)).text
    assert "popfetch may collect this mailbox now" in told
    assert "within minutes" not in told


@pytest.mark.parametrize(
    ("trouble", "words"),
    [("sign_in_refused", "all the same"), ("sign_in_off", "all the same"), ("pop_not_enabled", "Switch it on")],
)
def test_a_trouble_is_told_with_what_it_means(trouble: str, words: str) -> None:
    assert words in Shown(front_page("en", CONNECTED, trouble)).text


@pytest.mark.parametrize("code", ["oauth_client_refused", "oauth_not_configured"])
def test_what_only_the_operator_can_mend_is_not_to_be_tried_again(code: str) -> None:
    told = Shown(front_page("en", FAILED, code)).text
    assert "tell whoever runs popfetch for you" in told
    assert "again" not in told


@pytest.mark.parametrize("code", sorted({*CONSENT_FAILURES} - {"oauth_client_refused", "oauth_not_configured"}))
def test_whatever_else_has_failed_can_be_done_again(code: str) -> None:
    told = Shown(front_page("en", FAILED, code)).text
    assert "start the sign-in again" in told or "add it again" in told


def test_storage_that_did_not_answer_is_told_without_a_link_in_a_mail() -> None:
    told = Shown(consent_try_again_page("en")).text
    assert "start the sign-in again" in told
    assert "link" not in told
    assert "mail" not in told


def test_the_front_page_says_what_popfetch_is() -> None:
    told = Shown(front_page("en", "", "")).text
    assert "POP3" in told
    assert "openapi.json" in told


@pytest.mark.parametrize("language", ["vi", "vi-VN", "VI_vn"])
def test_a_language_may_come_in_any_form(language: str) -> None:
    assert all_pages(language) == all_pages("vi")


def test_whoever_speaks_no_language_of_ours_reads_english() -> None:
    assert all_pages("tlh") == all_pages("en")
