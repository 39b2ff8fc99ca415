"""What POP3 servers in the wild do, numbered, and which tests say what popfetch does then.

``python -m tests.quirks`` prints all of it, ``python -m tests.quirks 18`` what there is on number 18, and
``pytest -m "quirk(number=18)"`` runs its tests. A test gets here by ``@pytest.mark.quirk(number=18, part="b")``, or by
``@pytest.mark.quirk(provider="Gmail")`` where it is about what a provider was reported to do.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

QUIRKS: dict[int, tuple[str, ...]] = {
    1: (
        "one message always fails, by -ERR, by closing or by hanging: those behind it are taken",
        "and it is quarantined for all to see, and tried again later",
        "the same at TOP",
    ),
    2: ("the connection is dropped every few messages: each cycle makes progress",),
    3: ("a new message has the UID of one that is stored: it is fetched",),
    4: ("one UID twice in a listing: both messages are fetched",),
    5: (
        "all UIDs change at once: nothing is stored again",
        "they change in each session: nothing is stored again",
    ),
    6: (
        "pipelining is announced and broken: given up, and remembered",
        "broken at the first commands already: the same",
        "pipelining is not announced: commands take turns",
    ),
    7: ("a message ends without its last line end: quarantined, never guessed at",),
    8: (
        "a body is not stuffed: junk where a reply should be drops the session, and nothing of it is stored or deleted",
        "a message is listed with octets and comes with none: neither stored nor deleted",
    ),
    9: (
        "a line of 3 MB: taken as it is",
        "octets that fit nothing: the session is over, whatever follows",
    ),
    10: ("STAT or UIDL tells another count than LIST: nothing is lost",),
    11: (
        "the greeting stalls: given up soon",
        "the TLS handshake stalls: given up soon",
        "anything else stalls: the session's deadline ends it",
        "octets drip: given up soon",
    ),
    12: (
        "[IN-USE], [LOGIN-DELAY], [SYS/TEMP]: the account backs off and goes on",
        "[AUTH], [SYS/PERM]: a person is needed",
        "-ERR without a code: rules over its text",
    ),
    13: ("a message is cut off: nothing is stored before its end",),
    14: ("no UIDL: the content stands in",),
    15: ("no TOP: messages are taken unseen, and bodies are never asked for by TOP",),
    16: (
        "CAPA is unknown: done without",
        "CAPA closes the connection: dialled without, and remembered",
    ),
    17: ("DELE is refused: noted, and the rest goes on",),
    18: (
        "QUIT is answered by -ERR: nothing counts as deleted",
        "QUIT is answered by closing: nothing counts as deleted",
        "QUIT says +OK and deletes nothing: deleted the next time, and stored once",
    ),
    19: (
        "a UID of 8-bit octets",
        "a UID of 1,000 octets, and of 8,000",
        "a UID with spaces",
        "UIDs in any order",
    ),
    20: ("NUL in a body", "bare CR in a body", "bare LF in a body, and dots behind it"),
    21: ("status lines end by LF alone: accepted",),
    22: ("status lines and greetings of hundreds of octets: accepted up to a limit",),
    23: ("an empty message is stored", "a message without header is stored"),
    24: (
        "sizes are zero, half or double: they decide nothing about content",
        "sizes change while a session lasts, by header fields that are added",
        "sizes are two octets short where the last line end is missing",
        "sizes never hold still: learned, and no longer compared",
    ),
    25: ("a timestamp in the greeting, and no APOP: seen through, and remembered",),
    26: (
        "STLS is stripped: no sign-in",
        "octets come ahead of the handshake: an error, and never input",
        "CAPA is asked again behind TLS",
        "CAPA is asked again after the sign-in, where that may bring something",
    ),
    27: ("an unknown authority, or any certificate that is not good: refused",),
    28: (
        "USER disappears from CAPA after the sign-in",
        "malformed lines of CAPA are passed over",
        "a wrong password takes 7 seconds: waited for",
        "a second session gets [IN-USE]: backs off",
    ),
}
"""The quirks, and their parts in the order of their letters; worst first."""

PROVIDERS = {
    "Gmail": "hides what was retrieved once QUIT is said, wants pauses of 300 seconds, tells PIPELINING late",
    "Microsoft": "takes XOAUTH2 in two lines only, tells no codes, and says things of its own",
    "163.com": "allows so much in a session, and says so by -ERR",
    "WEB.DE": "says 'wrong password' to who comes too soon",
    "OVH": "cuts off who comes too soon",
    "Zoho, Fastmail": "lock an account after some failures in a row",
}
"""What was reported of providers, as far as it is a server's behaviour."""

TESTS = Path(__file__).parent


@dataclass(frozen=True)
class Shown:
    """A test, or a class of tests, and what it is marked with."""

    test: str
    number: int = 0
    part: str = "a"
    provider: str = ""


def shown() -> Iterator[Shown]:
    """Every mark of every test."""
    for path in sorted(TESTS.rglob("test_*.py")):
        yield from _marks(ast.parse(path.read_text()), path.relative_to(TESTS.parent).as_posix())


def _marks(node: ast.AST, place: str) -> Iterator[Shown]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        test = f"{place}::{child.name}"
        for mark in child.decorator_list:
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.quirk":
                yield Shown(test, **{str(word.arg): ast.literal_eval(word.value) for word in mark.keywords})
        yield from _marks(child, test)


def known_parts() -> set[tuple[int, str]]:
    """Number and letter of every part of every quirk."""
    return {(number, chr(ord("a") + at)) for number, parts in QUIRKS.items() for at in range(len(parts))}


def _print(wanted: set[int]) -> None:
    found = list(shown())
    for number, part in sorted(known_parts()):
        if not wanted or number in wanted:
            print(f"{number}{part}  {QUIRKS[number][ord(part) - ord('a')]}")
            print(
                "".join(f"       {mark.test}\n" for mark in found if (mark.number, mark.part) == (number, part)), end=""
            )
    for provider, does in PROVIDERS.items() if not wanted else ():
        print(f"{provider}  {does}")
        print("".join(f"       {mark.test}\n" for mark in found if mark.provider == provider), end="")


if __name__ == "__main__":
    _print({int(word) for word in sys.argv[1:]})
