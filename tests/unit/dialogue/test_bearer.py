"""What servers have against access tokens, and what is tried after a refusal."""

import json
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popfetch.dialogue import sasl
from popfetch.dialogue.bearer import (
    LONGEST_COMPLAINT,
    Attempt,
    Complaint,
    Fault,
    Verdict,
    after_refusal,
    attempts,
    read_complaint,
    speaks_of_token,
)
from popfetch.dialogue.sasl import Credentials, SecretKind

CREDENTIALS = Credentials("tim", "token", SecretKind.ACCESS_TOKEN)
XOAUTH2 = sasl.xoauth2(CREDENTIALS)
OAUTHBEARER = sasl.oauthbearer(CREDENTIALS)
OF_RFC_7628 = (
    b"eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NvcGUiOiJleGFtcGxlX3Njb3BlIiwib3BlbmlkLWNvbmZpZ3VyYXRpb24iOiJodHRwczovL2V4"
    b"YW1wbGUuY29tLy53ZWxsLWtub3duL29wZW5pZC1jb25maWd1cmF0aW9uIn0="
)
NO_STATUSES: list[object] = [None, True, 4.5, [], {}, ["400"], "", " ", "a b", "é", "\ud800", "x" * 65]
OF_GOOGLE = b"eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ=="


def challenge(said: object) -> bytes:
    return b64encode(json.dumps(said).encode())


class TestComplaints:
    @pytest.mark.parametrize(
        ("text", "status"),
        [
            (OF_RFC_7628, "invalid_token"),
            (OF_GOOGLE, "400"),
            (OF_GOOGLE.rstrip(b"="), "400"),
            (challenge({"status": 401}), "401"),
            (challenge({"status": "Insufficient_Scope", "scope": None, "more": [1, {}]}), "Insufficient_Scope"),
        ],
    )
    def test_are_read(self, text: bytes, status: str) -> None:
        assert read_complaint(text) == Complaint(status)

    @pytest.mark.parametrize(
        "text",
        [
            b"",
            b"no base64!",
            b"====",
            b"A",
            b64encode(b""),
            b64encode(b"prose"),
            b64encode(b'{"status":'),
            b64encode(b'{"status":"\xff\xfe"}'),
            b64encode('{"status":"400"}'.encode("utf-16")),
            b64encode(b"[" * 3_000),
            b64encode(b'{"status":' * 300),
            b64encode(b'{"status":' + b"9" * 3_000 + b"}"),
            b64encode(b'{"status":NaN}'),
            challenge(None),
            challenge("400"),
            challenge(["status", "400"]),
            challenge({}),
            challenge({"error": "invalid_token"}),
            *(challenge({"status": wrong}) for wrong in NO_STATUSES),
            challenge({"status": "400", "more": "x" * LONGEST_COMPLAINT}),
        ],
    )
    def test_that_make_no_sense_are_none(self, text: bytes) -> None:
        assert read_complaint(text) is None

    @given(st.binary(max_size=2 * LONGEST_COMPLAINT) | st.binary(max_size=LONGEST_COMPLAINT // 2).map(b64encode))
    def test_are_read_or_not_whatever_comes(self, text: bytes) -> None:
        complaint = read_complaint(text)
        assert complaint is None or complaint.status.isprintable()

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80),
            lambda inner: (
                st.lists(inner, max_size=4)
                | st.dictionaries(
                    st.sampled_from(["status", "scope", "schemes"]) | st.text(max_size=8), inner, max_size=4
                )
            ),
        )
    )
    def test_are_short_plain_words_whatever_json_comes(self, said: object) -> None:
        complaint = read_complaint(challenge(said))
        if complaint is not None:
            assert isinstance(said, dict)
            assert str(said["status"]) == complaint.status
            assert 1 <= len(complaint.status) <= 64
            assert complaint.status.isascii()

    @pytest.mark.parametrize(
        ("status", "fault"),
        [
            ("invalid_token", Fault.TOKEN),
            ("invalid_request", Fault.TOKEN),
            ("400", Fault.TOKEN),
            ("401", Fault.TOKEN),
            ("whatever", Fault.TOKEN),
            ("5", Fault.TOKEN),
            ("5xx", Fault.TOKEN),
            ("5000", Fault.TOKEN),
            ("insufficient_scope", Fault.SCOPE),
            ("INSUFFICIENT_SCOPE", Fault.SCOPE),
            ("403", Fault.SCOPE),
            ("429", Fault.PACE),
            ("slow_down", Fault.PACE),
            ("temporarily_unavailable", Fault.SERVER),
            ("server_error", Fault.SERVER),
            ("500", Fault.SERVER),
            ("503", Fault.SERVER),
        ],
    )
    def test_say_what_would_help(self, status: str, fault: Fault) -> None:
        assert Complaint(status).fault is fault

    @pytest.mark.parametrize(
        ("on_one_line", "challenges", "complaint"),
        [
            (True, [], None),
            (True, [OF_GOOGLE], "400"),
            (True, [b"prose", OF_GOOGLE, OF_RFC_7628], "400"),
            (False, [b""], None),
            (False, [b"", OF_RFC_7628], "invalid_token"),
            # what was said before the token came is not about it
            (False, [OF_GOOGLE], None),
            (False, [OF_GOOGLE, b"prose"], None),
        ],
    )
    def test_come_once_the_token_was_shown(
        self, on_one_line: bool, challenges: list[bytes], complaint: str | None
    ) -> None:
        heard = Attempt(XOAUTH2, on_one_line, spare=False).complaint(challenges)
        assert (heard.status if heard else None) == complaint


