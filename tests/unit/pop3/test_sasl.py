"""Proofs of identity, against the examples of their RFCs."""

from base64 import b64decode, b64encode

import pytest

from popfetch.pop3 import commands, sasl
from popfetch.pop3.errors import SignInRefused, UnusableCredentials
from popfetch.pop3.sasl import Credentials, Exchange


def test_apop_digest_is_that_of_rfc_1939() -> None:
    digest = sasl.apop_digest(b"<1896.697170952@dbc.mtview.ca.us>", "tanstaaf")
    assert digest == "c4c9334bac560ecc979e58001b3e22fb"


def test_cram_md5_is_that_of_rfc_2195() -> None:
    exchange = sasl.cram_md5(Credentials("tim", "tanstaaftanstaaf"))
    challenge = b64encode(b"<1896.697170952@postoffice.reston.mci.net>")
    assert exchange.initial_response() is None
    assert exchange.answer(0, challenge) == b64encode(b"tim b913a602c7eda7a495b4e6e7334d3890")


def test_cram_md5_has_no_answer_to_what_is_no_challenge() -> None:
    assert sasl.cram_md5(Credentials("tim", "x")).answer(0, b"not base64!") is None


def test_plain_travels_with_auth_while_the_line_is_short_enough() -> None:
    exchange = sasl.plain(Credentials("tim", "tanstaaftanstaaf"))
    assert exchange.initial_response() == b"AHRpbQB0YW5zdGFhZnRhbnN0YWFm"
    wire = commands.auth("PLAIN", exchange.initial_response()).wire
    assert wire == b"AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm\r\n"


@pytest.mark.parametrize("octets", range(165, 185))
def test_an_auth_line_never_exceeds_255_octets(octets: int) -> None:
    exchange = sasl.plain(Credentials("a", "x" * octets))
    initial = exchange.initial_response()
    whole = len(commands.auth("PLAIN", b64encode(exchange.answers[0](b""))).wire)
    assert (initial is not None) == (whole <= 255)


def test_plain_without_initial_response_answers_the_empty_challenge() -> None:
    assert sasl.plain(Credentials("tim", "pw")).answer(0, b"") == b64encode(b"\0tim\0pw")


def test_login_tells_name_then_password_whatever_it_is_asked() -> None:
    exchange = sasl.login(Credentials("tim", "pässword"))
    assert exchange.answer(0, b"VXNlcm5hbWU6") == b64encode(b"tim")
    assert exchange.answer(1, b"Password, please!") == b64encode("pässword".encode())
    assert exchange.answer(2, b"") is None


def test_xoauth2_takes_two_lines_and_acknowledges_a_failure() -> None:
    exchange = sasl.xoauth2(Credentials("tim@example.com", "token"))
    assert exchange.initial_response() is None
    answer = exchange.answer(0, b"")
    assert answer is not None
    assert b64decode(answer) == b"user=tim@example.com\x01auth=Bearer token\x01\x01"
    assert exchange.answer(1, b64encode(b'{"status":"400"}')) == b""


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
    shown = [repr(credentials), repr(exchange), repr(commands.password("open sesame"))]
    shown.append(repr(commands.auth("PLAIN", sasl.plain(credentials).initial_response())))
    shown.append(repr(commands.apop("tim", sasl.apop_digest(b"<a@b>", "open sesame"))))
    for text in shown:
        assert "sesame" not in text
        assert "b3BlbiBzZXNhbWU" not in text
        assert "wire" not in text


@pytest.mark.parametrize("bad", ["", "a\rb", "a\nb", "a\0b", "a\ud800b"])
def test_what_would_break_out_of_its_line_is_refused(bad: str) -> None:
    for credentials in (Credentials(bad, "fine"), Credentials("fine", bad)):
        with pytest.raises(UnusableCredentials) as caught:
            credentials.check()
        assert isinstance(caught.value, SignInRefused)
        assert isinstance(caught.value, ValueError)
        assert not caught.value.retryable
        assert not bad or bad not in str(caught.value)


def test_traces_hold_every_form_that_goes_onto_the_wire() -> None:
    traces = Credentials("tim", "pw").traces()
    assert {"pw", "cHc=", "cHc", "AHRpbQBwdw==", "AHRpbQBwdw"} <= traces
