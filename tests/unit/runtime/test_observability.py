"""What functions write down: metrics under the names that alarms watch, and no secret at any level."""

import json
import logging

import boto3
import pytest

from popfetch.runtime.observability import WHOLE, new_journal
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
        journal.count("MessagesStored", 2)
        journal.count("MessagesStored", 3)
        journal.count("CyclesFailed", 0)
        return {}

    journal.flushed(handler)({}, None)  # type: ignore[arg-type]
    assert counted(capsys.readouterr().out) == {"MessagesStored": ("fetch", 5)}


def test_what_any_function_may_count_is_the_wholes(capsys: pytest.CaptureFixture[str]) -> None:
    new_journal().count("OAuthClientsRefused")
    assert counted(capsys.readouterr().out) == {"OAuthClientsRefused": (WHOLE, 1)}


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