@pytest.mark.parametrize("words", ["token scheme not supported", "Bearer auth not valid", "credentials", "EXPIRED"])
def test_a_refusal_that_speaks_of_the_token_is_none_of_the_mechanism(words: str) -> None:
    assert speaks_of_token(words)


def test_a_refusal_of_the_mechanism_does_not_speak_of_the_token() -> None:
    assert not speaks_of_token("AUTH mechanism XOAUTH2 not supported")


def named(left: tuple[Attempt, ...]) -> list[str]:
    return [f"{attempt.exchange.mechanism}{' on one line' if attempt.on_one_line else ''}" for attempt in left]


XO, XO_ON_ONE_LINE = "XOAUTH2", "XOAUTH2 on one line"
OB, OB_ON_ONE_LINE = "OAUTHBEARER", "OAUTHBEARER on one line"
LINE = len(b"AUTH XOAUTH2 \r\n") + len(XOAUTH2.initial_response() or b"")


class TestAttempts:
    @pytest.mark.parametrize(
        ("longest_line", "expected"),
        [
            (0, [XO, XO_ON_ONE_LINE, OB, OB_ON_ONE_LINE]),
            (512, [XO_ON_ONE_LINE, XO, OB_ON_ONE_LINE, OB]),
            (LINE, [XO_ON_ONE_LINE, XO, OB, OB_ON_ONE_LINE]),
            (LINE - 1, [XO, XO_ON_ONE_LINE, OB, OB_ON_ONE_LINE]),
        ],
    )
    def test_begin_with_the_form_that_fits(self, longest_line: int, expected: list[str]) -> None:
        left = attempts([XOAUTH2, OAUTHBEARER], longest_line)
        assert named(left) == expected
        assert [attempt.spare for attempt in left] == [False, True, False, True]

    def test_put_the_token_on_one_line_whatever_its_length(self) -> None:
        long = sasl.xoauth2(Credentials("tim", "t" * 9_000, SecretKind.ACCESS_TOKEN))
        asked_for, along = attempts([long], 0)
        assert asked_for.initial_response is None
        assert len(along.initial_response or b"") > 12_000

    @pytest.mark.parametrize(
        ("verdicts", "left"),
        [
            ([Verdict.FINAL], []),
            ([Verdict.MECHANISM], [OB, OB_ON_ONE_LINE]),
            ([Verdict.MECHANISM, Verdict.FORM], [OB_ON_ONE_LINE]),
            ([Verdict.MECHANISM, Verdict.MECHANISM], []),
            # the other form is tried once in a dial
            ([Verdict.FORM], [XO_ON_ONE_LINE, OB]),
            ([Verdict.FORM, Verdict.FORM], []),
            ([Verdict.FORM, Verdict.FINAL], []),
            ([Verdict.FORM, Verdict.MECHANISM], [OB]),
            ([Verdict.FORM, Verdict.MECHANISM, Verdict.FORM], []),
        ],
    )
    def test_are_ruled_out_by_refusals(self, verdicts: list[Verdict], left: list[str]) -> None:
        remaining = attempts([XOAUTH2, OAUTHBEARER], 0)
        for verdict in verdicts:
            remaining = after_refusal(remaining, verdict)
        assert named(remaining) == left

    @given(st.lists(st.sampled_from(Verdict), min_size=4, max_size=4), st.sampled_from([0, LINE, 512]))
    def test_are_three_at_most_and_one_of_them_in_the_other_form(
        self, verdicts: list[Verdict], longest_line: int
    ) -> None:
        remaining = attempts([XOAUTH2, OAUTHBEARER], longest_line)
        tried: list[Attempt] = []
        for verdict in verdicts:
            if not remaining:
                break
            tried.append(remaining[0])
            remaining = after_refusal(remaining, verdict)
        assert not remaining
        assert len(tried) <= 3
        assert len(set(named(tuple(tried)))) == len(tried)
        assert sum(attempt.spare for attempt in tried) <= 1

    def test_show_no_secret(self) -> None:
        assert "token" not in repr(attempts([XOAUTH2, OAUTHBEARER], 512)).replace("TOKEN", "")
