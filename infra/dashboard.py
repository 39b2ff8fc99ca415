"""The operator's dashboard: one page that says how collecting goes, and what it costs.

``python -m infra.dashboard write`` puts its body into ``template.yaml``, where CloudFormation wants it as one text;
``check`` says whether it is what stands here. popfetch's own metrics are named by the type that counts them, so that a
graph of a metric that nobody counts cannot be written.
"""

import json
import re
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from infra.written_text import WrittenText
from popfetch.ports.metrics import FAILURES, STOPPED, Metric

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "template.yaml"
TEXT = WrittenText(
    module="infra.dashboard",
    agrees="The dashboard in the template is what infra/dashboard.py says.",
    stale="The dashboard in the template is stale; say `make dashboard`.",
)
RUNBOOK = "infra/runbook.md"

NAMESPACE: Final = "popfetch"
WHOLE_WIDTH = 24
MINUTE, HOUR, DAY = 60, 3600, 86400

FUNCTIONS = (
    *("Dispatch", "Fetch", "Erase", "Notify"),
    *("Accounts", "Passwords", "Oauth", "ReplyTo", "Send", "Messages", "Providers", "Console"),
)
DEAD_LETTERS = ("FetchDeadLetters", "DispatchDeadLetters", "EraseDeadLetters", "NotifyDeadLetters")

_BODY = re.compile(r"(?<=      DashboardBody: !Sub >-\n)(?:        .*\n)+")
_LINE = 120

type Series = list[Any]
type Widget = dict[str, Any]


def counted(metric: Metric, service: str = "fetch", **shown: Any) -> Series:
    """A metric of popfetch's own."""
    return [NAMESPACE, metric.value, "service", service, shown]


def of_function(name: str, metric: str, **shown: Any) -> Series:
    """A metric of Lambda's."""
    return ["AWS/Lambda", metric, "FunctionName", f"${{{name}Function}}", {"label": name, **shown}]


def of_queue(queue: str, metric: str, **shown: Any) -> Series:
    """A metric of a queue's."""
    return ["AWS/SQS", metric, "QueueName", f"${{{queue}.QueueName}}", {"label": queue, **shown}]


def of_table(metric: str, **shown: Any) -> Series:
    """A metric of the table's."""
    return ["AWS/DynamoDB", metric, "TableName", "${Table}", shown]


def worked_out(expression: str, label: str, **shown: Any) -> Series:
    """What is worked out from other series of the same widget."""
    return [{"expression": expression, "label": label, **shown}]


def graph(title: str, *series: Series, stat: str = "Sum", period: int = 5 * MINUTE, **properties: Any) -> Widget:
    """Lines over time."""
    return {
        "type": "metric",
        "properties": {
            "title": title,
            "view": "timeSeries",
            "region": "${AWS::Region}",
            "stat": stat,
            "period": period,
            "metrics": list(series),
            **properties,
        },
    }


def accounts_of(metric: Metric, service: str, name: str, label: str) -> list[Series]:
    """The number of accounts whose intervals a metric adds up: the sum over a period by the period's minutes."""
    return [
        counted(metric, service, id=name, visible=False),
        worked_out(f"{name} / (PERIOD({name}) / {MINUTE})", label),
    ]


def latest(title: str, *series: Series, stat: str, period: int) -> Widget:
    """Large numbers."""
    return graph(
        title, *series, stat=stat, period=period, view="singleValue", sparkline=True, setPeriodToTimeRange=False
    )


def alarms() -> list[str]:
    """The alarms of the template, in its order."""
    return re.findall(r"^  (\w+):\n    Type: AWS::CloudWatch::Alarm$", TEMPLATE.read_text(), re.MULTILINE)


def failures_query() -> Widget:
    """The last failed cycles, from the log of fetch."""
    query = (
        "SOURCE '${FetchLogGroup}' | fields @timestamp, message, error, reason, owner_id, account_id, cycle_id, "
        "correlation_id | filter level in ['WARNING', 'ERROR'] | sort @timestamp desc | limit 50"
    )
    properties = {"title": "What fetch warns of", "region": "${AWS::Region}", "view": "table", "query": query}
    return {"type": "log", "properties": properties}


def introduction() -> Widget:
    """What to read where."""
    text = (
        "# ${AWS::StackName}: popfetch\n"
        f"Each alarm has a section of its name in **{RUNBOOK}**: what it means, what to look at, what to do, how to "
        "know it is over. Mail is late? Look at *From due to done*, then at the queue's age. "
        "[Logs Insights](https://${AWS::Region}.console.aws.amazon.com/cloudwatch/home?region=${AWS::Region}"
        "#logsV2:logs-insights) · "
        "[Traces](https://${AWS::Region}.console.aws.amazon.com/cloudwatch/home?region=${AWS::Region}#xray:traces) · "
        "[Queues](https://${AWS::Region}.console.aws.amazon.com/sqs/v3/home?region=${AWS::Region}#/queues)"
    )
    return {"type": "text", "properties": {"markdown": text}}


