"""What operators see of cycles: metrics, and the thread from the rule's event to the stored message and back."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import grimp
import pytest

from popfetch.domain.failures import FailureClass, class_of
from popfetch.domain.fetch_request import Reason
from popfetch.domain.fetch_state import FailureCounts
from popfetch.pop3.errors import CommandRefused, Pop3Error
from popfetch.ports.metrics import COUNTED_BY, FAILURES, STOPPED, WHOLE, Metric
from tests.builders.aws import Aws
from tests.builders.collecting import Collection, a_message
from tests.builders.scripted_pop3_server import Answer, ScriptedServer, err


def leaves(root: type[Pop3Error]) -> list[type[Pop3Error]]:
    return [leaf for kind in root.__subclasses__() for leaf in (kind, *leaves(kind))]


@pytest.mark.parametrize("error", leaves(Pop3Error))
def test_whatever_a_mail_server_does_is_never_counted_as_our_own_fault(error: type[Pop3Error]) -> None:
    assert class_of(error.code) is not FailureClass.OWN


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("consent_needed", FailureClass.AUTHENTICATION),
        ("pop_not_enabled", FailureClass.PERMANENT),
        (CommandRefused.code, FailureClass.TEMPORARY),
        ("deadline", FailureClass.NETWORK),
        ("secret_unreadable", FailureClass.OWN),
        ("oauth_client_refused", FailureClass.OWN),
        ("what nobody has heard of", FailureClass.OWN),
    ],
)
def test_a_code_that_names_no_class_has_one(code: str, expected: FailureClass) -> None:
    assert class_of(code) is expected


def test_every_metric_is_some_functions_and_every_failure_has_its_own() -> None:
    assert {metric for counted in COUNTED_BY.values() for metric in counted} == set(Metric)
    assert set(FAILURES) == set(FailureClass)
    assert len(set(FAILURES.values())) == len(FAILURES)
    assert set(STOPPED.values()) <= set(COUNTED_BY["dispatch"])


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph("popfetch")


@pytest.mark.parametrize("service", sorted(set(COUNTED_BY) - {WHOLE}))
def test_a_function_reaches_the_code_that_counts_its_metrics(service: str, imports: grimp.ImportGraph) -> None:
    root = Path(__file__).parents[3]
    handler = (root / "functions" / service / "handler.py").read_text()
    begin = set(re.findall(r"^from (popfetch[\w.]+) import", handler, re.MULTILINE))
    reached = begin | {found for module in begin for found in imports.find_upstream_modules(module)}
    counted: set[Metric] = set()
    for module in reached - {"popfetch.ports.metrics"}:
        file = root / "shared" / Path(*module.split("."))
        text = (file / "__init__.py" if file.is_dir() else file.with_suffix(".py")).read_text()
        counted |= {Metric[name] for name in re.findall(r"\(\s*Metric\.([A-Z_]+)", text)}
        counted |= set(FAILURES.values()) if "FAILURES[" in text else set()
        counted |= set(STOPPED.values()) if "STOPPED.items()" in text else set()
    assert set(COUNTED_BY[service]) <= counted


@pytest.mark.parametrize(
    ("reply", "metric"),
    [
        (err("[AUTH] no"), Metric.SIGN_INS_REFUSED),
        (err("[SYS/TEMP] later"), Metric.FAILURES_TEMPORARY),
        (err("[SYS/PERM] never"), Metric.FAILURES_PERMANENT),
        (err("[IN-USE] wait"), Metric.FAILURES_IN_USE),
        (err("[LOGIN-DELAY] wait"), Metric.FAILURES_LOGIN_TOO_FREQUENT),
        (b"what?\r\n", Metric.FAILURES_PROTOCOL),
    ],
)
async def test_a_failed_cycle_is_counted_by_its_class(aws: Aws, reply: Answer, metric: Metric) -> None:
    async with ScriptedServer(on={"PASS": reply}) as server:
        collection = Collection(aws, server)
        await collection.cycle()
    counts = collection.journal.counts
    assert {name for name in FAILURES.values() if counts.get(name)} == {metric}
    assert (counts[Metric.CYCLES], counts[Metric.CYCLES_FAILED]) == (1, 1)


async def test_a_server_that_is_not_there_counts_as_network(aws: Aws) -> None:
    async with ScriptedServer() as server:
        collection = Collection(aws, server)
    await collection.cycle()
    assert collection.journal.counts[Metric.FAILURES_NETWORK] == 1


async def test_each_cycle_says_whether_its_sign_in_was_refused(aws: Aws) -> None:
    async with ScriptedServer([a_message(1)]) as server:
        collection = Collection(aws, server)
        await collection.cycle()
        server.on["PASS"] = err("[AUTH] no")
        await collection.cycle()
    assert collection.journal.values[Metric.SIGN_INS_REFUSED] == [0, 1]


async def test_the_time_from_due_to_done_is_that_of_scheduled_requests_alone(aws: Aws) -> None:
    async with ScriptedServer([a_message(1)]) as server:
        collection = Collection(aws, server)
        await collection.carry_out(due_at=collection.now - timedelta(seconds=42))
        await collection.carry_out(Reason.CHECK_NOW, due_at=collection.now + timedelta(seconds=1))
    assert collection.journal.values[Metric.SECONDS_FROM_DUE_TO_DONE] == [42]


async def test_an_account_that_backs_off_counts_its_interval_for_each_request_it_drops(aws: Aws) -> None:
    async with ScriptedServer() as server:
        collection = Collection(aws, server, interval_minutes=15)
        until = collection.now + timedelta(hours=1)
        state = replace(await collection.state(), failures=FailureCounts(temporary=5, not_before=until))
        await collection.records.commit(collection.account, state, "earlier")
        await collection.carry_out()
        await collection.carry_out(due_at=collection.now + timedelta(minutes=15))
    assert collection.journal.counts == {Metric.ACCOUNTS_BACKING_OFF: 30}


# --- From the rule's event to the message, and back ------------------------------------------------------------


async def test_a_message_leads_to_its_cycle_and_the_cycle_to_the_event_that_asked_for_it(aws: Aws) -> None:
    async with ScriptedServer([a_message(1)]) as server:
        collection = Collection(aws, server)
        await collection.carry_out(correlation_id="the-event")
    (key,) = collection.objects()
    cycle_id = aws.s3.head_object(Bucket=aws.bucket, Key=key)["Metadata"]["cycle"]
    (line,) = [fields for _, message, fields in collection.journal.lines if message == "cycle finished"]
    assert (line["cycle_id"], line["correlation_id"]) == (cycle_id, "the-event")
    for name in ("MessageStored", "FetchCycleCompleted"):
        (event,) = collection.bus.named(name)
        assert (event["cycle_id"], event["correlation_id"]) == (cycle_id, "the-event")


async def test_a_large_message_names_its_cycle_too(aws: Aws) -> None:
    async with ScriptedServer([a_message(1, octets=9 * 1024 * 1024)]) as server:
        collection = Collection(aws, server)
        await collection.carry_out(correlation_id="the-event")
    (key,) = collection.objects()
    (event,) = collection.bus.named("MessageStored")
    assert aws.s3.head_object(Bucket=aws.bucket, Key=key)["Metadata"]["cycle"] == event["cycle_id"]


async def test_whatever_is_noted_within_a_cycle_names_the_cycle_and_what_asked_for_it(aws: Aws) -> None:
    async with ScriptedServer(on={"PASS": err("[AUTH] no")}) as server:
        collection = Collection(aws, server)
        await collection.carry_out(correlation_id="the-event")
    assert collection.journal.lines
    for _, message, fields in collection.journal.lines:
        assert {"owner_id", "account_id", "cycle_id", "correlation_id"} <= set(fields), message


async def test_the_cycles_that_follow_for_a_backlog_keep_the_id_of_the_first(aws: Aws) -> None:
    async with ScriptedServer([a_message(number) for number in range(3)]) as server:
        collection = Collection(aws, server, max_messages_per_cycle=1)
        await collection.carry_out(correlation_id="the-event")
    (body,) = collection.queued()
    assert (body["reason"], body["correlation_id"]) == ("catch_up", "the-event")


async def test_requests_side_by_side_do_not_mix_up_what_their_lines_are_about(aws: Aws) -> None:
    async with ScriptedServer([a_message(1)]) as server:
        collection = Collection(aws, server)
        with collection.journal.about(correlation_id="outer"):
            await collection.carry_out(correlation_id="inner")
            collection.journal.info("afterwards")
    *within, (_, _, after) = collection.journal.lines
    assert {fields["correlation_id"] for _, _, fields in within} == {"inner"}
    assert after == {"correlation_id": "outer"}
