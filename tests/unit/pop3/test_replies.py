"""Readers of single lines: what they understand, and what they refuse to guess."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popfetch.pop3 import replies
from popfetch.pop3.errors import ProtocolViolation
from popfetch.pop3.replies import Capabilities


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"[IN-USE] locked", "IN-USE"),
        (b"  [sys/temp] later", "SYS/TEMP"),
        (b"[AUTH]no", "AUTH"),
        (b"no [AUTH] here", ""),
        (b"[not a code] text", ""),
        (b"[" + b"A" * 65 + b"]", ""),
        (b"", ""),
    ],
)
def test_response_code_stands_first_in_brackets(text: bytes, code: str) -> None:
    assert replies.response_code(text) == code


class TestCapabilities:
    def test_are_read_whatever_their_case(self) -> None:
        offer = replies.parse_capabilities([b"TOP", b"sasl plain CRAM-MD5", b"Login-Delay 300", b"PIPELINING", b"UIDL"])
        assert offer == Capabilities(
            frozenset({"TOP", "SASL", "LOGIN-DELAY", "PIPELINING", "UIDL"}), frozenset({"PLAIN", "CRAM-MD5"}), 300
        )

    @pytest.mark.parametrize("seconds", [b"86401", b"999999999", b"9" * 5_000])
    def test_want_no_longer_pause_than_a_day(self, seconds: bytes) -> None:
        assert replies.parse_capabilities([b"LOGIN-DELAY " + seconds]).login_delay == 24 * 60 * 60

    def test_that_are_malformed_are_as_if_not_there(self) -> None:
        offer = replies.parse_capabilities([b"EXPIRENEVER", b"", b"   ", b"LOGIN-DELAY soon", b"\xff\x00", b"USER"])
        assert "USER" in offer
        assert "EXPIRE" not in offer
        assert offer.login_delay is None
        assert offer.mechanisms == frozenset()


class TestStat:
    @pytest.mark.parametrize(
        ("text", "size"),
        [
            (b"2 320", (2, 320)),
            (b"0 0 nothing here", (0, 0)),
            (b"7", (7, 0)),
            (b"7 many", (7, 0)),
            (b"7 -1", (7, 0)),
            (b" 2\t320", (2, 320)),
        ],
    )
    def test_count_is_a_must_and_octets_are_not(self, text: bytes, size: tuple[int, int]) -> None:
        assert replies.parse_stat(text) == size

    @pytest.mark.parametrize("text", [b"", b"many", b"-1 5", b"1_0 5", b"9" * 19, "\u0663 5".encode()])
    def test_without_count_is_refused(self, text: bytes) -> None:
        with pytest.raises(ProtocolViolation):
            replies.parse_stat(text)


class TestListRow:
    @pytest.mark.parametrize(
        ("row", "read"),
        [
            (b"1 120", (1, 120)),
            (b"1   120 extra", (1, 120)),
            (b"1", (1, 0)),
            (b"1 garbage", (1, 0)),
            (b" 1\t120", (1, 120)),
            (b"2 " + b"9" * 30, (2, 0)),
        ],
    )
    def test_size_is_what_it_can_be(self, row: bytes, read: tuple[int, int]) -> None:
        assert replies.parse_list_row(row) == read

    @pytest.mark.parametrize("row", [b"", b"x 120", b"0 120", b"+1 120", b"Subject: hello"])
    def test_without_number_is_refused(self, row: bytes) -> None:
        with pytest.raises(ProtocolViolation):
            replies.parse_list_row(row)


class TestUidlRow:
    @pytest.mark.parametrize(
        ("row", "read"),
        [
            (b"1 whqtswO00WBw418f9t5JxYwZ", (1, b"whqtswO00WBw418f9t5JxYwZ")),
            (b"1  a b  c ", (1, b"a b  c ")),
            (b"1\tx", (1, b"x")),
            (b" 12 x", (12, b"x")),
            (b"1", (1, b"")),
            (b"1 ", (1, b"")),
            (b"1 \xff\x00\x80", (1, b"\xff\x00\x80")),
            (b"1 " + b"u" * 1500, (1, b"u" * 1500)),
        ],
    )
    def test_uid_is_everything_behind_the_number(self, row: bytes, read: tuple[int, bytes]) -> None:
        assert replies.parse_uidl_row(row) == read

    @pytest.mark.parametrize("row", [b"", b"uid 1", b"0 uid", b"1x uid", b"-1 uid"])
    def test_without_number_is_refused(self, row: bytes) -> None:
        with pytest.raises(ProtocolViolation):
            replies.parse_uidl_row(row)

    @given(
        number=st.integers(1, 10**9),
        blanks=st.sampled_from([b" ", b"  ", b"\t"]),
        uid=st.binary(max_size=1200).map(lambda uid: uid.replace(b"\n", b"").lstrip(b" \t")),
    )
    def test_any_uid_comes_through(self, number: int, blanks: bytes, uid: bytes) -> None:
        assert replies.parse_uidl_row(b"%d%s%s" % (number, blanks, uid)) == (number, uid)


@given(line=st.binary(max_size=80))
def test_no_line_breaks_a_reader_otherwise(line: bytes) -> None:
    replies.parse_status(line)
    replies.response_code(line)
    replies.parse_capabilities([line])
    for reader in (replies.parse_stat, replies.parse_list_row, replies.parse_uidl_row):
        try:
            assert reader(line)
        except ProtocolViolation:
            continue
