"""Marks upon letters: what is written keeps all of its own, and what is made to hold a page up loses them."""

import unicodedata

import pytest

from popfetch.domain.marks import MOST_MARKS, with_few_marks

ACUTE = "\u0301"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello",
        "Chúc mừng năm học mới " * 100,
        unicodedata.normalize("NFD", "Cuộc họp thứ Hai, ngày hai mươi ba tháng Mười một"),
        "会議は来週の月曜日に延期されました。" * 10,
        "नमस्ते दुनिया क्ष्म्य " * 10,
        "👩\u200d👩\u200d👧\u200d👦🏳️\u200d🌈" * 20,
        "e" + ACUTE * MOST_MARKS,
    ],
)
def test_what_anybody_writes_stays_as_it_is(text: str) -> None:
    assert with_few_marks(text) == text


@pytest.mark.parametrize("mark", [ACUTE, "\u20dd", "\ufe0f", "\U000e0100", "\u200d", ACUTE + "\u200c"])
def test_of_more_marks_than_any_writing_has_the_first_are_kept(mark: str) -> None:
    assert with_few_marks(f"a{mark * 50_000}b") == f"a{(mark * MOST_MARKS)[:MOST_MARKS]}b"
