"""Which ways to sign in are tried, and what can be sent at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popfetch.dialogue.sasl import Credentials, SecretKind
from popfetch.smtp.errors import UnusableCredentials
from popfetch.smtp.sign_in import (
    EXCHANGES,
    LONGEST_AUTH_LINE,
    LONGEST_CREDENTIALS,
    Way,
    check,
    token_attempts,
    ways_with_password,
    ways_with_token,
)

LONGEST_ANSWER = 12_288


@pytest.mark.parametrize(
    ("offered", "protected", "ways"),
    [
        (["CRAM-MD5", "LOGIN", "PLAIN"], True, (Way.PLAIN, Way.LOGIN, Way.CRAM_MD5)),
        (["cram-md5", "login"], True, (Way.LOGIN, Way.CRAM_MD5)),
        (["CRAM-MD5", "LOGIN", "PLAIN"], False, (Way.CRAM_MD5,)),
        (["LOGIN", "PLAIN"], False, (Way.PLAIN, Way.LOGIN)),
        (["XOAUTH2", "GSSAPI"], True, ()),
        ([], True, ()),
    ],
)
def test_best_ways_come_first(offered: list[str], protected: bool, ways: tuple[Way, ...]) -> None:
    assert ways_with_password(offered, protected=protected) == ways


def test_a_token_goes_only_where_tokens_are_taken() -> None:
    assert ways_with_token(["PLAIN", "OAUTHBEARER", "xoauth2"]) == (Way.XOAUTH2, Way.OAUTHBEARER)
    assert ways_with_token(["PLAIN", "LOGIN"]) == ()
    assert token_attempts(["PLAIN", "LOGIN"], Credentials("alex", "t")) == ()


@pytest.mark.parametrize("octets", [1, 300, 340, 341, 342, 343, 344, 345, 346, 347, 348, 349, 350, 3_000])
def test_a_token_goes_along_with_auth_where_it_fits_on_the_line(octets: int) -> None:
    credentials = Credentials("alex", "t" * octets)
    attempts = token_attempts(["oauthbearer", "XOAUTH2"], credentials)
    assert [attempt.exchange.mechanism for attempt in attempts] == ["XOAUTH2"] * 2 + ["OAUTHBEARER"] * 2
    assert [attempt.spare for attempt in attempts] == [False, True] * 2
    for first, second in (attempts[:2], attempts[2:]):
        along = first.initial_response or second.initial_response
        assert along is not None
        line = b"AUTH " + first.exchange.mechanism.encode() + b" " + along + b"\r\n"
        assert first.on_one_line == (len(line) <= LONGEST_AUTH_LINE)
        assert second.on_one_line != first.on_one_line


@given(st.lists(st.text(max_size=12)), st.booleans())
def test_only_what_is_offered_is_tried(offered: list[str], protected: bool) -> None:
    names = {name.upper() for name in offered}
    assert {way.value for way in ways_with_password(offered, protected=protected)} <= names


@pytest.mark.parametrize("bad", ["", "a\rb", "a\nb", "a\0b", "a\ud800b", "ü" * (LONGEST_CREDENTIALS // 2)])
def test_what_cannot_be_sent_is_refused(bad: str) -> None:
    for credentials in (Credentials(bad, "fine"), Credentials("fine", bad)):
        with pytest.raises(UnusableCredentials) as caught:
            check(credentials)
        assert not caught.value.retryable
        assert not bad or bad not in str(caught.value)


@pytest.mark.parametrize("bad", ["", "a\rb", "a\0b", "a\x01b", "a\ud800b", "t" * LONGEST_CREDENTIALS])
def test_a_token_that_cannot_be_sent_is_called_by_its_name(bad: str) -> None:
    with pytest.raises(UnusableCredentials) as caught:
        check(Credentials("fine", bad, SecretKind.ACCESS_TOKEN))
    assert "access token" in str(caught.value)
    assert "password" not in str(caught.value)
    assert str(caught.value).endswith("; sign in again at the provider.")


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_longest_credentials_fit_on_a_line(way: Way, share: float) -> None:
    name = max(1, int((LONGEST_CREDENTIALS - 1) * share))
    credentials = Credentials("n" * name, "s" * (LONGEST_CREDENTIALS - name))
    check(credentials)
    exchange = EXCHANGES[way](credentials)
    for step in range(len(exchange.answers)):
        answer = exchange.answer(step, b"")
        assert answer is not None
        assert len(answer) + 2 <= LONGEST_ANSWER
