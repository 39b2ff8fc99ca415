"""One request of the queue, carried out or dropped."""

from dataclasses import replace
from datetime import timedelta

import pytest

from popfetch.adapters.accounts_table import AccountsTable
from popfetch.domain.account import Standing
from popfetch.domain.fetch_request import Reason
from popfetch.domain.fetch_state import FailureCounts
from popfetch.ports.schedule import Erasure
from popfetch.services.fetch_account import carry_out_request
from popfetch.services.message_taking import TimeFrame
from tests.builders.aws import Aws
from tests.builders.collecting import Collection, a_message
from tests.builders.scripted_pop3_server import Close, ScriptedServer, err


async def every_minute(collection: Collection, minutes: int, reason: Reason = Reason.SCHEDULE) -> None:
    for _ in range(minutes):
        collection.now += timedelta(minutes=1)
        await collection.carry_out(reason)


async def test_a_due_account_is_fetched(aws: Aws) -> None:
    async with ScriptedServer([a_message(1)]) as server:
        collection = Collection(aws, server)
        await collection.carry_out()
    assert collection.contents() == [a_message(1)]


async def test_a_request_that_was_answered_meanwhile_connects_to_nobody(aws: Aws) -> None:
    async with ScriptedServer([a_message(1)]) as server:
        collection = Collection(aws, server)
        await collection.carry_out()
        sessions = len(server.sessions)
        await collection.carry_out(due_at=collection.now - timedelta(minutes=1))
        assert len(server.sessions) == sessions
    assert collection.journal.lines[-1][2]["why"] == "answered_by_a_later_cycle"


async def test_an_account_that_is_gone_is_dropped(aws: Aws) -> None:
    async with ScriptedServer() as server:
        collection = Collection(aws, server)
        AccountsTable(aws.dynamodb, aws.table).remove(collection.account.owner_id, collection.account.account_id)
        await collection.carry_out()
        assert server.sessions == []
    assert collection.journal.lines[-1][2]["why"] == "account_is_gone"


async def test_an_account_removed_during_its_cycle_leaves_no_index_behind(aws: Aws) -> None:
    async with ScriptedServer([a_message(1)]) as server:
        collection = Collection(aws, server)
        store = AccountsTable(aws.dynamodb, aws.table)

        def remove(*_: object) -> None:
            store.remove(collection.account.owner_id, collection.account.account_id)

        server.on["RETR"] = remove
        await collection.carry_out()
    assert collection.items("MESSAGE#") == collection.items("LEDGER#") == []
    assert collection.journal.lines[-1][2]["error"] == "account_not_found"


async def test_back_off_is_kept_unless_a_person_asks(aws: Aws) -> None:
    async with ScriptedServer([a_message(1)]) as server:
        collection = Collection(aws, server)
        state = replace(
            await collection.state(),
            failures=FailureCounts(temporary=5, not_before=collection.now + timedelta(hours=1)),
        )
        await collection.records.commit(collection.account, state, "earlier")
        await collection.carry_out()
        assert server.sessions == []
        await collection.carry_out(Reason.CHECK_NOW)
        assert len(server.sessions) == 1


@pytest.mark.parametrize(
    "refusal",
    [
        "[LOGIN-DELAY] minimum time between mail checks violation",
        "[IN-USE] mailbox is in use",
        "login too frequent, please wait",
        "Exceeded the login limit for a 15 minute period. Reduce the frequency of requests to the POP3 server.",
    ],
)
async def test_an_account_that_is_throttled_for_an_hour_goes_on_collecting(aws: Aws, refusal: str) -> None:
    async with ScriptedServer([a_message(1)], on={"PASS": err(refusal)}) as server:
        collection = Collection(aws, server, interval_minutes=1)
        await every_minute(collection, 60)
        assert len(server.sessions) < 30
        assert (await collection.stored_account()).standing is Standing.ACTIVE
        failures = (await collection.state()).failures
        assert (failures.authentication, failures.connection) == (0, 0)
        server.on.clear()
        collection.now += timedelta(hours=1)
        await collection.carry_out()
    assert collection.contents() == [a_message(1)]
    assert collection.bus.named("AccountAuthFailed") == []


async def test_a_server_that_hangs_up_after_each_sign_in_is_asked_less_and_less_often(aws: Aws) -> None:
    async with ScriptedServer([a_message(1)], on={"STAT": Close()}) as server:
        collection = Collection(aws, server, interval_minutes=1)
        await every_minute(collection, 120)
        assert len(server.sessions) < 40
        assert (await collection.stored_account()).standing is Standing.ACTIVE
        server.on.clear()
        collection.now += timedelta(hours=1)
        await collection.carry_out()
    assert collection.contents() == [a_message(1)]


async def test_an_hour_of_throttling_by_hand_stops_nothing_either(aws: Aws) -> None:
    async with ScriptedServer(on={"PASS": err("[LOGIN-DELAY] wait")}) as server:
        collection = Collection(aws, server, interval_minutes=1)
        await every_minute(collection, 60, Reason.CHECK_NOW)
        assert len(server.sessions) == 60
    assert (await collection.stored_account()).standing is Standing.ACTIVE


async def test_an_erasure_is_passed_on_to_the_bus(aws: Aws) -> None:
    async with ScriptedServer() as server:
        collection = Collection(aws, server)
        await carry_out_request(Erasure("anna", "gone", erase_mail=True), collection.parts, TimeFrame(0, 0))
    assert collection.bus.named("AccountDeleted") == [{"owner_id": "anna", "account_id": "gone", "erase_mail": True}]
