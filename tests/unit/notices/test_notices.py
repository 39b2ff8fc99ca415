"""What owners are told: the words, and that nothing of a stranger's reaches more than a reader's eyes."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popfetch.domain.account import Account, AuthMethod, Security, Server, Standing
from popfetch.domain.failures import CONNECTIONS_IN_A_ROW, SIGN_INS_IN_A_ROW
from popfetch.domain.notice import Mail, StoppedAccount
from popfetch.notices.languages import mail_about
from popfetch.notices.strangers import LONGEST_QUOTE, one_line, quoted
from tests.builders.accounts import a_server, an_account
from tests.builders.html_reader import ATTRIBUTES, ELEMENTS, Shown
from tests.builders.notices import (
    A_GRANT,
    CONSENT_GONE,
    OUT_OF_ORDER,
    STOPS,
    TOKEN_REFUSED,
    UNREACHABLE,
    UNREADABLE,
    a_stop,
)

ANNA = an_account(1, name="My work", email="anna@example.com", incoming=a_server())
BY_TOKEN = replace(ANNA, incoming=a_server(auth=AuthMethod.OAUTH2), incoming_secret=None, grant=A_GRANT)


def with_token_at(host: str) -> Server:
    return a_server(host=host, auth=AuthMethod.OAUTH2)


def is_harmless(mail: Mail) -> bool:
    page = Shown(mail.html)
    assert page.elements <= ELEMENTS
    assert page.attribute_names <= ATTRIBUTES
    assert not re.search(r"url\(|@import|https?://", mail.html)
    assert not set(mail.subject) & set("\r\n\0\u2028\u2029\u202e")
    return True


def test_a_refused_sign_in_is_told_with_its_account_its_time_and_what_to_do() -> None:
    mail = mail_about(a_stop(), ANNA)
    assert mail.subject == "popfetch: My work (anna@example.com) needs your password"
    for words in (
        "My work (anna@example.com)",
        f"{SIGN_INS_IN_A_ROW} times in a row",
        "pop.example.com, port 995, security TLS",
        "23 November 2026, 12:00 UTC",
        "It says: no",
        "new incoming password",
        "outgoing (SMTP) password",
        "app password",
        "POP access",
        "Nothing is lost",
        "No other mail",
    ):
        assert words in mail.text
    assert mail.language == "en"


def test_an_unreachable_server_is_told_with_what_to_compare() -> None:
    account = an_account(1, name="Home", incoming=a_server(host="mail.example.net", port=110, security=Security.NONE))
    mail = mail_about(UNREACHABLE, account)
    assert mail.subject == "popfetch: Home (anna1@example.com) cannot be reached"
    for words in (
        f"{CONNECTIONS_IN_A_ROW} times in a row",
        "mail.example.net, port 110, security none",
        "Compare host",
    ):
        assert words in mail.text
    assert "app password" not in mail.text


def test_a_password_that_does_not_open_is_no_fault_of_the_provider() -> None:
    mail = mail_about(UNREADABLE, ANNA)
    assert "needs your password" in mail.subject
    assert "not your provider's doing" in mail.text
    assert "of account x" not in mail.text


def test_a_mailbox_that_the_provider_closed_is_not_called_a_matter_of_the_password() -> None:
    mail = mail_about(OUT_OF_ORDER, ANNA)
    assert "needs your attention" in mail.subject
    assert "mailbox disabled" in mail.text


def test_consent_that_is_gone_is_told_with_whom_to_sign_in_as() -> None:
    mail = mail_about(CONSENT_GONE, BY_TOKEN)
    assert mail.subject == "popfetch: My work (anna@example.com) needs you to sign in again"
    for words in (
        "no longer has consent at the provider",
        "pop.example.com, port 995, security TLS",
        "23 November 2026, 12:00 UTC",
        "no consent to the mailbox anna@\u200bexample.\u200bcom",
        "“sign in again”",
        "the very mailbox that this account is for (anna@example.com)",
        "allow all that is asked",
        "security settings",
        "whoever administers",
        "nothing to enter in popfetch",
        "as soon as you have signed in again",
        "No other mail",
        "no links on purpose",
    ):
        assert words in mail.text


def test_a_refused_token_is_told_without_a_password() -> None:
    mail = mail_about(TOKEN_REFUSED, BY_TOKEN)
    assert mail.subject == "popfetch: My work (anna@example.com) needs you to check the sign-in"
    for words in (
        f"{SIGN_INS_IN_A_ROW} times in a row",
        "does not accept the consent",
        "It says: no",
        "POP access is still switched on",
        "“sign in again”",
        "(anna@example.com)",
        "“check now”",
    ):
        assert words in mail.text


def test_a_token_that_does_not_open_is_consent_that_is_gone() -> None:
    mail = mail_about(UNREADABLE, BY_TOKEN)
    assert mail.subject == mail_about(CONSENT_GONE, BY_TOKEN).subject
    assert "What happened last" not in mail.text


@pytest.mark.parametrize("stop", [a_stop(), UNREADABLE, OUT_OF_ORDER], ids=lambda stop: stop.code)
def test_an_account_that_was_turned_over_to_tokens_meanwhile_needs_consent(stop: StoppedAccount) -> None:
    mail = mail_about(stop, replace(BY_TOKEN, grant=None))
    assert mail.subject == mail_about(CONSENT_GONE, BY_TOKEN).subject
    assert "What happened last" not in mail.text


def test_a_mailbox_that_the_provider_closed_may_have_to_be_signed_in_to_again() -> None:
    assert "popfetch has no access any more" in mail_about(OUT_OF_ORDER, BY_TOKEN).text
    assert "new password" in mail_about(OUT_OF_ORDER, ANNA).text


@pytest.mark.parametrize(
    ("username", "mailbox"),
    [("recent:anna@example.com", "anna@example.com"), ("shared@example.com", "shared@example.com"), ("a", ANNA.email)],
)
def test_it_is_the_mailbox_that_one_signs_in_as(username: str, mailbox: str) -> None:
    account = replace(BY_TOKEN, incoming=a_server(auth=AuthMethod.OAUTH2, username=username))
    for stop in (CONSENT_GONE, TOKEN_REFUSED):
        assert f"that this account is for ({mailbox})" in mail_about(stop, account).text


def test_an_outgoing_server_without_a_password_is_not_told_to_get_one() -> None:
    assert "outgoing" not in mail_about(a_stop(), replace(ANNA, outgoing=BY_TOKEN.incoming)).text
    assert "outgoing (SMTP) password" in mail_about(a_stop(), replace(ANNA, outgoing=ANNA.incoming)).text


@pytest.mark.parametrize("account", [ANNA, BY_TOKEN], ids=["password", "token"])
@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.code)
def test_both_forms_say_the_same_and_load_nothing(stop: StoppedAccount, account: Account) -> None:
    mail = mail_about(stop, account)
    words = re.sub(r"^\d\. ", "", mail.text, flags=re.MULTILINE)
    labels = ("Account", "Incoming server", "User name", "Not collected since", "What happened last")
    for label in labels:
        words = words.replace(f"{label}: ", label)
    assert Shown(mail.html).text.replace(" ", "") == "".join(words.split())
    assert is_harmless(mail)


def test_a_name_that_is_the_address_is_not_said_twice() -> None:
    mail = mail_about(a_stop(), an_account(1, name="anna1@example.com"))
    assert mail.subject == "popfetch: anna1@example.com needs your password"


@pytest.mark.parametrize("name", ["\u200b", "\u202e\u2066", " \u00ad "])
def test_a_name_of_which_nothing_is_seen_is_left_out(name: str) -> None:
    assert mail_about(a_stop(), an_account(1, name=name)).subject == "popfetch: anna1@example.com needs your password"


@pytest.mark.parametrize("name", ["x", "x" * 100, "💌 👨‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "Công việc", "仕事"])
def test_names_of_any_length_and_script_stay_as_they_are(name: str) -> None:
    mail = mail_about(a_stop(), an_account(1, name=name))
    assert name in mail.subject
    assert name in mail.text
    assert name in Shown(mail.html).text


def test_a_name_from_right_to_left_does_not_turn_what_surrounds_it() -> None:
    name = "\u05e2\u05d1\u05d5\u05d3\u05d4"
    mail = mail_about(a_stop(), an_account(1, name=name))
    assert mail.subject == f"popfetch: \u2068{name}\u2069 (anna1@example.com) needs your password"
    assert f"\u2068{name}\u2069" in mail.text
    body = mail.html.partition("<body>")[2]
    assert f"<bdi>{name}</bdi>" in body
    assert "\u2068" not in body


@pytest.mark.parametrize("name", ["a\r\nBcc: x@example.com", "a\0b", "a\u2028b", "a\u202eb", "a\u2069b", "\ud800a"])
def test_what_is_no_visible_character_is_taken_out_of_names(name: str) -> None:
    mail = mail_about(a_stop(), an_account(1, name=name, incoming=a_server(host=name, username=name)))
    assert is_harmless(mail)
    assert not set("\r\0\u2028\u202e\u2069\ud800") & set(mail.subject + mail.text + mail.html)
    mail.html.encode()


def test_markup_is_shown_and_not_obeyed() -> None:
    hostile = "<img src=x onerror=alert(1)></dd><a href='https://evil.example'>here</a>&amp;"
    mail = mail_about(a_stop(message=hostile), an_account(1, name="<script>alert(1)</script>"))
    assert is_harmless(mail)
    assert "<script>alert(1)</script>" in Shown(mail.html).text
    assert "&amp;" in Shown(mail.html).text


@pytest.mark.parametrize(
    "said", ["https://evil.example/x", "www.evil.example", "evil.example", "a@evil.example", "HTTP://1.2.3.4:80/"]
)
def test_nothing_that_a_server_says_is_taken_for_a_link(said: str) -> None:
    mail = mail_about(a_stop(message=f"It says: {said}"), ANNA)
    for form in (mail.text, mail.html):
        assert said not in form
    assert said in mail.text.replace("\u200b", "")
    assert not re.search(r"\w[.@]\w|\w:/", quoted(said))


@pytest.mark.parametrize("message", ["", " \r\n\0"])
def test_a_failure_without_words_is_not_quoted(message: str) -> None:
    assert "What happened last" not in mail_about(a_stop(message=message), ANNA).text


def test_no_more_than_300_characters_of_an_answer_are_shown() -> None:
    mail = mail_about(a_stop(message="x" * 301), ANNA)
    assert "x" * (LONGEST_QUOTE - 1) + "…" in mail.text
    assert "x" * LONGEST_QUOTE not in mail.text
    assert "x" * LONGEST_QUOTE in mail_about(a_stop(message="x" * 300), ANNA).text


@given(name=st.text(min_size=1, max_size=100), message=st.text(max_size=400))
def test_no_name_and_no_answer_breaks_the_mail(name: str, message: str) -> None:
    account = an_account(1, name=name, incoming=a_server(host=name, username=name))
    for way in (account, replace(account, incoming=replace(account.incoming, auth=AuthMethod.OAUTH2), grant=A_GRANT)):
        is_whole(mail_about(a_stop(message=message), way))


def is_whole(mail: Mail) -> None:
    assert one_line(mail.subject.replace("\u2068", "").replace("\u2069", ""))
    assert Shown(mail.html).elements <= ELEMENTS
    (mail.subject + mail.text + mail.html).encode()


@pytest.mark.parametrize("code", ["authentication", "permanent", "pop_not_enabled"])
def test_what_is_known_of_the_provider_goes_along(code: str) -> None:
    host = a_server(host="pop.gmail.com")
    gmail = an_account(email="anna@gmail.com", incoming=host, standing=Standing.AUTH_FAILED)
    mail = mail_about(a_stop(code=code), gmail)
    assert "About Gmail: " in mail.text
    assert "app password" in mail.html
    own_domain = an_account(email="anna@example.com", incoming=host, standing=Standing.AUTH_FAILED)
    assert "About Google Workspace: " in mail_about(a_stop(code=code), own_domain).text


def test_what_is_known_of_passwords_is_kept_from_those_who_have_none() -> None:
    for host in ("pop.gmail.com", "pop.fastmail.com"):
        assert "About " not in mail_about(TOKEN_REFUSED, replace(BY_TOKEN, incoming=with_token_at(host))).text
    microsoft = replace(BY_TOKEN, incoming=with_token_at("outlook.office365.com"))
    assert "About Microsoft 365: " in mail_about(TOKEN_REFUSED, microsoft).text
    assert "About Outlook.com: " in mail_about(TOKEN_REFUSED, replace(microsoft, email="anna@hotmail.com")).text


def test_pop_that_is_switched_off_is_no_wrong_password() -> None:
    off = a_stop(code="pop_not_enabled", message="pop.example.com has POP switched off for this mailbox.")
    mail = mail_about(off, an_account(standing=Standing.AUTH_FAILED))
    assert "needs your attention" in mail.subject
    assert "POP access is still switched on" in mail.text
