"""What a server said, made fit for a log and for a person: no control characters, no secrets, not too long."""

import re
from collections.abc import Iterable

LONGEST_TEXT = 200
HIDDEN = "[hidden]"

_ESCAPE_SEQUENCES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours and cursor movements
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # window titles and links
    r"|\x1b[@-_]?"
)


def clean(text: bytes, hidden: Iterable[str] = (), *, longest: int = LONGEST_TEXT) -> str:
    """A server's text as one printable line of at most ``longest`` characters, with everything in ``hidden`` taken out.

    Secrets are looked for before and after the cleaning: a control character inside an echoed password must not
    carry it past the search.
    """
    secrets = sorted({secret for secret in hidden if secret}, key=len, reverse=True)
    shown = _redact(text.decode("utf-8", "replace"), secrets)
    shown = _redact(_printable(shown), [printable for secret in secrets if (printable := _printable(secret))])
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def _printable(text: str) -> str:
    text = _ESCAPE_SEQUENCES.sub("", text)
    # str.isprintable is also false for the characters that turn the direction of writing
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _redact(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        text = re.sub(re.escape(secret), HIDDEN, text, flags=re.IGNORECASE)
    return text
