"""Which ways to sign in are tried, and what can be sent at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popfetch.dialogue.sasl import Credentials
from popfetch.smtp.errors import UnusableCredentials
from popfetch.smtp.sign_in import EXCHANGES, LONGEST_CREDENTIALS, Way, check, ways_with_password, ways_with_token

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
