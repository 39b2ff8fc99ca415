"""Proofs of identity, against the examples of their RFCs."""

from base64 import b64decode, b64encode
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popfetch.dialogue import sasl
from popfetch.dialogue.sasl import ACKNOWLEDGEMENTS, Credentials, Exchange, SecretKind
from popfetch.dialogue.texts import HIDDEN, SHORTEST_PIECE, clean

LINE = 255
TOKEN = "ya29.a0ARrdaM-c~X_42+/abcdefghijklmnop=="


def test_cram_md5_is_that_of_rfc_2195() -> None:
    exchange = sasl.cram_md5(Credentials("tim", "tanstaaftanstaaf"))
    challenge = b64encode(b"<1896.697170952@postoffice.reston.mci.net>")
    assert exchange.initial_response(LINE) is None
    assert exchange.answer(0, challenge) == b64encode(b"tim b913a602c7eda7a495b4e6e7334d3890")


def test_cram_md5_has_no_answer_to_what_is_no_challenge() -> None:
    assert sasl.cram_md5(Credentials("tim", "x")).answer(0, b"not base64!") is None


def test_plain_travels_with_auth_while_the_line_is_short_enough() -> None:
    exchange = sasl.plain(Credentials("tim", "tanstaaftanstaaf"))
    assert exchange.initial_response(LINE) == b"AHRpbQB0YW5zdGFhZnRhbnN0YWFm"


@pytest.mark.parametrize("longest", range(30, 50))
def test_an_auth_line_is_never_longer_than_the_protocol_allows(longest: int) -> None:
    initial = sasl.plain(Credentials("tim", "tanstaaftanstaaf")).initial_response(longest)
    assert (initial is not None) == (len(b"AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm\r\n") <= longest)


def test_plain_without_initial_response_answers_the_empty_challenge() -> None:
    assert sasl.plain(Credentials("tim", "pw")).answer(0, b"") == b64encode(b"\0tim\0pw")


def test_login_tells_name_then_password_whatever_it_is_asked() -> None:
    exchange = sasl.login(Credentials("tim", "pässword"))
    assert exchange.answer(0, b"VXNlcm5hbWU6") == b64encode(b"tim")
    assert exchange.answer(1, b"Password, please!") == b64encode("pässword".encode())
    assert exchange.answer(2, b"") is None


def test_xoauth2_is_that_of_google_and_acknowledges_a_failure() -> None:
    exchange = sasl.xoauth2(Credentials("someuser@example.com", "vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg=="))
    answer = exchange.answer(0, b"")
    assert answer == (
        b"dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB2RjlkZnQ0cW1UYzJOdmIzUmxja0JoZEhSaGRtbHpkR0V1WTI5dENnPT0B"
        b"AQ=="
    )
    assert exchange.answer(1, b64encode(b'{"status":"400"}')) == b""


@pytest.mark.parametrize("build", [sasl.xoauth2, sasl.oauthbearer])
def test_a_token_may_travel_with_auth_and_gives_the_same_answer(build: Callable[[Credentials], Exchange]) -> None:
    exchange = build(Credentials("tim", "token"))
    assert exchange.initial_response(LINE) == exchange.initial_response() == exchange.answer(0, b"")
    long = build(Credentials("tim", "t" * 9_000))
    assert long.initial_response(LINE) is None
    assert long.initial_response() == long.answer(0, b"")


@pytest.mark.parametrize("build", [sasl.xoauth2, sasl.oauthbearer])
@pytest.mark.parametrize("challenge", [b"", b"e30=", b"no base64!", b"\xff\x00", b"A"])
def test_a_failure_is_acknowledged_whatever_the_challenge(
    build: Callable[[Credentials], Exchange], challenge: bytes
) -> None:
    exchange = build(Credentials("tim", "token"))
    assert exchange.answer(1, challenge) in ACKNOWLEDGEMENTS
    assert exchange.answer(2, challenge) is None


def test_oauthbearer_is_that_of_rfc_7628() -> None:
    exchange = sasl.oauthbearer(Credentials("a=b,c", "token"))
    answer = exchange.answer(0, b"")
    assert answer is not None
    assert b64decode(answer) == b"n,a=a=3Db=2Cc,\x01auth=Bearer token\x01\x01"
    assert exchange.answer(1, b"e30=") == b"AQ=="


