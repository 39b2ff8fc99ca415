"""How a run in several processes deals its tests out: in shares, each to the process that has least left to do.

A share is a file, so that its tests keep their order, or several: what uses one deployed stack is together, so that it
is deployed once. Shares that take long begin first, lest one process is left with them at the end. The real servers are
one share, so that for most of the time it is they that run beside a browser and its stack, and not a second stack.
"""

import pytest
from xdist.scheduler import LoadFileScheduling

SHARES = (
    ("tests/flow/",),
    ("tests/real/test_consent_journey.py",),
    (
        "tests/real/test_byte_identity.py",
        "tests/real/test_dovecot_",
        "tests/real/test_idle_poll.py",
        "tests/real/test_killed_fetch.py",
        "tests/real/test_large_message.py",
        "tests/real/test_mailutils.py",
        "tests/real/test_oidc_provider.py",
        "tests/real/test_postfix_",
    ),
    ("tests/real/test_console_journey.py",),
    (
        "tests/real/test_console_first_view.py",
        "tests/real/test_console_hostile.py",
        "tests/real/test_console_large_mailbox.py",
    ),
    ("tests/real/test_sending_journey.py",),
    ("tests/real/test_owner_journey.py",),
)
"""The shares that begin first, by how the names of their files begin; every other file is a share by itself."""


def begin_with_what_takes_long(tests: list[pytest.Item]) -> None:
    """Put the tests into the order of their shares."""
    tests.sort(key=lambda test: _place(test.nodeid))


class ByShares(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives a process its next share when it has next to nothing left."""

    def _split_scope(self, nodeid: str) -> str:
        place = _place(nodeid)
        return nodeid.partition("::")[0] if place == len(SHARES) else f"share {place}"


def _place(test: str) -> int:
    return next((place for place, names in enumerate(SHARES) if test.startswith(names)), len(SHARES))