def rows() -> list[tuple[int, list[Widget]]]:
    """The widgets in rows, each with its height; those of a row share its width."""
    due_to_done = [counted(Metric.SECONDS_FROM_DUE_TO_DONE, stat=stat, label=stat) for stat in ("p50", "p95", "p99")]
    on_schedule = accounts_of(Metric.ACCOUNTS_ON_SCHEDULE, "dispatch", "active", "active")
    backing_off = accounts_of(Metric.ACCOUNTS_BACKING_OFF, "fetch", "waiting", "of them backing off")
    stopped = [counted(metric, "dispatch", label=str(standing)) for standing, metric in STOPPED.items()]
    gigabytes = [
        of_function("Dispatch", "Duration", id="dispatching", visible=False),
        of_function("Fetch", "Duration", id="fetching", visible=False),
        worked_out("dispatching / 1000 * ${DispatchMemory} / 1024", "Dispatch"),
        worked_out("fetching / 1000 * ${FetchMemory} / 1024", "Fetch"),
    ]
    return [
        (4, [introduction()]),
        (
            3,
            [{"type": "alarm", "properties": {"title": "Alarms", "alarms": [f"${{{name}.Arn}}" for name in alarms()]}}],
        ),
        (
            5,
            [
                latest("Accounts on schedule, by the last day", *on_schedule, *backing_off, stat="Sum", period=DAY),
                latest("Accounts that wait for a person", *stopped, stat="Maximum", period=HOUR),
            ],
        ),
        (
            6,
            [
                graph("From due to done, seconds", *due_to_done, stat="p50"),
                graph(
                    "Cycles",
                    counted(Metric.CYCLES),
                    counted(Metric.CYCLES_FAILED),
                    counted(Metric.DELIVERIES_RETURNED),
                    counted(Metric.DELIVERIES_SET_ASIDE),
                    counted(Metric.EVENTS_LOST),
                ),
                graph("Failed cycles by class", *(counted(metric) for metric in FAILURES.values()), stacked=True),
            ],
        ),
        (
            6,
            [
                graph("Messages", counted(Metric.MESSAGES_STORED), counted(Metric.MESSAGES_QUARANTINED)),
                graph("Octets stored", counted(Metric.OCTETS_STORED)),
                graph(
                    "Part of the sign-ins that is refused",
                    counted(Metric.SIGN_INS_REFUSED, label="refused"),
                    stat="Average",
                    period=HOUR,
                    yAxis={"left": {"min": 0, "max": 1}},
                ),
            ],
        ),
        (
            6,
            [
                graph(
                    "Queue of fetch requests",
                    of_queue("FetchQueue", "ApproximateNumberOfMessagesVisible", label="waiting"),
                    of_queue("FetchQueue", "ApproximateNumberOfMessagesNotVisible", label="being fetched"),
                    stat="Maximum",
                ),
                graph(
                    "Age of the oldest request, and minutes that dispatch is behind",
                    of_queue("FetchQueue", "ApproximateAgeOfOldestMessage", label="age, seconds"),
                    counted(Metric.DISPATCH_MINUTES_BEHIND, "dispatch", label="behind, minutes", yAxis="right"),
                    stat="Maximum",
                ),
                graph(
                    "Dead letters",
                    *(of_queue(queue, "ApproximateNumberOfMessagesVisible") for queue in DEAD_LETTERS),
                    stat="Maximum",
                ),
            ],
        ),
        (
            6,
            [
                graph("Functions: errors", *(of_function(name, "Errors") for name in FUNCTIONS)),
                graph(
                    "Functions: duration, p95, ms", *(of_function(name, "Duration") for name in FUNCTIONS), stat="p95"
                ),
                graph(
                    "Functions: running at once, and throttled",
                    of_function("Fetch", "ConcurrentExecutions", stat="Maximum", label="Fetch, at once"),
                    of_function("Dispatch", "ConcurrentExecutions", stat="Maximum", label="Dispatch, at once"),
                    *(of_function(name, "Throttles", label=f"{name}, throttled") for name in ("Dispatch", "Fetch")),
                ),
            ],
        ),
        (
            6,
            [
                graph("Cost: invocations", *(of_function(name, "Invocations") for name in FUNCTIONS), period=HOUR),
                graph("Cost: GB-seconds", *gigabytes, period=HOUR),
                graph(
                    "Cost: table units; a stored message is one PUT to S3",
                    of_table("ConsumedWriteCapacityUnits", label="written"),
                    of_table("ConsumedReadCapacityUnits", label="read"),
                    counted(Metric.MESSAGES_STORED, label="PUTs"),
                    period=HOUR,
                ),
                graph(
                    "Cost: log, octets",
                    *(
                        ["AWS/Logs", "IncomingBytes", "LogGroupName", f"${{{name}LogGroup}}", {"label": name}]
                        for name in FUNCTIONS
                    ),
                    period=HOUR,
                ),
            ],
        ),
        (8, [failures_query()]),
    ]


def body() -> dict[str, Any]:
    """The dashboard as CloudWatch reads it, with what CloudFormation fills in still open."""
    widgets: list[Widget] = []
    top = 0
    for height, row in rows():
        width = WHOLE_WIDTH // len(row)
        for index, widget in enumerate(row):
            widgets.append({"x": index * width, "y": top, "width": width, "height": height, **widget})
        top += height
    return {"widgets": widgets}


def text_of(dashboard: dict[str, Any]) -> str:
    """The dashboard as the template has it: one text in lines that are folded at blanks."""
    lines = textwrap.wrap(
        json.dumps(dashboard, ensure_ascii=False),
        _LINE,
        initial_indent=" " * 8,
        subsequent_indent=" " * 8,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "".join(f"{line}\n" for line in lines)


def main(arguments: Sequence[str]) -> int:
    """Write or check the dashboard."""
    template = TEMPLATE.read_text()
    found = _BODY.search(template)
    if found is None:
        print("template.yaml has no DashboardBody to fill in.", file=sys.stderr)
        return 1
    before, after = template[: found.start()], template[found.end() :]
    return TEXT.obey(
        arguments,
        kept=found[0],
        wanted=text_of(body()),
        write=lambda wanted: TEMPLATE.write_text(before + wanted + after),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
