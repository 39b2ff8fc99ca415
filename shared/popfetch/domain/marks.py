"""Marks upon letters: none of them where text is compared, and no more than any writing has where it is shown.

A browser takes time that grows with the square of their number to draw a letter with its marks: fifty thousand upon one
letter, in a message of 100 KB, hold a page up for a minute. Unicode itself calls a text safe that has no more than
thirty in a row (UAX #15, Stream-Safe Text Format).
"""

import re
import unicodedata
from collections.abc import Iterator

MOST_MARKS = 30

_MAY_HAVE_MORE = re.compile(rf"[\u0300-\U0010ffff]{{{MOST_MARKS + 1},}}")
_JOINERS = "\u200c\u200d"


def without_marks(text: str) -> str:
    """A text with its letters alone, taken apart by compatibility (UAX #15, NFKD)."""
    parts = unicodedata.normalize("NFKD", text)
    letters = "".join(part for part in parts if not unicodedata.combining(part))
    # the stroke of this letter is no mark that could be taken off
    return letters.replace("đ", "d").replace("Đ", "D")


def with_few_marks(text: str) -> str:
    """A text without the marks that stand beyond the thirtieth in a row; joiners count as marks."""
    return _MAY_HAVE_MORE.sub(lambda found: "".join(_few(found[0])), text)


def _few(text: str) -> Iterator[str]:
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character)[0] == "M" or character in _JOINERS else 0
        if marks <= MOST_MARKS:
            yield character
