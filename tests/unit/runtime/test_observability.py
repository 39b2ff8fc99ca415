"""What functions write down: metrics under the names that alarms watch, and no secret at any level."""

import asyncio
import json
import logging

import boto3
import pytest

from popfetch.ports.metrics import WHOLE, Metric
from popfetch.runtime.observability import new_journal
from tests.builders.aws import aws

SECRET = "cl1ent-Geheimnis"


@pytest.fixture(autouse=True)
def function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "popfetch")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "fetch")


def counted(written: str) -> dict[str, tuple[str, float]]:
    """The metrics that were written: service and sum of each."""
    lines = [json.loads(line) for line in written.splitlines() if "CloudWatchMetrics" in line]
    return {
        metric["Name"]: (line["service"], sum(line[metric["Name"]]))
        for line in lines
        for described in line["_aws"]["CloudWatchMetrics"]
        for metric in described["Metrics"]
    }


def test_metrics_are_the_functions_own(capsys: pytest.CaptureFixture[str]) -> None:
    journal = new_journal()

    def handler(*_: object) -> dict[str, object]:
        journal.count(Metric.MESSAGES_STORED, 2)
        journal.count(Metric.MESSAGES_STORED, 3)
        journal.count(Metric.CYCLES_FAILED, 0)
        return {}

    journal.flushed(handler)({}, None)  # type: ignore[arg-type]
    assert counted(capsys.readouterr().out) == {"MessagesStored": ("fetch", 5)}


def test_what_any_function_may_count_is_the_wholes(capsys: pytest.CaptureFixture[str]) -> None:
    new_journal().count(Metric.OAUTH_CLIENTS_REFUSED)
    assert counted(capsys.readouterr().out) == {"OAuthClientsRefused": (WHOLE, 1)}


def test_a_value_of_nothing_is_a_value_and_a_count_of_nothing_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    journal = new_journal()

    def handler(*_: object) -> dict[str, object]:
        for refused in (False, True, False):
            journal.measure(Metric.SIGN_INS_REFUSED, refused)
        journal.count(Metric.MESSAGES_STORED, 0)
        return {}

    journal.flushed(handler)({}, None)  # type: ignore[arg-type]
    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert line["SignInsRefused"] == [0, 1, 0]
    assert "MessagesStored" not in line


async def test_lines_of_requests_side_by_side_say_each_what_they_are_about(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "fetch-about")  # a logger of its own
    journal = new_journal()

    async def request(number: int) -> None:
        with journal.about(correlation_id=f"event-{number}", cycle_id=""):
            await asyncio.sleep(0)
            await asyncio.to_thread(journal.info, "within", number=number)
        journal.info("after", number=number)

    await asyncio.gather(*map(request, range(3)))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = {line["number"]: line.get("correlation_id") for line in lines if line["message"] == "within"}
    assert told == {number: f"event-{number}" for number in range(3)}
    assert not any("cycle_id" in line for line in lines)
    assert not any("correlation_id" in line for line in lines if line["message"] == "after")


@pytest.mark.parametrize(("level", "lines"), [("INFO", 0), ("DEBUG", 1)])
def test_what_is_common_is_told_who_asks_for_everything(
    level: str, lines: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", level)
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", f"fetch-{level}")  # a logger of its own
    new_journal().debug("cycle finished", listed=3)
    assert capsys.readouterr().out.count('"listed":3') == lines


def test_no_library_tells_what_aws_answered_even_where_everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    new_journal()
    with aws():
        ssm = boto3.client("ssm")
        ssm.put_parameter(Name="/popfetch/oauth-clients", Value=SECRET, Type="SecureString")
        assert ssm.get_parameter(Name="/popfetch/oauth-clients", WithDecryption=True)["Parameter"]["Value"] == SECRET
    assert SECRET not in caplog.text
