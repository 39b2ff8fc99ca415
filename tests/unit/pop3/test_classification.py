"""What servers say when they say no, and what it means."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popfetch.dialogue import sasl
from popfetch.dialogue.bearer import Complaint
from popfetch.dialogue.sasl import Credentials, SecretKind
from popfetch.dialogue.texts import SHORTEST_PIECE
from popfetch.pop3.classification import Moment, classify, mechanism_unsupported
from popfetch.pop3.errors import (
    CommandRefused,
    LoginTooFrequent,
    MaildropBusy,
    Pop3Error,
    PopNotEnabled,
    ScopeInsufficient,
    ServerPermanent,
    ServerTemporary,
    SignInRefused,
    TokenRefused,
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
@pytest.mark.quirk(number=12, part="c")
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


TOKEN = "".join(f"{number:x}" for number in range(1_000, 1_300))


def of_token(text: str, status: str | None = None) -> Pop3Error:
    """The error that a refusal is where an access token was signed in with."""
    complaint = None if status is None else Complaint(status)
    return classify(text.encode(), Moment.SIGN_IN, server="S", kind=SecretKind.ACCESS_TOKEN, complaint=complaint)


class TestAccessTokens:
    @pytest.mark.parametrize(("text", "leaf"), SIGN_IN_TEXTS)
    def test_are_told_apart_as_passwords_are(self, text: str, leaf: type[Pop3Error]) -> None:
        assert type(of_token(text)) is (TokenRefused if leaf is SignInRefused else leaf)

    @pytest.mark.parametrize(
        ("text", "explicit"),
        [
            ("[AUTH] no", True),
            ("[AUTH/TOKEN] no", True),
            ("Authentication failure: unknown user name or bad password.", False),
            ("", False),
        ],
    )
    def test_are_refused_outright_only_by_the_auth_code(self, text: str, explicit: bool) -> None:
        error = of_token(text)
        assert isinstance(error, TokenRefused)
        assert isinstance(error, SignInRefused)
        assert (error.code, error.retryable, error.explicit) == ("authentication", False, explicit)

    @pytest.mark.parametrize("text", ["", "[AUTH] Authentication failed.", "no"])
    @pytest.mark.parametrize(
        ("status", "leaf"),
        [
            ("400", TokenRefused),
            ("401", TokenRefused),
            ("invalid_token", TokenRefused),
            ("whatever", TokenRefused),
            ("403", ScopeInsufficient),
            ("insufficient_scope", ScopeInsufficient),
            ("429", LoginTooFrequent),
            ("500", ServerTemporary),
            ("503", ServerTemporary),
            ("temporarily_unavailable", ServerTemporary),
            ("server_error", ServerTemporary),
        ],
    )
    def test_are_told_apart_by_what_the_server_had_against_them(
        self, text: str, status: str, leaf: type[Pop3Error]
    ) -> None:
        assert type(of_token(text, status)) is leaf

    @pytest.mark.parametrize("status", ["400", "insufficient_scope", "503"])
    @pytest.mark.parametrize(
        ("text", "leaf"),
        [
            ("[IN-USE] locked", MaildropBusy),
            ("[SYS/TEMP] later", ServerTemporary),
            ("[SYS/PERM] Your account is not enabled for POP access.", PopNotEnabled),
            ("Exceeded the login limit for a 15 minute period. Reduce the frequency of requests.", LoginTooFrequent),
            ("Your account has been disabled", ServerPermanent),
        ],
    )
    def test_matter_less_than_what_else_a_refusal_says(self, text: str, leaf: type[Pop3Error], status: str) -> None:
        assert type(of_token(text, status)) is leaf

    def test_that_lack_a_consent_need_a_new_one(self) -> None:
        error = of_token("[AUTH] no", "insufficient_scope")
        assert isinstance(error, ScopeInsufficient)
        assert isinstance(error, SignInRefused)
        assert (error.code, error.retryable, error.explicit) == ("consent_needed", False, True)
        assert error.message == (
            "What was consented to at the provider does not cover S; sign in again there, and allow all of it."
            " It says: [AUTH] no"
        )

    @pytest.mark.parametrize("text", ["unknown mechanism", "[AUTH] Unsupported authentication mechanism."])
    def test_that_were_never_looked_at_are_not_held_to_be_bad(self, text: str) -> None:
        error = of_token(text)
        assert type(error) is SignInRefused
        assert error.message.startswith("S lets nobody sign in with an access token;")

    def test_are_not_taken_for_unknown_mechanisms(self) -> None:
        assert type(of_token("AUTH token not valid")) is TokenRefused

    @given(
        text=st.text(st.characters(codec="ascii"), max_size=100),
        status=st.none() | st.sampled_from(["400", "403", "503", "429"]),
        moment=st.sampled_from(Moment),
    )
    def test_are_never_called_a_password(self, text: str, status: str | None, moment: Moment) -> None:
        complaint = None if status is None else Complaint(status)
        error = classify(text.encode(), moment, kind=SecretKind.ACCESS_TOKEN, complaint=complaint)
        assert "password" not in error.message.partition(" It says: ")[0].lower()

    def test_are_refused_in_words_that_say_what_to_do(self) -> None:
        assert of_token("[AUTH] no").message == (
            "S does not accept the access token for this user name; sign in again at the provider. It says: [AUTH] no"
        )

    @given(
        build=st.sampled_from([sasl.xoauth2, sasl.oauthbearer]),
        raw=st.booleans(),
        begin=st.integers(0, 1_500),
        octets=st.integers(SHORTEST_PIECE, 1_500),
        around=st.tuples(st.binary(max_size=30), st.binary(max_size=30)),
        status=st.none() | st.just("400"),
        moment=st.sampled_from(Moment),
    )
    def test_leave_no_trace(
        self,
        build: Callable[[Credentials], sasl.Exchange],
        raw: bool,
        begin: int,
        octets: int,
        around: tuple[bytes, bytes],
        status: str | None,
        moment: Moment,
    ) -> None:
        credentials = Credentials("alex@example.com", TOKEN, SecretKind.ACCESS_TOKEN)
        exchange = build(credentials)
        echo = (exchange.answers[0](b"") if raw else exchange.initial_response() or b"")[begin : begin + octets]
        error = classify(
            around[0] + echo + around[1],
            moment,
            hidden=credentials.traces(),
            kind=SecretKind.ACCESS_TOKEN,
            complaint=None if status is None else Complaint(status),
        )
        for shown in (str(error), error.server_text, repr(error)):
            for trace in credentials.traces():
                pieces = (trace[at : at + SHORTEST_PIECE] for at in range(len(trace) - SHORTEST_PIECE + 1))
                assert not any(piece in shown for piece in pieces)
