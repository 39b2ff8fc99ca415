from datetime import timedelta

import pytest

from popfetch.domain.account import Standing
from popfetch.domain.failures import LONGEST_PAUSE, THROTTLED_PAUSE, after_failure
from popfetch.domain.fetch_state import FailureCounts
from tests.builders.accounts import NOON

FIVE_MINUTES = timedelta(minutes=5)


def after(
    code: str, times: int, *, explicit: bool = False, signed_in: bool = False, jitter: float = 1.0
) -> tuple[FailureCounts, Standing]:
    counts, standing = FailureCounts(), Standing.ACTIVE
    for _ in range(times):
        counts, standing = after_failure(
            counts, code, explicit=explicit, signed_in=signed_in, now=NOON, interval=FIVE_MINUTES, jitter=jitter
        )
    return counts, standing


@pytest.mark.parametrize(
    ("code", "explicit", "times", "standing"),
    [
        ("authentication", False, 9, Standing.ACTIVE),
        ("authentication", False, 10, Standing.AUTH_FAILED),
        ("authentication", True, 2, Standing.ACTIVE),
        ("authentication", True, 3, Standing.AUTH_FAILED),
        ("permanent", False, 10, Standing.AUTH_FAILED),
        ("consent_needed", False, 1, Standing.AUTH_FAILED),
        ("token_endpoint_unavailable", False, 500, Standing.ACTIVE),
        ("oauth_client_refused", False, 500, Standing.ACTIVE),
        ("oauth_not_configured", False, 500, Standing.ACTIVE),
        ("network", False, 49, Standing.ACTIVE),
        ("network", False, 50, Standing.CONNECTION_FAILED),
        ("tls", False, 50, Standing.CONNECTION_FAILED),
        ("login_too_frequent", False, 500, Standing.ACTIVE),
        ("in_use", False, 500, Standing.ACTIVE),
        ("temporary", False, 500, Standing.ACTIVE),
        ("deadline", False, 500, Standing.ACTIVE),
        ("protocol", False, 500, Standing.ACTIVE),
    ],
)
def test_when_a_person_is_needed(code: str, explicit: bool, times: int, standing: Standing) -> None:
    assert after(code, times, explicit=explicit)[1] is standing


def test_a_refused_sign_in_ends_a_row_of_failed_connections() -> None:
    counts, _ = after("network", 40)
    counts, _ = after_failure(
        counts, "authentication", explicit=False, signed_in=False, now=NOON, interval=FIVE_MINUTES, jitter=0
    )
    assert (counts.connection, counts.authentication) == (0, 1)


@pytest.mark.parametrize("code", ["network", "tls", "host_refused"])
def test_connections_that_break_after_a_sign_in_back_off_and_stop_nobody(code: str) -> None:
    counts, standing = after(code, 500, signed_in=True)
    assert (standing, counts.connection, counts.not_before) == (Standing.ACTIVE, 0, NOON + LONGEST_PAUSE)


def test_the_first_failures_are_met_with_the_ordinary_interval() -> None:
    assert after("network", 2)[0].not_before is None


def test_pauses_double_up_to_a_longest_one() -> None:
    pauses = [after("network", times)[0].not_before for times in (3, 4, 5, 20)]
    assert pauses == [NOON + FIVE_MINUTES * 2, NOON + FIVE_MINUTES * 4, NOON + FIVE_MINUTES * 8, NOON + LONGEST_PAUSE]


def test_jitter_shortens_a_pause_by_a_fifth_at_most() -> None:
    assert after("network", 20, jitter=0)[0].not_before == NOON + LONGEST_PAUSE * 0.8


def test_a_throttled_account_waits_at_once() -> None:
    assert after("login_too_frequent", 1)[0].not_before == NOON + THROTTLED_PAUSE
