"""What servers say when they say no, and what it means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popfetch.pop3.classification import Moment, classify, mechanism_unsupported
from popfetch.pop3.errors import (
    CommandRefused,
    LoginTooFrequent,
    MaildropBusy,
    Pop3Error,
    PopNotEnabled,
    ServerPermanent,
    ServerTemporary,
    SignInRefused,
)

SIGN_IN_TEXTS: list[tuple[str, type[Pop3Error]]] = [
    # response codes
    ("[AUTH] Authentication failed.", SignInRefused),
    ("[AUTH] Username and password not accepted.", SignInRefused),
    ("[AUTH] too many logins, try again later", SignInRefused),
    ("[IN-USE] Do you have another POP session running?", MaildropBusy),
    ("[LOGIN-DELAY] wait", LoginTooFrequent),
    ("[SYS/TEMP] Temporary authentication failure.", ServerTemporary),
    ("[SYS/TEMP/LOCK] later", ServerTemporary),
    ("[SYS/PERM] Your account is not enabled for POP access. Please visit your settings page", PopNotEnabled),
    ("[SYS/PERM] You are yet to enable POP for your account.", PopNotEnabled),
    ("[SYS/PERM] disk failure", ServerPermanent),
    ("[AUTH] POP3 is disabled", SignInRefused),
    ("[in-use] lower case", MaildropBusy),
    # servers without codes, and codes that nobody knows
    ("Logon failure: unknown user name or bad password.", SignInRefused),
    ("invalid user name or password", SignInRefused),
    ("Authentication failed", SignInRefused),
    ("[WHATEVER] bad login or password", SignInRefused),
    ("Unable to log on", SignInRefused),
    ("", SignInRefused),
    ("LOGIN failed, invalid password. Please try again", SignInRefused),
    ("Exceeded the login limit for a 15 minute period. Reduce the frequency of requests.", LoginTooFrequent),
    ("login too frequent, please wait", LoginTooFrequent),
    ("Too many login attempts", LoginTooFrequent),
    ("minimum login interval is 15 minutes", LoginTooFrequent),
    ("maildrop already locked", MaildropBusy),
    ("Unable to lock maildrop: Mailbox is locked by POP server", MaildropBusy),
    ("mailbox in use", MaildropBusy),
    ("Mailbox is busy", MaildropBusy),
    ("another session is active", MaildropBusy),
    ("can't get lock, is busy", MaildropBusy),
    ("account locked, contact support", ServerPermanent),
    ("Your account has been disabled", ServerPermanent),
    ("POP3 access is not enabled for this mailbox", PopNotEnabled),
    ("POP3 is disabled for this account", PopNotEnabled),
    ("Your account does not have POP access", PopNotEnabled),
    ("temporary authentication failure", ServerTemporary),
    ("please try again later", ServerTemporary),
    ("internal server error", ServerTemporary),
    ("Service temporarily unavailable", ServerTemporary),
    ("Download exceed", ServerTemporary),
    ("server busy", ServerTemporary),
]


@pytest.mark.parametrize(("text", "leaf"), SIGN_IN_TEXTS)
def test_sign_in_is_told_apart(text: str, leaf: type[Pop3Error]) -> None:
    assert type(classify(text.encode(), Moment.SIGN_IN)) is leaf
    assert type(classify(text.upper().encode(), Moment.SIGN_IN)) is leaf


@pytest.mark.parametrize(
    ("text", "explicit"), [("[AUTH] no", True), ("[AUTH/TOKEN] no", True), ("bad password", False), ("", False)]
)
def test_only_the_auth_code_is_explicit(text: str, explicit: bool) -> None:
    error = classify(text.encode(), Moment.SIGN_IN)
    assert isinstance(error, SignInRefused)
    assert error.explicit is explicit


@pytest.mark.parametrize(("text", "explicit"), [("[IN-USE] later", True), ("maildrop already locked", False)])
def test_only_the_in_use_code_proves_the_password(text: str, explicit: bool) -> None:
    error = classify(text.encode(), Moment.SIGN_IN)
    assert isinstance(error, MaildropBusy)
    assert error.explicit is explicit


@pytest.mark.parametrize(
    ("text", "leaf"),
    [
        ("no such message", CommandRefused),
        ("invalid message number", CommandRefused),
        ("message is locked", CommandRefused),
        ("unknown command", CommandRefused),
        ("", CommandRefused),
        ("Download exceed", ServerTemporary),
        ("try again later", ServerTemporary),
        ("[SYS/TEMP] disk", ServerTemporary),
        ("[SYS/PERM] disk", ServerPermanent),
        ("[IN-USE] gone", MaildropBusy),
    ],
)
def test_words_about_messages_are_not_taken_for_words_about_sign_in(text: str, leaf: type[Pop3Error]) -> None:
    assert type(classify(text.encode(), Moment.COMMAND, command="RETR 1")) is leaf


@pytest.mark.parametrize(
    ("text", "leaf"),
    [
        ("", ServerTemporary),
        ("sorry", ServerTemporary),
        ("[IN-USE] x", MaildropBusy),
        ("too frequent", LoginTooFrequent),
    ],
)
def test_a_server_that_does_not_even_greet_is_not_a_wrong_password(text: str, leaf: type[Pop3Error]) -> None:
    assert type(classify(text.encode(), Moment.GREETING)) is leaf


@pytest.mark.parametrize(
    "text",
    [
        "unknown command",
        "Unknown AUTH mechanism",
        "Unrecognized authentication type",
        "AUTH not supported",
        "command not recognised",
        "[AUTH] Unsupported authentication mechanism.",
        "Invalid command",
        "Unimplemented",
        "mechanism disabled",
    ],
)
def test_a_refusal_of_the_mechanism_is_recognised(text: str) -> None:
    assert mechanism_unsupported(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[AUTH] Authentication failed.",
        "Logon failure: unknown user name or bad password.",
        "User unknown",
        "invalid password",
        "[IN-USE] unknown command",
        "authentication failed",
    ],
)
def test_a_refusal_of_the_password_is_not_taken_for_one_of_the_mechanism(text: str) -> None:
    assert not mechanism_unsupported(text.encode())


def test_the_sentence_names_the_server_and_quotes_it() -> None:
    error = classify(b"[IN-USE] other client", Moment.SIGN_IN, server="pop.example.com:995")
    assert "pop.example.com:995" in error.message
    assert error.message.endswith("[IN-USE] other client")
    assert error.server_text == "[IN-USE] other client"


@given(
    text=st.binary(max_size=300),
    secret=st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), min_size=8, max_size=30),
    at=st.integers(0, 300),
    moment=st.sampled_from(Moment),
)
def test_an_echoed_secret_never_shows(text: bytes, secret: str, at: int, moment: Moment) -> None:
    plain = str(classify(text, moment, server="S"))
    error = classify(text[:at] + secret.encode() + text[at:], moment, server="S", hidden=[secret])
    for shown in (str(error), error.server_text, repr(error)):
        assert secret not in shown or secret in plain
    assert len(error.server_text) <= 200
    assert error.server_text.isprintable()
