"""From what some cycles were counted to take, to what accounts and messages cost; nothing here measures."""

from dataclasses import dataclass

from tests.bench.bill_counts import Counted
from tests.bench.prices import MINUTES_A_MONTH, SECONDS_A_MONTH, plus, times

DAYS_A_MONTH = 30
LOG_EVENT_OCTETS = 26
"""What CloudWatch Logs adds to each line when it counts octets."""

MB_OF_ONE_PROCESSOR = 1769
"""A function with this much memory has one processor; with less, that much less of it."""

POLLERS = 5
LONG_POLL_SECONDS = 20
"""Lambda asks an empty queue by so many requests at once, each of which waits so long."""


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What no measurement here can know.

    ``mail_rtt`` and ``mail_rate`` are the way to mail servers: seconds there and back, octets a second of a session.
    ``aws_seconds`` is what a request to AWS takes. A minute's batches begin within ``burst_seconds``, side by side as
    far as ``concurrency`` goes. ``data_keys`` is how many of the vault's keys are met: one for each month in which
    passwords were set. ``processor`` is how fast Lambda's is, this machine's being 1.
    """

    accounts: int = 1000
    interval_minutes: int = 5
    batch: int = 10
    memory_mb: int = 512
    mail_rtt: float = 0.080
    mail_rate: float = 5_000_000
    aws_seconds: float = 0.008
    burst_seconds: float = 5.0
    concurrency: int = 50
    data_keys: int = 12
    warm_seconds: float = 15 * 60
    processor: float = 1.0
    traced: bool = True

    @property
    def batches_a_minute(self) -> float:
        """How many invocations of fetch a minute has."""
        return max(1.0, self.accounts / self.interval_minutes / self.batch)

    @property
    def polls_a_month(self) -> float:
        """How often an account is checked."""
        return MINUTES_A_MONTH / self.interval_minutes


def function_seconds(counted: Counted, given: Assumptions) -> dict[str, float]:
    """What the function's time consists of, all invocations together.

    The parts are added up as if none went on beside another, and so are the processor's share and the waiting.
    """
    side_by_side = max(1.0, counted.cycles / counted.invocations)
    share = min(1.0, given.memory_mb / MB_OF_ONE_PROCESSOR) * given.processor
    return {
        "mail server": counted.waits * given.mail_rtt,
        "messages on their way": counted.octets / side_by_side / given.mail_rate,
        "AWS": counted.steps * given.aws_seconds,
        "processor": counted.cpu / share,
    }


def traced_share(given: Assumptions) -> float:
    """The part of a minute's invocations that X-Ray records: the first of each second, and a twentieth of the rest."""
    if not given.traced:
        return 0.0
    first = min(given.batches_a_minute, given.burst_seconds)
    return (first + 0.05 * (given.batches_a_minute - first)) / given.batches_a_minute


def of_function(counted: Counted, given: Assumptions, seconds: float) -> dict[str, float]:
    """What running costs, beside what is asked of AWS: invocations, time, log and traces."""
    return {
        "lambda.request": counted.invocations,
        "lambda.gb_second": seconds * given.memory_mb / 1024,
        "logs.octet": counted.log_octets + LOG_EVENT_OCTETS * counted.log_lines,
        "xray.trace": counted.invocations * traced_share(given),
    }


def per_cycle(counted: Counted, given: Assumptions) -> dict[str, float]:
    """The counts of one cycle; Lambda's own requests to the queue are among them, what dispatch does is not."""
    running = of_function(counted, given, sum(function_seconds(counted, given).values()))
    polling = {"sqs.fifo": 2.0 * counted.invocations}
    whole = plus(dict(counted.units), running, polling)
    return plus(times(1 / counted.cycles, whole), {"kms.request": _keys_opened_a_poll(given)})


def _keys_opened_a_poll(given: Assumptions) -> float:
    """Requests to KMS for each poll: every environment opens each data key anew when it has grown cold."""
    environments = min(given.batches_a_minute, given.concurrency)
    met = min(given.data_keys, given.batch * given.warm_seconds / 60)
    opened = environments * met * SECONDS_A_MONTH / given.warm_seconds
    return opened / (given.accounts * given.polls_a_month)


def dispatch_base(empty: Counted, given: Assumptions) -> dict[str, float]:
    """A month of dispatch when nothing is due."""
    return times(MINUTES_A_MONTH, _of_dispatch(empty, given))


def dispatch_share(empty: Counted, busy: Counted, given: Assumptions) -> dict[str, float]:
    """What dispatch does for one poll of one account, beyond what it does anyway."""
    more = plus(_of_dispatch(busy, given), times(-1, _of_dispatch(empty, given)))
    return {name: max(0.0, count) / busy.cycles for name, count in more.items()}


def _of_dispatch(counted: Counted, given: Assumptions) -> dict[str, float]:
    running = of_function(counted, given, sum(function_seconds(counted, given).values()))
    return plus(dict(counted.units), running)


def account_month(idle: Counted, share: dict[str, float], given: Assumptions) -> dict[str, float]:
    """The counts of an account whose mailbox has nothing new for a month."""
    return times(given.polls_a_month, plus(per_cycle(idle, given), share))


def per_million_messages(counted: Counted, given: Assumptions) -> dict[str, float]:
    """The counts of a million messages that came as these did."""
    return times(1_000_000 * counted.cycles / counted.messages, per_cycle(counted, given))


def more_for_a_message(idle: Counted, one_new: Counted, given: Assumptions) -> dict[str, float]:
    """What a poll that finds a message takes beyond one that finds none."""
    return plus(per_cycle(one_new, given), times(-1, per_cycle(idle, given)))


def empty_receives() -> dict[str, float]:
    """Lambda's asking of a queue that is empty, for a month."""
    return {"sqs.fifo": POLLERS * SECONDS_A_MONTH / LONG_POLL_SECONDS}
