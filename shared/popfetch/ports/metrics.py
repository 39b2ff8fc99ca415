"""Every metric that popfetch counts, and which function counts it.

The function's service name is a metric's only dimension, so that the number of metrics, and with it their price, is
fixed whatever the number of accounts. Dashboard and alarms name metrics by what stands here.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from popfetch.domain.account import Standing
from popfetch.domain.failures import FailureClass

WHOLE: Final = "popfetch"
"""The ``service`` of metrics that any function may count and that one alarm watches."""


class Metric(StrEnum):
    """The name of a metric, as CloudWatch has it."""

    ACCOUNTS_DISPATCHED = "AccountsDispatched"
    """Fetch requests that were sent."""
    ACCOUNTS_ON_SCHEDULE = "AccountsOnSchedule"
    """The interval in minutes of each account that was asked for: its sum over a period is the number of active
    accounts times the minutes of the period, so that nobody has to count them."""
    ACCOUNTS_PAUSED = "AccountsPaused"
    """How many accounts are paused; counted once an hour, as the two below are."""
    ACCOUNTS_AUTH_FAILED = "AccountsAuthFailed"
    """How many accounts wait for a password or a consent."""
    ACCOUNTS_CONNECTION_FAILED = "AccountsConnectionFailed"
    """How many accounts wait for other settings."""
    DISPATCH_MINUTES_BEHIND = "DispatchMinutesBehind"
    """Minutes that were missed before the one an event is for; only where there are any."""

    CYCLES = "Cycles"
    """Cycles that ended, however they ended."""
    CYCLES_FAILED = "CyclesFailed"
    """Cycles that ended with a failure, of whatever class."""
    SIGN_INS_REFUSED = "SignInsRefused"
    """1 for a cycle whose sign-in was refused, or for which nobody has consented, and 0 for any other: its sum is
    the number of refusals, its average and its percentiles tell the part of all cycles."""
    FAILURES_TEMPORARY = "FailuresTemporary"
    FAILURES_IN_USE = "FailuresInUse"
    FAILURES_LOGIN_TOO_FREQUENT = "FailuresLoginTooFrequent"
    FAILURES_PERMANENT = "FailuresPermanent"
    FAILURES_PROTOCOL = "FailuresProtocol"
    FAILURES_TLS = "FailuresTls"
    FAILURES_NETWORK = "FailuresNetwork"
    FAILURES_OWN = "FailuresOwn"
    """Cycles that failed for a reason in popfetch or its operator's hands: a secret that does not open, say."""
    MESSAGES_STORED = "MessagesStored"
    OCTETS_STORED = "OctetsStored"
    MESSAGES_QUARANTINED = "MessagesQuarantined"
    SECONDS_FROM_DUE_TO_DONE = "SecondsFromDueToDone"
    """For each scheduled request that was carried out: from the minute it was due to the end of its cycle."""
    ACCOUNTS_BACKING_OFF = "AccountsBackingOff"
    """The interval in minutes of each account whose scheduled request was dropped because it backs off; to be read
    like ``AccountsOnSchedule``, of which it is a part."""
    DELIVERIES_RETURNED = "DeliveriesReturned"
    """Requests that went back to the queue to be tried again."""
    DELIVERIES_SET_ASIDE = "DeliveriesSetAside"
    """Queue messages that are no requests of popfetch's, and are in the dead letters now."""
    EVENTS_LOST = "EventsLost"
    """Events that the bus did not take; what they tell of is stored all the same."""

    NOTICES_SENT = "NoticesSent"
    NOTICES_REFUSED = "NoticesRefused"
    NOTICES_WITHOUT_SENDER = "NoticesWithoutSender"
    NOTICES_WITHOUT_ADDRESS = "NoticesWithoutAddress"

    MAILS_SENT = "MailsSent"
    OUTGOING_SIGN_INS_REFUSED = "OutgoingSignInsRefused"

    OAUTH_CLIENTS_REFUSED = "OAuthClientsRefused"


COUNTED_BY: Final[Mapping[str, tuple[Metric, ...]]] = {
    "dispatch": (
        Metric.ACCOUNTS_DISPATCHED,
        Metric.ACCOUNTS_ON_SCHEDULE,
        Metric.ACCOUNTS_PAUSED,
        Metric.ACCOUNTS_AUTH_FAILED,
        Metric.ACCOUNTS_CONNECTION_FAILED,
        Metric.DISPATCH_MINUTES_BEHIND,
    ),
    "fetch": (
        Metric.CYCLES,
        Metric.CYCLES_FAILED,
        Metric.SIGN_INS_REFUSED,
        Metric.FAILURES_TEMPORARY,
        Metric.FAILURES_IN_USE,
        Metric.FAILURES_LOGIN_TOO_FREQUENT,
        Metric.FAILURES_PERMANENT,
        Metric.FAILURES_PROTOCOL,
        Metric.FAILURES_TLS,
        Metric.FAILURES_NETWORK,
        Metric.FAILURES_OWN,
        Metric.MESSAGES_STORED,
        Metric.OCTETS_STORED,
        Metric.MESSAGES_QUARANTINED,
        Metric.SECONDS_FROM_DUE_TO_DONE,
        Metric.ACCOUNTS_BACKING_OFF,
        Metric.DELIVERIES_RETURNED,
        Metric.DELIVERIES_SET_ASIDE,
        Metric.EVENTS_LOST,
    ),
    "notify": (
        Metric.NOTICES_SENT,
        Metric.NOTICES_REFUSED,
        Metric.NOTICES_WITHOUT_SENDER,
        Metric.NOTICES_WITHOUT_ADDRESS,
    ),
    "send": (Metric.MAILS_SENT, Metric.OUTGOING_SIGN_INS_REFUSED),
    "reply_to": (Metric.OUTGOING_SIGN_INS_REFUSED,),
    WHOLE: (Metric.OAUTH_CLIENTS_REFUSED,),
}
"""The metrics by the ``service`` that counts them."""

FAILURES: Final[Mapping[FailureClass, Metric]] = {
    FailureClass.AUTHENTICATION: Metric.SIGN_INS_REFUSED,
    FailureClass.TEMPORARY: Metric.FAILURES_TEMPORARY,
    FailureClass.IN_USE: Metric.FAILURES_IN_USE,
    FailureClass.LOGIN_TOO_FREQUENT: Metric.FAILURES_LOGIN_TOO_FREQUENT,
    FailureClass.PERMANENT: Metric.FAILURES_PERMANENT,
    FailureClass.PROTOCOL: Metric.FAILURES_PROTOCOL,
    FailureClass.TLS: Metric.FAILURES_TLS,
    FailureClass.NETWORK: Metric.FAILURES_NETWORK,
    FailureClass.OWN: Metric.FAILURES_OWN,
}
"""The metric that counts failed cycles of a class."""

STOPPED: Final[Mapping[Standing, Metric]] = {
    Standing.PAUSED: Metric.ACCOUNTS_PAUSED,
    Standing.AUTH_FAILED: Metric.ACCOUNTS_AUTH_FAILED,
    Standing.CONNECTION_FAILED: Metric.ACCOUNTS_CONNECTION_FAILED,
}
"""The metric that tells how many accounts are off the schedule with a standing."""
