"""The dashboard in the template: graphs of what is counted, under the names and dimensions that it is counted by."""

import json
import re
from typing import Any

import pytest

from infra import dashboard
from popfetch.ports.metrics import COUNTED_BY
from tests.template.translated import of_type, translated

PUBLISHED = {
    ("AWS/Lambda", ("FunctionName",)): {"Invocations", "Errors", "Duration", "Throttles", "ConcurrentExecutions"},
    ("AWS/SQS", ("QueueName",)): {
        "ApproximateNumberOfMessagesVisible",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateAgeOfOldestMessage",
    },
    ("AWS/DynamoDB", ("TableName",)): {"ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"},
    ("AWS/Logs", ("LogGroupName",)): {"IncomingBytes"},
}
"""What AWS publishes of functions, queues, tables and log groups, by its documentation."""

FILLED_IN = {
    "FunctionName": ("AWS::Lambda::Function", ""),
    "QueueName": ("AWS::SQS::Queue", ".QueueName"),
    "TableName": ("AWS::DynamoDB::Table", ""),
    "LogGroupName": ("AWS::Logs::LogGroup", ""),
}
"""The kind of resource that a dimension's value comes from, and its attribute; none for what Ref gives."""

(RESOURCE,) = of_type("AWS::CloudWatch::Dashboard").values()
TEXT: str = RESOURCE["Properties"]["DashboardBody"]["Fn::Sub"]
BODY: dict[str, Any] = json.loads(TEXT)
SERIES = [
    series for widget in BODY["widgets"] if widget["type"] == "metric" for series in widget["properties"]["metrics"]
]
METRICS = [series for series in SERIES if isinstance(series[0], str)]


def test_it_is_what_the_program_says() -> None:
    assert dashboard.body() == BODY
    assert dashboard.main(["check"]) == 0


@pytest.mark.parametrize("series", METRICS, ids=lambda series: f"{series[1]} {series[3]}")
def test_every_graph_is_of_a_metric_that_is_counted_under_that_name(series: list[Any]) -> None:
    namespace, name, *dimensions, shown = series
    assert isinstance(shown, dict)
    names, values = tuple(dimensions[::2]), dimensions[1::2]
    if namespace == "popfetch":
        assert names == ("service",)
        assert name in COUNTED_BY[values[0]]
        return
    assert name in PUBLISHED[namespace, names]
    for dimension, value in zip(names, values, strict=True):
        kind, attribute = FILLED_IN[dimension]
        found = re.fullmatch(r"\$\{(\w+)(\.\w+)?\}", value)
        assert found, value
        assert translated()["Resources"][found[1]]["Type"] == kind
        assert (found[2] or "") == attribute


def test_what_is_worked_out_names_series_of_its_own_widget() -> None:
    for widget in BODY["widgets"]:
        series = widget["properties"].get("metrics", [])
        ids = {shown["id"] for one in series if isinstance(shown := one[-1], dict) and "id" in shown}
        for one in series:
            if isinstance(one[0], dict):
                used = set(re.findall(r"\b[a-z]\w*\b", re.sub(r"\$\{\w+\}", "", one[0]["expression"])))
                assert used
                assert used <= ids


def test_what_is_counted_is_seen_but_for_what_owners_are_told_and_send() -> None:
    seen = {series[1] for series in METRICS if series[0] == "popfetch"}
    counted = {metric.value for service in ("dispatch", "fetch") for metric in COUNTED_BY[service]}
    assert counted - seen == {"AccountsDispatched"}


def test_every_alarm_is_on_it() -> None:
    (widget,) = [widget for widget in BODY["widgets"] if widget["type"] == "alarm"]
    expected = {f"${{{name}.Arn}}" for name in of_type("AWS::CloudWatch::Alarm")}
    assert set(widget["properties"]["alarms"]) == expected


def test_every_function_and_dead_letter_queue_is_on_it() -> None:
    assert {f"{name}Function" for name in dashboard.FUNCTIONS} == set(of_type("AWS::Lambda::Function"))
    assert set(dashboard.DEAD_LETTERS) == {name for name in of_type("AWS::SQS::Queue") if name.endswith("DeadLetters")}


def test_whatever_is_filled_in_is_there_to_be_filled_in() -> None:
    known = {*translated()["Resources"], *translated()["Parameters"], "AWS::Region", "AWS::StackName"}
    assert {name.partition(".")[0] for name in re.findall(r"\$\{([^}]+)\}", TEXT)} <= known


def test_widgets_lie_side_by_side_and_never_over_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for widget in BODY["widgets"]:
        fields = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert not fields & taken
        assert max(x for x, _ in fields) < dashboard.WHOLE_WIDTH
        taken |= fields


def test_a_stale_body_is_found(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(dashboard, "FUNCTIONS", ("Dispatch",))
    assert dashboard.main(["check"]) == 1
    assert "make dashboard" in capsys.readouterr().err