@pytest.mark.parametrize("build", [sasl.plain, sasl.login, sasl.cram_md5, sasl.xoauth2, sasl.oauthbearer])
def test_nothing_shows_a_secret(build: object) -> None:
    credentials = Credentials("tim", "open sesame")
    assert callable(build)
    exchange = build(credentials)
    assert isinstance(exchange, Exchange)
    for text in (repr(credentials), repr(exchange)):
        assert "sesame" not in text
        assert "b3BlbiBzZXNhbWU" not in text


@pytest.mark.parametrize("bad", ["", "a\rb", "a\nb", "a\0b", "a\ud800b"])
def test_what_would_break_out_of_its_line_is_objected_to(bad: str) -> None:
    for credentials, what in ((Credentials(bad, "fine"), "user name"), (Credentials("fine", bad), "password")):
        objection = credentials.objection()
        assert objection is not None
        assert what in objection
        assert not bad or bad not in objection


@pytest.mark.parametrize("bad", ["", "a\rb", "a\nb", "a\0b", "a\x01b", "a\ud800b"])
def test_of_tokens_too_and_by_their_name(bad: str) -> None:
    token = Credentials("fine", bad, SecretKind.ACCESS_TOKEN).objection()
    assert token is not None
    assert token.startswith("The access token ")
    assert token.endswith("; sign in again at the provider.")
    name = Credentials(bad, "fine", SecretKind.ACCESS_TOKEN).objection()
    assert name is not None
    assert name.startswith("The user name ")
    assert name.endswith("; enter it again.")
    assert "password" not in token + name


def test_nothing_is_objected_to_in_text_of_any_language() -> None:
    assert Credentials("用户", "pässwörd ü").objection() is None


def test_traces_hold_every_form_that_goes_onto_the_wire() -> None:
    traces = Credentials("tim", "pw").traces()
    assert {"pw", "cHc=", "cHc", "AHRpbQBwdw==", "AHRpbQBwdw"} <= traces


def wire_forms(username: str, token: str) -> list[str]:
    """Everything that holds the token and goes onto the wire, or into what does."""
    raw = [
        token.encode(),
        f"Bearer {token}".encode(),
        f"user={username}\x01auth=Bearer {token}\x01\x01".encode(),
        f"n,a={username.replace('=', '=3D').replace(',', '=2C')},\x01auth=Bearer {token}\x01\x01".encode(),
    ]
    encoded = [b64encode(form).decode() for form in raw]
    return [*(form.decode() for form in raw), *encoded, *(form.rstrip("=") for form in encoded)]


@pytest.mark.parametrize("build", [sasl.xoauth2, sasl.oauthbearer])
def test_traces_of_a_token_hold_what_goes_onto_the_wire(build: Callable[[Credentials], Exchange]) -> None:
    credentials = Credentials("a=b,c", TOKEN, SecretKind.ACCESS_TOKEN)
    answer = build(credentials).answer(0, b"")
    assert answer is not None
    assert {TOKEN, answer.decode(), answer.decode().rstrip("=")} <= credentials.traces()


@pytest.mark.parametrize("token", [TOKEN, "short", "e" * 3_000])
@pytest.mark.parametrize("form", range(12))
def test_whatever_form_of_a_token_comes_back_is_hidden(token: str, form: int) -> None:
    traces = Credentials("a=b,c@example.com", token, SecretKind.ACCESS_TOKEN).traces()
    echo = wire_forms("a=b,c@example.com", token)[form]
    shown = clean(f"[AUTH] {echo} is no good".encode(), traces)
    assert HIDDEN in shown
    assert shown.startswith("[AUTH] ")
    assert shown.endswith(" is no good")
    assert token not in shown
    assert echo not in shown


@given(
    form=st.integers(0, 11),
    begin=st.integers(0, 400),
    octets=st.integers(SHORTEST_PIECE, 400),
    around=st.tuples(st.text(max_size=40), st.text(max_size=40)),
    turned=st.sampled_from([str, str.upper, str.lower]),
)
def test_nor_does_a_piece_of_it_show(
    form: int, begin: int, octets: int, around: tuple[str, str], turned: Callable[[str], str]
) -> None:
    token = "".join(f"{number:x}" for number in range(1_000, 1_080))
    traces = Credentials("tim@example.com", token, SecretKind.ACCESS_TOKEN).traces()
    piece = turned(wire_forms("tim@example.com", token)[form][begin : begin + octets])
    shown = clean(f"{around[0]}{piece}{around[1]}".encode("utf-8", "replace"), traces).lower()
    for trace in traces:
        for at in range(len(trace) - SHORTEST_PIECE + 1):
            assert trace[at : at + SHORTEST_PIECE].lower() not in shown
