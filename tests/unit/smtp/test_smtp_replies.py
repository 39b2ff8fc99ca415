"""Replies: codes, enhanced status codes, and the text as one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popfetch.smtp.replies import Reply


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"5.7.8 Error: authentication failed", "5.7.8"),
        (b"5.7.139 Authentication unsuccessful", "5.7.139"),
        (b"#5.7.0 Authentication failed", "5.7.0"),
        (b"authorization failed (#5.7.0)", "5.7.0"),
        (b"4.7.0", "4.7.0"),
        (b"5.7.8\nnext", "5.7.8"),
        (b"", ""),
        (b"Authentication failed", ""),
        (b"192.0.2.1 is blocked", ""),
        (b"5.7.8.9 is no status", ""),
        (b"3.7.8 neither", ""),
        (b"see 5.7.8", ""),
    ],
)
def test_status_is_found_where_it_belongs(text: bytes, status: str) -> None:
    assert Reply(535, text).status == status


def test_words_do_not_repeat_the_status_of_every_line() -> None:
    reply = Reply(
        534, b"5.7.9 Application-specific password required. For more\n5.7.9  information, go to\n5.7.9 there"
    )
    assert reply.words == b"5.7.9 Application-specific password required. For more information, go to there"


@pytest.mark.parametrize(
    ("code", "text", "temporary"),
    [
        (454, b"", True),
        (535, b"4.7.0 x", True),
        (454, b"5.7.8 x", True),
        (535, b"5.7.8 x", False),
        (250, b"4.0.0", False),
    ],
)
def test_the_milder_of_code_and_status_is_believed(code: int, text: bytes, temporary: bool) -> None:
    assert Reply(code, text).temporary is temporary


@given(st.integers(), st.binary(max_size=200))
def test_any_reply_can_be_read(code: int, text: bytes) -> None:
    reply = Reply(code, text)
    assert reply.known == (200 <= code <= 599)
    assert reply.refuses == (400 <= code <= 599)
    assert b"\n" not in reply.words
    assert reply.status == "" or reply.status[0] in "245"
