"""Whoever signs in at the provider has no password in popfetch: no letter tells them to set one, in any language."""

import re

import pytest

from popfetch.domain.account import Account, AuthMethod, Standing
from popfetch.domain.notice import StoppedAccount
from popfetch.domain.provider_table import PROVIDERS
from popfetch.notices.languages import LANGUAGES, mail_about
from tests.builders.accounts import a_server, an_account
from tests.builders.notices import A_GRANT, CONSENT_GONE, OUT_OF_ORDER, TOKEN_REFUSED, UNREACHABLE, UNREADABLE, a_stop

SET_A_PASSWORD = {
    "en": re.compile(r"\b(set|reset|enter|make|create|gives?|use)\b[^.,]*\bpassword|password is right", re.IGNORECASE),
    "vi": re.compile(r"(?<!đăng )\b(nhập|đặt|tạo|đổi|dùng)\b[^.,]*\bmật khẩu|mật khẩu vẫn đúng", re.IGNORECASE),
}
"""Words that ask for a password, in each language that there is."""

STOPS = [
    CONSENT_GONE,
    TOKEN_REFUSED,
    OUT_OF_ORDER,
    UNREADABLE,
    UNREACHABLE,
    a_stop(code="pop_not_enabled", message="pop.example.com has POP switched off for this mailbox."),
    a_stop(code="new_code", message="Something else."),
]


def accounts_by_token() -> list[Account]:
    hosts = ["pop.example.com"]
    hosts += [p.incoming.host for p in PROVIDERS if p.incoming and p.oauth_provider]
    emails = ["anna@example.com", *(f"anna@{p.domains[0]}" for p in PROVIDERS if p.oauth_provider and p.domains)]
    return [
        an_account(
            1,
            email=email,
            incoming=a_server(host=host, auth=AuthMethod.OAUTH2),
            incoming_secret=None,
            grant=grant,
        )
        for host in hosts
        for email in emails
        for grant in (A_GRANT, None)
    ]


def test_every_language_has_words_to_look_for() -> None:
    assert SET_A_PASSWORD.keys() == LANGUAGES.keys()


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.code)
def test_nobody_is_told_to_set_a_password_who_has_none(language: str, stop: StoppedAccount) -> None:
    for account in accounts_by_token():
        mail = mail_about(stop, account, language)
        asked = SET_A_PASSWORD[language].search(mail.text)
        assert not asked, asked


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("stop", [a_stop(), OUT_OF_ORDER, UNREADABLE], ids=lambda stop: stop.code)
def test_who_has_a_password_is_told_to_set_it(language: str, stop: StoppedAccount) -> None:
    assert SET_A_PASSWORD[language].search(mail_about(stop, an_account(1), language).text)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_stop_that_needs_a_person_has_another_subject_than_a_lost_connection(language: str) -> None:
    (account, *_) = accounts_by_token()
    unreachable = mail_about(UNREACHABLE, account, language).subject
    for stop in STOPS:
        told = mail_about(stop, account, language).subject
        assert (told == unreachable) is (stop.standing is Standing.CONNECTION_FAILED)
