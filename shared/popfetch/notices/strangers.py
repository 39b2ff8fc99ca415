"""What people and servers wrote, made fit to stand among words of ours.

It is cleaned of whatever is no visible character, and set apart so that its direction of writing does not spill over.
"""

import re
import unicodedata

from popfetch.domain.account import Account

LONGEST_QUOTE = 300
"""Characters of a server's answer that are shown at most."""

APART, AGAIN = "\u2068", "\u2069"
"""First strong isolate, and its end: what lies between is written in its own direction."""

_PAUSE = "\u200b"
"""A space without width: no program takes what holds one for a link."""

_JOINERS = frozenset("\u200c\u200d")
"""Format characters that words and emoji are made of."""

_FLAG_TAGS = range(0xE0020, 0xE0080)
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_LINK_PARTS = re.compile(r"(?<=[.:/@])(?=\S)")


def one_line(text: str, longest: int | None = None) -> str:
    """One line of visible characters: no control, no line break, nothing that turns the direction of writing."""
    shown = "".join(character if _is_visible(character) else " " for character in text)
    line = " ".join(shown.split())
    return line if longest is None or len(line) <= longest else f"{line[: longest - 1]}…"


def foreign(text: str) -> str:
    """A name or address that popfetch did not write, fit to stand within a sentence."""
    return _apart(one_line(text))


def quoted(text: str) -> str:
    """What a server said, or an address in a mail to a stranger: 300 characters at most, and none becomes a link."""
    return _apart(_LINK_PARTS.sub(_PAUSE, one_line(text, LONGEST_QUOTE)))


def account_title(account: Account) -> str:
    """What an owner calls an account; its address where they have not named it."""
    return foreign(one_line(account.name) or account.email)


def account_name(account: Account) -> str:
    """An account's name with its address, which is not said twice."""
    title, address = account_title(account), foreign(account.email)
    return address if title == address else f"{title} ({address})"


def _is_visible(character: str) -> bool:
    category = unicodedata.category(character)
    if category == "Cf":
        return character in _JOINERS or ord(character) in _FLAG_TAGS
    return not category.startswith("C") and category not in {"Zl", "Zp"}


def _apart(text: str) -> str:
    if any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in text):
        return f"{APART}{text}{AGAIN}"
    return text
