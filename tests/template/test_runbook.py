"""The runbook and the alarms know each other, and what it tells to do can be done."""

import re
from pathlib import Path

import pytest

from infra import dashboard, dead_letters, recovery
from infra.local.workspace import ROOT
from tests.template.translated import of_type, translated

RUNBOOK = (ROOT / dashboard.RUNBOOK).read_text()
ALARMS = of_type("AWS::CloudWatch::Alarm")
HEADINGS = re.findall(r"^#{2,3} (.+)$", RUNBOOK, re.MULTILINE)
ALARM_SECTIONS = re.findall(r"^### (\w+Alarm)$", RUNBOOK, re.MULTILINE)
TASKS = {
    *("Deploying, updating, rolling back", "Redriving dead letters", "Restoring", "Rotating the key"),
    *("An AWS region outage", "Mail is late", "An owner says mail is missing"),
}


def anchor(heading: str) -> str:
    """The address of a section, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_alarm_has_its_section_and_every_section_its_alarm() -> None:
    assert sorted(ALARM_SECTIONS) == sorted(ALARMS)


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_an_alarms_description_ends_with_the_address_of_its_section(name: str) -> None:
    description = ALARMS[name]["Properties"]["AlarmDescription"]
    assert description.endswith(f"(infra/runbook.md#{anchor(name)}).")


@pytest.mark.parametrize("name", ALARM_SECTIONS)
def test_a_section_says_what_to_do_and_how_to_know_that_it_is_over(name: str) -> None:
    section = RUNBOOK.partition(f"### {name}\n")[2].partition("\n##")[0]
    assert "*Do*" in section
    assert "*Over*" in section
    assert "*Look at" in section or "```" in section


def test_the_tasks_of_an_operator_are_in_it() -> None:
    assert set(HEADINGS) >= TASKS


def test_links_within_it_lead_somewhere() -> None:
    anchors = {anchor(heading) for heading in HEADINGS}
    assert set(re.findall(r"\]\(#([^)]+)\)", RUNBOOK)) <= anchors


def test_what_it_names_of_the_stack_is_there() -> None:
    for name in re.findall(r"--queue (\w+)", RUNBOOK):
        assert name in dead_letters.QUEUES
    outputs, parameters = translated()["Outputs"], translated()["Parameters"]
    assert {"DashboardUrl", "ScheduleRuleName", "TableName", "OauthClientsParameterName"} <= set(outputs)
    for name in ("DispatchMemory", "WheelShards", "FetchConcurrency", "FetchMemory", "LogLevel", "Tracing"):
        assert f"`{name}" in RUNBOOK
        assert name in parameters


@pytest.mark.parametrize("path", sorted(set(re.findall(r"tests/[\w/]+\.py", RUNBOOK))))
def test_the_tests_that_it_speaks_of_are_there(path: str) -> None:
    assert Path(ROOT, path).exists()


@pytest.mark.parametrize("line", sorted(set(re.findall(r"`(recovery \w+)", RUNBOOK))))
def test_the_commands_that_it_gives_are_understood(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        recovery.main([line.split()[1], "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize(
    "title",
    sorted(
        set(
            re.findall(
                r"\*(Functions: errors|Queue of fetch requests|Dead letters|"
                r"From due to done|Failed cycles by class|Octets stored)",
                RUNBOOK,
            )
        )
    ),
)
def test_the_graphs_that_it_names_are_on_the_dashboard(title: str) -> None:
    titles = [widget["properties"].get("title", "") for widget in dashboard.body()["widgets"]]
    assert any(found.startswith(title) for found in titles)
