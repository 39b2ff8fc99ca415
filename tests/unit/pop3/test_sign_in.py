"""Which ways to sign in are tried, and when the next one may be."""

import pytest

from popfetch.dialogue.bearer import Verdict
from popfetch.pop3.replies import Capabilities
from popfetch.pop3.sasl import Credentials
from popfetch.pop3.sign_in import (
    Way,
    may_try_next,
    token_attempts,
    token_verdict,
    ways_with_password,
    ways_with_token,
)


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


@pytest.mark.parametrize("token", ["t", "t" * 3_000])
def test_a_token_goes_when_it_is_asked_for_and_along_with_auth_only_in_need(token: str) -> None:
    attempts = token_attempts(offer("OAUTHBEARER", "XOAUTH2"), Credentials("alex", token))
    assert [(attempt.exchange.mechanism, attempt.on_one_line, attempt.spare) for attempt in attempts] == [
        ("XOAUTH2", False, False),
        ("XOAUTH2", True, True),
        ("OAUTHBEARER", False, False),
        ("OAUTHBEARER", True, True),
    ]


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


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        # nothing but no: some want the token at once
        (b"", Verdict.FORM),
        (b"no", Verdict.FORM),
        (b"Protocol error. Connection is closed. 10", Verdict.FORM),
        (b"[WHATEVER] no", Verdict.FORM),
        (b"syntax error", Verdict.FORM),
        (b"Invalid command", Verdict.FORM),
        (b"AUTH without initial response not supported", Verdict.FORM),
        (b"command not valid: missing argument", Verdict.FORM),
        (b"authentication failed", Verdict.FORM),
        # no such mechanism
        (b"unknown command", Verdict.MECHANISM),
        (b"unknown mechanism", Verdict.MECHANISM),
        (b"[AUTH] Unsupported authentication mechanism.", Verdict.MECHANISM),
        (b"Unimplemented", Verdict.MECHANISM),
        # something else is the matter
        (b"[AUTH] no", Verdict.FINAL),
        (b"[AUTH] POP3 is disabled", Verdict.FINAL),
        (b"[SYS/TEMP] syntax error", Verdict.FINAL),
        (b"[IN-USE] x", Verdict.FINAL),
        (b"Exceeded the login limit for a 15 minute period. Reduce the frequency of requests.", Verdict.FINAL),
        (b"POP3 is disabled for this account", Verdict.FINAL),
        (b"too many syntax errors, try again later", Verdict.FINAL),
    ],
)
def test_a_refusal_of_auth_before_the_token_came_says_what_may_be_tried(text: bytes, verdict: Verdict) -> None:
    assert token_verdict(text, token_sent=False, challenged=False) is verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (b"unknown command", Verdict.MECHANISM),
        (b"unknown mechanism", Verdict.MECHANISM),
        (b"syntax error", Verdict.MECHANISM),
        (b"", Verdict.FINAL),
        (b"no", Verdict.FINAL),
        (b"Protocol error. Connection is closed. 10", Verdict.FINAL),
        (b"AUTH token not valid", Verdict.FINAL),
        (b"unsupported method: Bearer", Verdict.FINAL),
        (b"[AUTH] Unsupported authentication mechanism.", Verdict.FINAL),
    ],
)
def test_a_refusal_of_auth_with_the_token_leaves_only_the_other_mechanism(text: bytes, verdict: Verdict) -> None:
    assert token_verdict(text, token_sent=True, challenged=False) is verdict


@pytest.mark.parametrize("text", [b"", b"no", b"unknown mechanism", b"syntax error", b"[AUTH] no"])
@pytest.mark.parametrize("token_sent", [True, False])
def test_a_refusal_after_a_challenge_leaves_nothing(text: bytes, token_sent: bool) -> None:
    assert token_verdict(text, token_sent=token_sent, challenged=True) is Verdict.FINAL
