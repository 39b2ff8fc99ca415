"""Server texts made fit for logs and people."""

import pytest

from popfetch.dialogue.texts import LONG_SECRET, clean


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (b"plain words", "plain words"),
        (b"\x1b[1;31mred\x1b[0m", "red"),
        (b"\x1b]0;new title\x07words", "words"),
        (b"\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\", "click"),
        (b"a\x00b\x08c\x7fd", "a b c d"),
        (b"  many\t blanks  ", "many blanks"),
        ("turn \u202eground".encode(), "turn ground"),
        ("Zugriff für Benutzer abgelehnt".encode(), "Zugriff für Benutzer abgelehnt"),
        (b"latin \xfc", "latin \ufffd"),
        (b"", ""),
    ],
)
def test_control_characters_and_escapes_are_taken_out(text: bytes, shown: str) -> None:
    assert clean(text) == shown


def test_long_texts_are_cut() -> None:
    assert clean(b"x" * 300) == "x" * 199 + "…"
    assert clean(b"x" * 200) == "x" * 200


@pytest.mark.parametrize(
    "text",
    [
        b"bad password open sesame",
        b"bad password OPEN SESAME",
        b"open\x00 sesame",
        b"open\x1b[1m sesame",
        b"open \x07 sesame",
        b"x" * 190 + b"open sesame",
    ],
)
def test_secrets_are_hidden_in_every_disguise(text: bytes) -> None:
    shown = clean(text, ["open sesame"])
    assert "sesame" not in shown.lower()
    assert "open" not in shown.lower()


def test_an_escape_sequence_that_swallows_half_a_secret_does_not_show_the_other_half() -> None:
    assert "sesame" not in clean(b"bad \x1b[3Xopen sesame", ["3Xopen sesame"])


def test_the_longer_secret_goes_first() -> None:
    assert clean(b"secret-and-more", ["secret", "secret-and-more"]) == "[hidden]"


def test_an_empty_secret_hides_nothing() -> None:
    assert clean(b"words", [""]) == "words"


LONG = "0123456789abcdefghijABCDEFGHIJ-._~"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"bad {LONG[:12]}", "bad [hidden]"),
        (f"bad {LONG[:11]}", f"bad {LONG[:11]}"),
        (f"bad x{LONG[-12:]}y", "bad x[hidden]y"),
        (f"{LONG[:20].upper()} is bad", "[hidden] is bad"),
        (f"{LONG[:20]}{LONG[5:25]}", "[hidden]"),
        (f"{LONG[:14]} and {LONG[9:]}", "[hidden] and [hidden]"),
        (f"{LONG}{LONG[:12]}", "[hidden][hidden]"),
        (f"{LONG[:10]}\x1b[1m{LONG[10:20]}", "[hidden]"),
    ],
)
def test_of_a_long_secret_the_pieces_are_hidden_too(text: str, shown: str) -> None:
    assert len(LONG) >= LONG_SECRET
    assert clean(text.encode(), [LONG]) == shown


def test_of_a_short_secret_pieces_may_be_words() -> None:
    secret = "correct horse battery"
    assert clean(b"correct horse is no sign-in", [secret]) == "correct horse is no sign-in"
