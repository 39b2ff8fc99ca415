"""What a failed cycle means for its account: how long to wait, and when a person is needed.

Busy servers lie, so one refused sign-in stops nothing: ten in a row do, or three that say ``[AUTH]`` outright
(RFC 3206), and a consent that is gone stops it at once. Fifty failed connections in a row stop an account too; a
connection that breaks once popfetch is signed in is none of these, as host, port and password are right then.
Whatever else happens backs off and heals by itself, and throttling is never counted as a refused sign-in.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from popfetch.domain.account import Standing
from popfetch.domain.fetch_state import FailureCounts
from popfetch.domain.outgoing import OutgoingFailure

SIGN_INS_IN_A_ROW = 10
EXPLICIT_SIGN_INS_IN_A_ROW = 3
CONNECTIONS_IN_A_ROW = 50

LONGEST_PAUSE = timedelta(hours=1)
THROTTLED_PAUSE = timedelta(minutes=15)
PATIENT_FAILURES = 2
"""Failures in a row that are met with the ordinary interval alone."""

_NEEDS_A_PERSON = frozenset({"authentication", "permanent", "pop_not_enabled", "secret_unreadable", "consent_needed"})
_STOPS_AT_ONCE = frozenset({"consent_needed"})
"""What an authorization server says of a grant is final: no server was busy, and trying again changes nothing."""

OUTGOING_NEEDS_A_PERSON = frozenset({"authentication", "sign_in_off", "secret_unreadable", "consent_needed"})
"""The failures at sending that the account shows until its outgoing password is given anew or works again."""

_CONNECTION = frozenset({"network", "tls", "host_refused"})
_THROTTLED = frozenset({"login_too_frequent"})


class FailureClass(StrEnum):
    """What kind of thing went wrong in a cycle, as an operator looks at many of them."""

    AUTHENTICATION = "authentication"
    TEMPORARY = "temporary"
    IN_USE = "in_use"
    LOGIN_TOO_FREQUENT = "login_too_frequent"
    PERMANENT = "permanent"
    PROTOCOL = "protocol"
    TLS = "tls"
    NETWORK = "network"
    OWN = "own"
    """Nothing that a mail server or an owner can do anything about."""


_CLASSES = {
    "consent_needed": FailureClass.AUTHENTICATION,
    "token_endpoint_unavailable": FailureClass.TEMPORARY,
    "refused": FailureClass.TEMPORARY,
    "pop_not_enabled": FailureClass.PERMANENT,
    "deadline": FailureClass.NETWORK,
    "host_refused": FailureClass.NETWORK,
}
"""The classes of codes that are not the name of one."""


def class_of(code: str) -> FailureClass:
    """The class of a failure by its code; what no mail server has to do with is popfetch's own."""
    if code in _CLASSES:
        return _CLASSES[code]
    return FailureClass(code) if code in FailureClass else FailureClass.OWN


def after_failure(
    counts: FailureCounts,
    code: str,
    *,
    explicit: bool,
    signed_in: bool,
    now: datetime,
    interval: timedelta,
    jitter: float,
) -> tuple[FailureCounts, Standing]:
    """The counts after one more failure of kind ``code``, and the standing that follows.

    ``signed_in`` says that it came after a sign-in that went well. ``jitter`` is 0 to 1 and spreads the pauses of many
    accounts over a fifth of their length.
    """
    standing = Standing.ACTIVE
    if code in _NEEDS_A_PERSON:
        counts = replace(
            counts,
            authentication=counts.authentication + 1,
            authentication_explicit=counts.authentication_explicit + (1 if explicit else 0),
            connection=0,
        )
        failures = counts.authentication
        explicit_failures = counts.authentication_explicit
        if code in _STOPS_AT_ONCE or failures >= SIGN_INS_IN_A_ROW or explicit_failures >= EXPLICIT_SIGN_INS_IN_A_ROW:
            standing = Standing.AUTH_FAILED
    elif code in _CONNECTION and not signed_in:
        counts = replace(counts, connection=counts.connection + 1)
        failures = counts.connection
        if failures >= CONNECTIONS_IN_A_ROW:
            standing = Standing.CONNECTION_FAILED
    else:
        counts = replace(counts, temporary=counts.temporary + 1, connection=0)
        failures = counts.temporary
    pause = _pause(failures, interval, jitter)
    if code in _THROTTLED:
        pause = max(pause, THROTTLED_PAUSE)
    return replace(counts, not_before=now + pause if pause else None), standing


def after_outgoing_refusal(
    before: OutgoingFailure | None, code: str, message: str, *, explicit: bool, now: datetime
) -> OutgoingFailure:
    """What is remembered of an outgoing server after it has let popfetch not in once more."""
    refusals = before.refusals if before else 0
    said_plainly = before.explicit if before else 0
    return OutgoingFailure(code, message, now, refusals + 1, said_plainly + (1 if explicit else 0))


def is_outgoing_stopped(failure: OutgoingFailure | None) -> bool:
    """Whether the outgoing server is left alone until its password is given anew: as many refusals as stop fetching.

    A consent that is gone stops nobody here, as the mail server is not even asked then.
    """
    return (
        failure is not None
        and failure.code not in _STOPS_AT_ONCE
        and (failure.refusals >= SIGN_INS_IN_A_ROW or failure.explicit >= EXPLICIT_SIGN_INS_IN_A_ROW)
    )


def _pause(failures: int, interval: timedelta, jitter: float) -> timedelta:
    if failures <= PATIENT_FAILURES:
        return timedelta()
    doublings: int = min(failures - PATIENT_FAILURES, 12)
    longest = max(LONGEST_PAUSE, interval)
    return min(interval * (1 << doublings), longest) * (0.8 + 0.2 * jitter)
