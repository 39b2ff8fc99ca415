"""What a server said, made fit for a log and for a person: no control characters, no secrets, not too long."""

import re
from collections.abc import Iterable, Iterator

LONGEST_TEXT = 200
HIDDEN = "[hidden]"

LONG_SECRET = 32
"""Characters from which on a secret is looked for in pieces too: servers cut what they echo."""

SHORTEST_PIECE = 12
"""Characters in a row that are taken for a piece of a long secret."""

_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}

_ESCAPE_SEQUENCES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours and cursor movements
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # window titles and links
    r"|\x1b[@-_]?"
)


def clean(text: bytes, hidden: Iterable[str] = (), *, longest: int = LONGEST_TEXT) -> str:
    """A server's text as one printable line of at most ``longest`` characters, with everything in ``hidden`` taken out.

    Secrets are looked for before and after the cleaning: a control character inside an echoed password must not
    carry it past the search. Of long ones, such as access tokens, pieces are taken out as well.
    """
    secrets = sorted({secret for secret in hidden if secret}, key=len, reverse=True)
    shown = _redact(text.decode("utf-8", "replace"), secrets)
    shown = _redact(_printable(shown), [printable for secret in secrets if (printable := _printable(secret))])
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def _printable(text: str) -> str:
    text = _ESCAPE_SEQUENCES.sub("", text)
    # str.isprintable is also false for the characters that turn the direction of writing
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _redact(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = re.sub(re.escape(secret), HIDDEN, text, flags=re.IGNORECASE)
    return _redact_pieces(text, [secret for secret in secrets if len(secret) >= LONG_SECRET])


def _redact_pieces(text: str, secrets: list[str]) -> str:
    """Take out whatever is part of a secret for at least so many characters in a row, whatever stands around it."""
    if not secrets:
        return text
    pieces = {piece for secret in secrets for piece in _pieces(secret)}
    shown: list[str] = []
    end = -1
    for at, piece in enumerate(_pieces(text)):
        if piece in pieces:
            if at > end:
                shown += [text[max(end, 0) : at], HIDDEN]
            end = at + SHORTEST_PIECE
    return "".join([*shown, text[max(end, 0) :]])


def _pieces(text: str) -> Iterator[str]:
    folded = text.translate(_LOWER)
    return (folded[at : at + SHORTEST_PIECE] for at in range(len(folded) - SHORTEST_PIECE + 1))
