"""The bill as tables, each from what was counted and what is assumed."""

from dataclasses import replace

from popfetch.ports.metrics import COUNTED_BY
from tests.bench.bill_counts import Counted
from tests.bench.bill_model import (
    DAYS_A_MONTH,
    Assumptions,
    account_month,
    dispatch_base,
    empty_receives,
    function_seconds,
    more_for_a_message,
    per_cycle,
)
from tests.bench.bill_scenes import MESSAGE_OCTETS
from tests.bench.prices import AS_OF, PRICES, REGION, bill, plus, total
from tests.bench.processes import ROOT
from tests.bench.report import Table

type Scenes = dict[str, Counted]

STACKS = (10, 100, 1000, 10_000, 100_000)
MESSAGES_A_DAY = 3
BATCH = 10
WHAT = {
    "dynamodb.write": "DynamoDB writes",
    "dynamodb.read": "DynamoDB reads",
    "s3.put": "S3 PUT",
    "sqs.fifo": "SQS requests",
    "kms.request": "KMS requests",
    "events.custom": "EventBridge events",
    "lambda.request": "Lambda invocations",
    "lambda.gb_second": "Lambda time",
    "logs.octet": "Log",
    "xray.trace": "X-Ray traces",
    "cloudwatch.metric": "Metrics",
    "cloudwatch.alarm": "Alarms",
    "cloudwatch.dashboard": "Dashboard",
    "kms.key": "KMS keys",
}

HELPS = {
    "dynamodb.write": "little: an index entry for each message, a state for each poll; for messages that come alone, "
    "ledger entries in the state",
    "lambda.gb_second": "less memory where a poll mostly waits; fewer round trips at the sign-in; a lighter AWS client",
    "sqs.fifo": "fuller batches",
    "xray.trace": "Tracing=PassThrough",
    "kms.request": "data keys kept warm for longer, or fewer of them",
    "dynamodb.read": "nothing: it is one read of the least size",
    "logs.octet": "fewer lines, or fewer fields in each",
    "events.custom": "one event for a cycle in place of two",
    "s3.put": "nothing: a message is one PUT",
}


def named(counts: dict[str, float]) -> dict[str, float]:
    """What counts cost, by names for people."""
    return {WHAT[name]: usd for name, usd in bill(counts).items()}


def parts_of(title: str, counts: dict[str, float]) -> Table:
    """What something consists of, the largest part first, and what would lower it."""
    whole = total(counts)
    rows = [
        [WHAT[name], f"{counts[name]:,.4g}", PRICES[name].unit, f"{usd:.5f}", f"{usd / whole:.1%}", HELPS.get(name, "")]
        for name, usd in bill(counts).items()
    ]
    return Table(
        title,
        ["of what", "how many", "unit", "USD", "part", "would lower it"],
        [*rows, ["all", "", "", f"{whole:.5f}", "", ""]],
    )


