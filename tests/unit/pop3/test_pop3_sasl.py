"""What of the proofs of identity is POP3's own."""

from base64 import b64encode

import pytest

from popfetch.dialogue import sasl
from popfetch.pop3 import commands
from popfetch.pop3.errors import SignInRefused, UnusableCredentials
from popfetch.pop3.sasl import LONGEST_AUTH_LINE, Credentials, apop_digest


def test_apop_digest_is_that_of_rfc_1939() -> None:
    digest = apop_digest(b"<1896.697170952@dbc.mtview.ca.us>", "tanstaaf")
    assert digest == "c4c9334bac560ecc979e58001b3e22fb"


def test_plain_travels_with_auth_on_one_line() -> None:
    exchange = sasl.plain(Credentials("tim", "tanstaaftanstaaf"))
    wire = commands.auth("PLAIN", exchange.initial_response(LONGEST_AUTH_LINE)).wire
    assert wire == b"AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm\r\n"


@pytest.mark.parametrize("octets", range(165, 185))
def test_an_auth_line_never_exceeds_255_octets(octets: int) -> None:
    exchange = sasl.plain(Credentials("a", "x" * octets))
    initial = exchange.initial_response(LONGEST_AUTH_LINE)
    whole = len(commands.auth("PLAIN", b64encode(exchange.answers[0](b""))).wire)
    assert (initial is not None) == (whole <= 255)


def test_no_command_shows_a_secret() -> None:
    credentials = Credentials("tim", "open sesame")
    initial = sasl.plain(credentials).initial_response(LONGEST_AUTH_LINE)
    shown = [repr(credentials), repr(commands.password("open sesame")), repr(commands.auth("PLAIN", initial))]
    shown.append(repr(commands.apop("tim", apop_digest(b"<a@b>", "open sesame"))))
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


def test_good_ones_pass() -> None:
    Credentials("tim", "pässwörd").check()
