"""Proofs of identity, against the examples of their RFCs."""

from base64 import b64decode, b64encode

import pytest

from popfetch.dialogue import sasl
from popfetch.dialogue.sasl import Credentials, Exchange

LINE = 255


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


def test_xoauth2_takes_two_lines_and_acknowledges_a_failure() -> None:
    exchange = sasl.xoauth2(Credentials("tim@example.com", "token"))
    assert exchange.initial_response(LINE) is None
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


def test_nothing_is_objected_to_in_text_of_any_language() -> None:
    assert Credentials("用户", "pässwörd ü").objection() is None


def test_traces_hold_every_form_that_goes_onto_the_wire() -> None:
    traces = Credentials("tim", "pw").traces()
    assert {"pw", "cHc=", "cHc", "AHRpbQBwdw==", "AHRpbQBwdw"} <= traces