def stacks_by_size(seen: Scenes, share: dict[str, float], given: Assumptions) -> Table:
    """Accounts by the month, in stacks of several sizes, with what a stack costs by itself shared among them."""
    rows: list[list[str]] = []
    fixed = total(of_a_stack(seen, given))
    for accounts in STACKS:
        here = replace(given, accounts=accounts, batch=min(BATCH, max(1, accounts // given.interval_minutes)))
        idle = seen["idle poll" if here.batch > BATCH // 2 else "idle poll, alone"]
        month = total(account_month(idle, share, here))
        mail = (
            MESSAGES_A_DAY * DAYS_A_MONTH * total(more_for_a_message(seen["idle poll"], seen["one new message"], given))
        )
        untraced = total(account_month(idle, share, replace(here, traced=False)))
        rows.append(
            [
                f"{accounts:,}",
                f"{month:.5f}",
                f"{untraced:.5f}",
                f"{mail:.5f}",
                f"{fixed / accounts:.5f}",
                f"{(month + mail) * accounts + fixed:,.2f}",
            ]
        )
    return Table(
        f"Stacks by their size: an account's polls, {MESSAGES_A_DAY} new messages a day, its part of the stack",
        [
            "accounts",
            "polls, USD",
            "without traces",
            "messages, USD",
            "part of the stack, USD",
            "all of it a month, USD",
        ],
        rows,
    )


def of_a_stack(seen: Scenes, given: Assumptions) -> dict[str, float]:
    """The counts of a stack that does nothing, for a month."""
    template = (ROOT / "template.yaml").read_text()
    return plus(
        dispatch_base(seen["dispatch, none due"], replace(given, accounts=1)),
        empty_receives(),
        {
            "cloudwatch.alarm": template.count("Type: AWS::CloudWatch::Alarm"),
            "cloudwatch.dashboard": template.count("Type: AWS::CloudWatch::Dashboard"),
            "cloudwatch.metric": sum(map(len, COUNTED_BY.values())),
            "kms.key": 1,
        },
    )


def stack_by_itself(seen: Scenes, given: Assumptions) -> Table:
    """What a stack costs by itself."""
    counts = of_a_stack(seen, given)
    rows = [[WHAT[name], f"{counts[name]:,.6g}", PRICES[name].unit, f"{usd:.3f}"] for name, usd in bill(counts).items()]
    return Table(
        "A stack by itself, a month: dispatch, asking an empty queue, alarms, metrics (as if all were counted), key",
        ["of what", "how many", "unit", "USD"],
        [*rows, ["all", "", "", f"{total(counts):.2f}"]],
    )


def what_cycles_take(seen: Scenes, given: Assumptions) -> Table:
    """What each kind of cycle takes."""
    rows: list[list[str | int]] = []
    for name, counted in seen.items():
        if name.startswith("dispatch"):
            continue
        each = counted.cycles
        seconds = function_seconds(counted, given)
        rows.append(
            [
                name,
                each,
                f"{counted.units['dynamodb.write'] / each:.1f}",
                f"{counted.units['dynamodb.read'] / each:.1f}",
                f"{counted.units['s3.put'] / each:.0f}",
                f"{counted.units['events.custom'] / each:.1f}",
                f"{counted.log_octets / each:.0f}",
                f"{1000 * counted.cpu / each:.1f}",
                f"{sum(seconds.values()) / counted.invocations:.2f}",
                f"{1e6 * total(per_cycle(counted, given)):.2f}",
            ]
        )
    columns = [
        "cycle",
        "cycles",
        "writes",
        "reads",
        "PUTs",
        "events",
        "log octets",
        "processor ms",
        "s of an invocation",
        "USD a million",
    ]
    return Table("What one cycle takes", columns, rows)


def how_full_batches_are(seen: Scenes, share: dict[str, float], given: Assumptions) -> Table:
    """What it changes how many accounts come in one batch."""
    rows: list[list[str | int]] = []
    for size, idle in ((BATCH, "idle poll"), (1, "idle poll, alone")):
        here = replace(given, batch=size)
        parts = function_seconds(seen[idle], here)
        rows.append(
            [
                size,
                f"{total(account_month(seen[idle], share, here)):.5f}",
                *(f"{seconds:.3f}" for seconds in parts.values()),
            ]
        )
    return Table(
        "How full batches are: an account and month, and the seconds of an invocation",
        ["accounts in a batch", "USD", *function_seconds(seen["idle poll"], given)],
        rows,
    )


def what_is_stored(seen: Scenes) -> Table:
    """What lies there costs by the month, apart from what is done."""
    index = seen["first import"].item_octets["MESSAGE"] + 27 + 100
    of_table = PRICES["dynamodb.stored"].usd + PRICES["dynamodb.pitr"].usd
    rows = [
        [
            "a million messages of 32 KB in S3",
            f"{MESSAGE_OCTETS * 1e6 / 2**30:.1f}",
            f"{MESSAGE_OCTETS * 1e6 / 2**30 * PRICES['s3.stored'].usd:.3f}",
        ],
        [
            "their index and ledger in DynamoDB, with point-in-time recovery",
            f"{index * 1e6 / 2**30:.2f}",
            f"{index * 1e6 / 2**30 * of_table:.3f}",
        ],
    ]
    return Table("What is stored, a month (in no target)", ["what", "GB", "USD"], rows)


def list_of_prices() -> Table:
    """The prices that all of it goes by."""
    rows = [[p.service, p.dimension, p.unit, f"{p.usd:g}", f"{p.per:,}"] for p in PRICES.values()]
    return Table(
        f"Prices: {REGION}, {AS_OF}, free tier not counted", ["service", "dimension", "unit", "USD", "for"], rows
    )


def notes_on(seen: Scenes, given: Assumptions) -> list[str]:
    """What must be said of the figures."""
    largest = ", ".join(
        f"{family.lower()} {octets}" for family, octets in sorted(seen["first import"].item_octets.items())
    )
    assumed = (
        f"Assumed: {given.accounts:,} accounts; mail servers {1000 * given.mail_rtt:.0f} ms away that send"
        f" {given.mail_rate / 1e6:.0f} MB a second; {1000 * given.aws_seconds:.0f} ms for a request to AWS; messages of"
        f" {MESSAGE_OCTETS // 1024} KB; {given.memory_mb} MB of memory, and with it {given.memory_mb / 1769:.2f} of a"
        f" processor like this machine's; passwords under {given.data_keys} data keys; a minute's batches begin within"
        f" {given.burst_seconds:.0f} s."
    )
    return [
        assumed,
        "Waiting, transfer and processor are added up, though much of it happens at once: the time is an upper bound.",
        f"Largest items written at the first import, in octets: {largest}. A write unit is 1,024.",
        "Packing the ledger, after 64 commits, adds two write units to each message that comes alone: not shown above.",
        "API, console and sign-ins of owners are not in it: they cost by what owners do.",
    ]
