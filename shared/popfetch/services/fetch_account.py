"""Carrying out one request of the queue: fetch an account, or pass on that a removed one is to be erased."""

import asyncio
from secrets import token_hex

from popfetch.domain.admission import admit
from popfetch.domain.errors import AccountNotFound, CycleOvertaken
from popfetch.domain.fetch_request import FetchRequest
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
    journal = parts.journal
    whose = {"owner_id": request.owner_id, "account_id": request.account_id}
    found = await parts.records.load(request.owner_id, request.account_id)
    if found is None:
        journal.info("request dropped", **whose, why="account_is_gone")
        return
    account, state = found
    cycle_id = token_hex(8)
    try:
        state = await tell_of_stop(parts, account, state, cycle_id)
        dropped = admit(request, account, state, parts.clock())
        if dropped:
            journal.info("request dropped", **whose, why=str(dropped))
            return
        await FetchCycle(parts, account, state, cycle_id, frame).run()
    except (CycleOvertaken, AccountNotFound) as error:
        journal.warning("cycle stopped", **whose, error=error.code, reason=error.message)


async def _pass_on_erasure(erasure: Erasure, parts: CycleParts) -> None:
    """Whatever was under way for the account has ended: it stood before this request in the same group."""
    detail: dict[str, object] = {
        "owner_id": erasure.owner_id,
        "account_id": erasure.account_id,
        "erase_mail": erasure.erase_mail,
    }
    await asyncio.to_thread(parts.bus.publish, "AccountDeleted", detail)
