"""Carrying out one request of the queue: fetch an account, or pass on that a removed one is to be erased."""

import asyncio
from dataclasses import replace
from secrets import token_hex

from popfetch.domain.admission import Dropped, admit
from popfetch.domain.errors import AccountNotFound, CycleOvertaken
from popfetch.domain.fetch_request import FetchRequest, Reason
from popfetch.ports.metrics import Metric
from popfetch.ports.schedule import Erasure
from popfetch.services.cycle_record import CycleParts, tell_of_stop
from popfetch.services.fetch_cycle import FetchCycle
from popfetch.services.message_taking import TimeFrame


async def carry_out_request(request: FetchRequest | Erasure, parts: CycleParts, frame: TimeFrame) -> None:
    """Do what a request asks for. Raises what is to send it back to the queue."""
    if isinstance(request, Erasure):
        await _pass_on_erasure(request, parts)
    else:
        await _fetch(request, parts, frame)


async def _fetch(request: FetchRequest, parts: CycleParts, frame: TimeFrame) -> None:
    whose = {"owner_id": request.owner_id, "account_id": request.account_id}
    with parts.journal.about(**whose, correlation_id=request.correlation_id):
        await _fetch_account(request, replace(parts, correlation_id=request.correlation_id), frame)


async def _fetch_account(request: FetchRequest, parts: CycleParts, frame: TimeFrame) -> None:
    journal = parts.journal
    found = await parts.records.load(request.owner_id, request.account_id)
    if found is None:
        journal.info("request dropped", why="account_is_gone")
        return
    account, state = found
    cycle_id = token_hex(8)
    scheduled = request.reason is Reason.SCHEDULE
    try:
        state = await tell_of_stop(parts, account, state, cycle_id)
        dropped = admit(request, account, state, parts.clock())
        if dropped:
            journal.info("request dropped", why=str(dropped))
            if scheduled and dropped is Dropped.BACKING_OFF:
                journal.count(Metric.ACCOUNTS_BACKING_OFF, account.fetch.interval_minutes)
            return
        with journal.about(cycle_id=cycle_id):
            await FetchCycle(parts, account, state, cycle_id, frame).run()
    except (CycleOvertaken, AccountNotFound) as error:
        journal.warning("cycle stopped", cycle_id=cycle_id, error=error.code, reason=error.message)
        return
    if scheduled:
        seconds = (parts.clock() - request.due_at).total_seconds()
        journal.measure(Metric.SECONDS_FROM_DUE_TO_DONE, round(max(0.0, seconds), 1))


async def _pass_on_erasure(erasure: Erasure, parts: CycleParts) -> None:
    """Whatever was under way for the account has ended: it stood before this request in the same group."""
    detail: dict[str, object] = {
        "owner_id": erasure.owner_id,
        "account_id": erasure.account_id,
        "erase_mail": erasure.erase_mail,
    }
    await asyncio.to_thread(parts.bus.publish, "AccountDeleted", detail)
