"""Which ways to sign in are tried, and when the next one may be."""

import pytest

from popfetch.pop3.replies import Capabilities
from popfetch.pop3.sign_in import Way, may_try_next, ways_with_password, ways_with_token


def offer(*mechanisms: str, user: bool = True) -> Capabilities:
    return Capabilities(frozenset({"UIDL", "USER"} if user else {"UIDL"}), frozenset(mechanisms))


ALL = offer("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1")


class TestOverTls:
    @pytest.mark.parametrize(
        ("announced", "timestamp", "ways"),
        [
            (ALL, True, (Way.PLAIN, Way.USER, Way.LOGIN, Way.CRAM_MD5, Way.APOP)),
            (offer(), False, (Way.USER,)),
            (None, False, (Way.USER,)),
            (None, True, (Way.USER, Way.APOP)),
            (offer("CRAM-MD5", user=False), False, (Way.CRAM_MD5, Way.USER)),
            (offer(user=False), False, (Way.USER,)),
            (offer("LOGIN", user=False), True, (Way.LOGIN, Way.APOP, Way.USER)),
        ],
    )
    def test_a_simple_way_that_works_comes_first(
        self, announced: Capabilities | None, timestamp: bool, ways: tuple[Way, ...]
    ) -> None:
        assert ways_with_password(announced, timestamp=timestamp, protected=True) == ways


class TestInClear:
    @pytest.mark.parametrize(
        ("announced", "timestamp", "ways"),
        [
            (ALL, True, (Way.CRAM_MD5, Way.APOP, Way.PLAIN, Way.USER, Way.LOGIN)),
            (offer(), True, (Way.APOP, Way.USER)),
            (None, True, (Way.APOP, Way.USER)),
            (None, False, (Way.USER,)),
            (offer("PLAIN", user=False), False, (Way.PLAIN, Way.USER)),
            (offer("CRAM-MD5", user=False), False, (Way.CRAM_MD5,)),
            (offer(user=False), True, (Way.APOP,)),
            (Capabilities(frozenset({"SASL", "USER"}), frozenset()), True, (Way.APOP,)),
            (Capabilities(frozenset({"SASL", "USER"}), frozenset({"NTLM"})), False, (Way.USER,)),
            (Capabilities(frozenset({"SASL", "USER"}), frozenset({"PLAIN"})), True, (Way.APOP, Way.PLAIN, Way.USER)),
        ],
    )
    def test_ways_that_hide_the_password_come_first(
        self, announced: Capabilities | None, timestamp: bool, ways: tuple[Way, ...]
    ) -> None:
        assert ways_with_password(announced, timestamp=timestamp, protected=False) == ways


def test_a_token_goes_the_way_that_is_announced() -> None:
    assert ways_with_token(offer("PLAIN", "XOAUTH2")) == (Way.XOAUTH2,)
    assert ways_with_token(offer("OAUTHBEARER")) == (Way.OAUTHBEARER,)
    assert ways_with_token(offer()) == (Way.XOAUTH2,)
    assert ways_with_token(None) == (Way.XOAUTH2,)


@pytest.mark.parametrize(
    ("way", "text", "protected", "sent", "may"),
    [
        # the mechanism itself was refused
        (Way.CRAM_MD5, b"unknown mechanism", False, False, True),
        (Way.CRAM_MD5, b"[AUTH] Unsupported authentication mechanism.", False, False, True),
        (Way.PLAIN, b"unknown command", True, True, True),
        (Way.APOP, b"unknown command", False, True, True),
        (Way.LOGIN, b"no", True, False, True),
        (Way.USER, b"unknown command", True, False, True),
        (Way.USER, b"[AUTH] Unsupported authentication mechanism.", True, True, True),
        # a challenge that failed over TLS may never have worked
        (Way.CRAM_MD5, b"", True, True, True),
        # without TLS it would show the password to whoever refused on purpose
        (Way.CRAM_MD5, b"", False, True, False),
        # a timestamp is no offer: APOP may fail though the password is right
        (Way.APOP, b"authentication failed", True, True, True),
        (Way.APOP, b"authentication failed", False, True, True),
        (Way.APOP, b"[AUTH] Bad login", False, True, True),
        (Way.APOP, b"[AUTH] no", True, True, True),
        (Way.APOP, b"[IN-USE] x", False, True, False),
        # everything else would count twice
        (Way.PLAIN, b"authentication failed", True, True, False),
        (Way.PLAIN, b"", True, True, False),
        (Way.USER, b"no such user", True, False, False),
        (Way.PLAIN, b"[AUTH] unknown mechanism", True, True, False),
        (Way.USER, b"[AUTH] Unsupported authentication mechanism.", False, True, False),
        # and a server in trouble is left alone
        (Way.LOGIN, b"[IN-USE] x", True, False, False),
        (Way.CRAM_MD5, b"[SYS/TEMP] x", True, True, False),
    ],
)
def test_another_way_is_tried_only_where_that_is_safe(
    way: Way, text: bytes, protected: bool, sent: bool, may: bool
) -> None:
    assert may_try_next(way, text, protected=protected, credentials_sent=sent) is may
