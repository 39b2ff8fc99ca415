"""What a cycle knows of its account, commits to the table, and tells when it is done.

Everything that is to outlive the cycle goes through here: what has landed in the bucket, the account's state, and how
it went. What is committed is consistent by itself: a checkpoint never runs ahead of the entries it stands for.
"""

import asyncio
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Any

from popfetch.dialogue.texts import clean
from popfetch.domain.account import Account, AfterFetch, Standing
from popfetch.domain.admission import may_sign_in_soon
from popfetch.domain.errors import AccountNotFound, PopfetchError, StorageUnavailable
from popfetch.domain.failures import FailureClass, after_failure, class_of
from popfetch.domain.fetch_request import FetchRequest, Reason
from popfetch.domain.fetch_state import (
    Checkpoint,
    FailureCounts,
    FetchState,
    LastFetch,
    Outcome,
    Progress,
    Stop,
    Trouble,
)
from popfetch.domain.ledger import Disposition, Ledger, LedgerEntry, content_print, day_number, uid_print
from popfetch.domain.maildrop_survey import TRIES_BEFORE_QUARANTINE, Row, Survey, trouble_key
from popfetch.domain.message import QuarantinedMessage, StoredMessage
from popfetch.pop3.errors import Pop3Error
from popfetch.ports.fetch_records import FetchRecords
from popfetch.ports.invocation import Clock, EventBus, Journal, Pause
from popfetch.ports.mail_store import MailStore
from popfetch.ports.maildrop import MaildropDialer
from popfetch.ports.metrics import FAILURES, Metric
from popfetch.ports.schedule import FetchQueue
from popfetch.services.octet_budget import OctetBudget
from popfetch.services.sign_in_secrets import SignInSecrets

MESSAGES_PER_COMMIT = 100
OCTETS_PER_COMMIT = 16 * 1024 * 1024
SECONDS_PER_COMMIT = 5
ENTRIES_PER_COMMIT = 5000
SEGMENTS_BEFORE_PACKING = 64

MOST_TROUBLES = 500
"""Messages whose tries are counted at once, lest the state outgrow its item; what is beyond is quarantined at once."""

CLOCKS_DIFFER_BY = timedelta(days=1)
"""More than the clocks of two functions may differ by."""

LONGEST_MESSAGE = 300
"""As much of an error's sentence, in characters, as is kept for the owner."""

STOPPED = {Standing.AUTH_FAILED: "AccountAuthFailed", Standing.CONNECTION_FAILED: "AccountConnectionFailed"}
"""The standings of accounts that need a person, and the events that tell of them."""

type Failure = Pop3Error | PopfetchError


@dataclass(frozen=True, slots=True)
class CycleParts:
    """What every cycle works with; ``budget`` bounds the octets on their way to the bucket, all cycles together.

    ``correlation_id`` is of the request that is carried out: what asked for it first.
    """

    records: FetchRecords
    store: MailStore
    dialer: MaildropDialer
    secrets: SignInSecrets
    queue: FetchQueue
    bus: EventBus
    journal: Journal
    clock: Clock
    pause: Pause
    budget: OctetBudget
    correlation_id: str = ""


@dataclass(slots=True)
class Tally:
    """What a cycle has done so far; it has the fields that ``LastFetch`` counts."""

    listed: int = 0
    stored: int = 0
    skipped: int = 0
    quarantined: int = 0
    deleted: int = 0
    octets: int = 0
    remaining: int = 0

    @property
    def progress(self) -> int:
        """Messages settled, one way or another."""
        return self.stored + self.skipped + self.quarantined


@dataclass(slots=True)
class _Landed:
    """Messages and entries that the bucket has acknowledged and that wait to be committed."""

    messages: list[StoredMessage] = field(default_factory=list)
    released: list[bytes] = field(default_factory=list)
    entries: list[LedgerEntry] = field(default_factory=list)
    octets: int = 0


class CycleRecord:
    """The record of one cycle; ``state`` is what the account's record says as far as this cycle knows.

    ``cycle_id`` is the cycle's name, which its log lines, events and messages carry.
    """

    def __init__(self, parts: CycleParts, account: Account, state: FetchState, cycle_id: str) -> None:
        self.parts = parts
        self.account = account
        # whoever left progress behind is not under way any more
        self.state = replace(state, progress=None)
        self.tally = Tally()
        self.started_at = parts.clock()
        self.troubled_now: set[bytes] = set()
        self.doomed: list[int] = []
        self.pruned: Ledger | None = None
        self.concluded = False
        self._cause = ""
        self._signed_in = False
        self.cycle_id = cycle_id
        self._landed = _Landed()
        self._last_commit = 0.0
        self._under_way: asyncio.Task[None] | None = None

    def update(self, **changes: Any) -> None:
        """Change the state as it will be written next."""
        self.state = replace(self.state, **changes)

    @property
    def may_sign_in_soon(self) -> bool:
        """False when the server wants a longer pause before the next sign-in than a cycle waits out."""
        return may_sign_in_soon(self.state, self.parts.clock())

    def note_sign_in(self) -> None:
        """Host, port and password are right; what has gone wrong after sign-ins still counts."""
        self._signed_in = True
        self.update(failures=replace(FailureCounts(), temporary=self.state.failures.temporary))

    def learn(self, **traits: Any) -> None:
        """Remember something of the account's server."""
        self.update(traits=replace(self.state.traits, **traits))

    # --- settling ---------------------------------------------------------------------------------------------

    def land(self, survey: Survey, row: Row, message: StoredMessage) -> None:
        """A message was acknowledged by the bucket; it counts with the next commit."""
        self._landed.messages.append(message)
        self._landed.octets += message.octets
        self.tally.stored += 1
        self.tally.octets += message.octets
        if row.number in survey.retried:
            self._landed.released.append(row.uid)

    def settle_stored(self, survey: Survey, row: Row, content: bytes, *, day: int | None = None) -> None:
        """Settle a message that is in the bucket; ``day`` is that of its first entry, where it has one."""
        entry = self._entry(row, content, Disposition.STORED)
        self._enter(survey, entry if day is None else replace(entry, day=day))
        survey.settle(row.number)
        self._forget_trouble(row)
        if self.account.fetch.after_fetch is AfterFetch.DELETE:
            self.owe_deletions([row.number])

    async def skip(self, survey: Survey, row: Row) -> None:
        """Settle a message that the owner does not want."""
        survey.settle(row.number)
        self.tally.skipped += 1
        if row.uid:
            self._enter(survey, self._entry(row, b"", Disposition.SKIPPED))
        if len(self._landed.entries) >= ENTRIES_PER_COMMIT:
            await self.commit(survey)

    def owe_deletions(self, numbers: list[int]) -> None:
        """Until these are deleted, whatever cycle comes next is to reconcile and find them."""
        self.doomed += numbers
        self.update(reconcile_after=None)

    def _enter(self, survey: Survey, entry: LedgerEntry) -> None:
        self._landed.entries.append(entry)
        if survey.ledger is not None:
            survey.ledger.add(entry)

    def _entry(self, row: Row, content: bytes, disposition: Disposition) -> LedgerEntry:
        uid = row.print or uid_print(b"content:" + content)
        return LedgerEntry(uid, row.octets, content_print(content), day_number(self.started_at), disposition)

    # --- trouble ----------------------------------------------------------------------------------------------

    async def note_trouble(self, survey: Survey, row: Row, reason: str) -> None:
        """Count a try against a message, once a cycle; too many put it into quarantine.

        One that is stored, and was only to be confirmed, stays on the server until it can be.
        """
        key = trouble_key(row)
        if key in self.troubled_now:
            return
        self.troubled_now.add(key)
        if row.number in survey.stale:
            return
        tries = self.state.troubles[key].tries + 1 if key in self.state.troubles else 1
        counted = key in self.state.troubles or len(self.state.troubles) < MOST_TROUBLES
        if counted and tries < TRIES_BEFORE_QUARANTINE:
            self.update(troubles={**self.state.troubles, key: Trouble(tries, reason[:120])})
            return
        await self.parts.records.quarantine(
            QuarantinedMessage(
                self.account.owner_id,
                self.account.account_id,
                row.uid,
                row.octets,
                tries,
                reason,
                self.parts.clock(),
            )
        )
        self.parts.journal.warning(
            "a message cannot be taken and is quarantined; those behind it are not held up",
            account_id=self.account.account_id,
            uid=clean(row.uid, longest=80),
            tries=tries,
            reason=reason,
        )
        self._enter(survey, self._entry(row, b"", Disposition.QUARANTINED))
        survey.settle(row.number)
        self.tally.quarantined += 1
        self._forget_trouble(row)

    def _forget_trouble(self, row: Row) -> None:
        key = trouble_key(row)
        if key in self.state.troubles:
            self.update(troubles={other: t for other, t in self.state.troubles.items() if other != key})

    # --- committing -------------------------------------------------------------------------------------------

    async def announce(self, survey: Survey) -> None:
        """Say, once and before anything is stored, that this cycle stores.

        Whoever is waiting sees it; no other cycle may store from here on, as the state's version has moved; and should
        this one die, the next one knows that the index may be ahead of the ledger.
        """
        if self.state.progress is not None:
            return
        announced = replace(self.state, progress=self._progress(survey), index_ahead_since=self.started_at)
        written = await self.parts.records.commit(self.account, announced, self.cycle_id)
        self.update(version=written.version, progress=announced.progress, index_ahead_since=self.started_at)

    async def catch_up_with_index(self, ledger: Ledger) -> None:
        """Enter what a cycle before this one has indexed and died before it entered.

        Such a message is stored, and is to be known again, under another UID too.
        """
        since = self.state.index_ahead_since
        assert since is not None, "nothing is ahead"
        since -= CLOCKS_DIFFER_BY
        missing = await self.parts.records.indexed_beyond(self.account.account_id, ledger, since)
        ledger.extend(missing)
        total = self.state.stored_total + len(missing)
        caught_up = replace(self.state, checkpoint=None, index_ahead_since=None, stored_total=total)
        self.state = await self.parts.records.commit(self.account, caught_up, self.cycle_id, missing)

    async def commit_if_due(self, survey: Survey) -> None:
        """Begin to commit when enough has landed, or enough time has passed; waits where as much again has landed.

        Raises what the commit before has failed with.
        """
        if self._under_way is not None:
            if not self._under_way.done() and len(self._landed.messages) < MESSAGES_PER_COMMIT:
                return
            await self.committed()
        landed, now = self._landed, asyncio.get_running_loop().time()
        if not landed.entries:
            self._last_commit = now
        elif (
            len(landed.messages) >= MESSAGES_PER_COMMIT
            or landed.octets >= OCTETS_PER_COMMIT
            or now - self._last_commit >= SECONDS_PER_COMMIT
        ):
            # what it commits is taken now: messages that land before the task first runs are not in its checkpoint
            self._under_way = asyncio.create_task(self._commit(*self._taken(survey)))
            self._under_way.add_done_callback(_seen)

    async def committed(self) -> None:
        """Wait for the commit that is under way, if there is one.

        Raises what it has failed with, each time: what it was to commit is settled in the survey, so that nothing may
        be committed after it.
        """
        if self._under_way is not None:
            await self._under_way
            self._under_way = None

    async def let_commit_end(self) -> None:
        """Wait until nothing is under way, however it ends: what is on its way to the table arrives all the same."""
        if self._under_way is not None:
            await asyncio.wait([self._under_way])

    async def commit(self, survey: Survey) -> None:
        """Make what landed count: index first, then ledger and checkpoint together; after what is under way."""
        await self.committed()
        await self._commit(*self._taken(survey))

    def _taken(self, survey: Survey) -> tuple[_Landed, Checkpoint, Progress]:
        landed, self._landed = self._landed, _Landed()
        return landed, survey.checkpoint(), self._progress(survey)

    async def _commit(self, landed: _Landed, checkpoint: Checkpoint, progress: Progress) -> None:
        written = await self._write(landed, replace(self.state, checkpoint=checkpoint, progress=progress))
        # what has changed in the state meanwhile stands
        self.update(
            checkpoint=checkpoint,
            version=written.version,
            next_segment=written.next_segment,
            fresh_segments=written.fresh_segments,
            stored_total=written.stored_total,
            progress=progress,
        )

    def _progress(self, survey: Survey) -> Progress:
        tally = self.tally
        return Progress(self.started_at, self.parts.clock(), tally.listed, survey.remaining, tally.stored)

    async def _write(self, landed: _Landed, state: FetchState) -> FetchState:
        records = self.parts.records
        state = replace(state, stored_total=state.stored_total + len(landed.messages))
        if landed.messages:
            await records.index(landed.messages)
        try:
            written = await records.commit(self.account, state, self.cycle_id, landed.entries)
        except AccountNotFound:
            await records.withdraw(landed.messages)
            raise
        self._last_commit = asyncio.get_running_loop().time()
        for uid in landed.released:
            await records.release(self.account.account_id, uid)
        if landed.messages:
            await self._publish(
                "MessageStored",
                {
                    "messages": [
                        {"message_id": message.message_id, "key": message.key, "octets": message.octets}
                        for message in landed.messages
                    ]
                },
            )
        return written

    # --- concluding -------------------------------------------------------------------------------------------

    async def conclude(self, failure: Failure | None, survey: Survey | None = None) -> None:
        """Write how the cycle went, together with what has landed since the last commit."""
        await self.committed()
        landed, self._landed = self._landed, _Landed()
        now = self.parts.clock()
        state = self.state if survey is None else replace(self.state, checkpoint=survey.checkpoint())
        stop: Stop | None = None
        if failure is None:
            all_settled = state.start_applied or not self.tally.remaining
            state = replace(state, failures=FailureCounts(), start_applied=all_settled)
        elif not self.tally.progress:
            failures, standing = after_failure(
                state.failures,
                failure.code,
                explicit=getattr(failure, "explicit", False),
                signed_in=self._signed_in,
                now=now,
                interval=timedelta(minutes=self.account.fetch.interval_minutes),
                jitter=SystemRandom().random(),  # of the system: processes from one snapshot must not pause alike
            )
            state = replace(state, failures=failures)
            if standing is not Standing.ACTIVE and self.account.standing is Standing.ACTIVE:
                said = failure.server_text if isinstance(failure, Pop3Error) else ""
                stop = Stop(
                    standing, now, failure.code, failure.message[:LONGEST_MESSAGE], server_said=said[:LONGEST_MESSAGE]
                )
                state = replace(state, stop=stop)
        if failure is not None and isinstance(failure.__cause__, Pop3Error):
            self._cause = failure.__cause__.message
        self.state = await self._write(
            landed,
            replace(
                state,
                last_fetch=self._last_fetch(failure, now),
                progress=None,
                # another cycle's, where this one never came so far as to look
                index_ahead_since=state.index_ahead_since if state.progress is None else None,
            ),
        )
        self.concluded = True
        if failure is None:
            await self._recover()
        elif stop is not None:
            await self._leave_wheel(stop)

    def _last_fetch(self, failure: Failure | None, now: datetime) -> LastFetch:
        tally = self.tally
        if failure is not None:
            outcome = Outcome.PARTIAL if tally.progress else Outcome.FAILED
        elif tally.remaining:
            outcome = Outcome.PARTIAL
        else:
            outcome = Outcome.STORED if tally.stored else Outcome.NOTHING_NEW
        return LastFetch(
            started_at=self.started_at,
            finished_at=now,
            outcome=outcome,
            **asdict(tally),
            error_code=failure.code if failure else None,
            error_message=failure.message[:LONGEST_MESSAGE] if failure else None,
        )

    async def _leave_wheel(self, stop: Stop) -> None:
        """Leave the wheel, as a person is needed, and tell the owner."""
        stopped = replace(self.account, standing=stop.standing)
        if await self.parts.records.take_off_wheel(stopped):
            self.state = await tell_of_stop(self.parts, stopped, self.state, self.cycle_id)

    async def _recover(self) -> None:
        """Come back to the wheel where a check by hand succeeded, and tell that mail flows again."""
        account = self.account
        if account.standing in STOPPED:
            recovered = replace(account, standing=Standing.ACTIVE)
            if not await self.parts.records.put_on_wheel(recovered):
                return
        stop = self.state.stop
        if stop is not None and (not stop.told or await self._publish("AccountRecovered", {})):
            self.state = await self.parts.records.commit(account, replace(self.state, stop=None), self.cycle_id)

    async def afterwards(self) -> LastFetch:
        """What follows a finished cycle: a word in the log, history, packing, and the next cycle if mail waits."""
        fetch = self.state.last_fetch
        assert fetch is not None
        idle = fetch.outcome is Outcome.NOTHING_NEW and not (self.tally.progress or self.tally.deleted)
        self._report(fetch, idle=idle)
        await self._pack_ledger()
        if idle:
            return fetch
        await self.parts.records.add_history(self.account, self.cycle_id, fetch)
        await self._publish(
            "FetchCycleCompleted",
            {"outcome": str(fetch.outcome), **fetch.counts, "error": fetch.error_code},
        )
        waiting = fetch.remaining - len(self.state.troubles)
        if self.account.fetch.catch_up and waiting > 0 and self.tally.progress and self.may_sign_in_soon:
            account, parts = self.account, self.parts
            request = FetchRequest(
                account.owner_id, account.account_id, Reason.CATCH_UP, parts.clock(), parts.correlation_id
            )
            await asyncio.to_thread(self.parts.queue.send, [request])
        return fetch

    async def _pack_ledger(self) -> None:
        if self.pruned is not None or self.state.fresh_segments >= SEGMENTS_BEFORE_PACKING:
            self.state = await self.parts.records.compact(self.account, self.state, self.cycle_id, self.pruned)
        if self.pruned is not None and self.state.start_changed:
            # only now is the ledger without what the earlier start left out
            settled = replace(self.state, start_changed=False)
            self.state = await self.parts.records.commit(self.account, settled, self.cycle_id)

    def _report(self, fetch: LastFetch, *, idle: bool) -> None:
        journal = self.parts.journal
        details: dict[str, object] = {
            "owner_id": self.account.owner_id,
            "account_id": self.account.account_id,
            "cycle_id": self.cycle_id,
            "outcome": str(fetch.outcome),
            "listed": fetch.listed,
        }
        if not idle:
            seconds = (fetch.finished_at - fetch.started_at).total_seconds()
            details |= {**fetch.counts, "seconds": round(seconds, 3)}
        failed = class_of(fetch.error_code) if fetch.error_code else None
        journal.count(Metric.CYCLES)
        journal.measure(Metric.SIGN_INS_REFUSED, failed is FailureClass.AUTHENTICATION)
        journal.count(Metric.MESSAGES_STORED, fetch.stored)
        journal.count(Metric.OCTETS_STORED, fetch.octets)
        journal.count(Metric.MESSAGES_QUARANTINED, fetch.quarantined)
        if failed:
            journal.count(Metric.CYCLES_FAILED)
            if failed is not FailureClass.AUTHENTICATION:
                journal.count(FAILURES[failed])
            cause = {"cause": self._cause} if self._cause else {}
            journal.warning("cycle failed", **details, error=fetch.error_code, reason=fetch.error_message, **cause)
        elif idle:
            # its line would cost a third of what its read and its write do; the account's record has it all
            journal.debug("cycle finished", **details)
        else:
            journal.info("cycle finished", **details)

    async def _publish(self, name: str, detail: dict[str, object]) -> bool:
        account = self.account
        whose: dict[str, object] = {"owner_id": account.owner_id, "account_id": account.account_id}
        told = {**whose, "cycle_id": self.cycle_id, "correlation_id": self.parts.correlation_id, **detail}
        try:
            await asyncio.to_thread(self.parts.bus.publish, name, told)
        except StorageUnavailable:
            # the mail is stored and committed: an event that could not be told must not fetch it again
            self.parts.journal.error("an event could not be published", event_name=name, **whose)
            self.parts.journal.count(Metric.EVENTS_LOST)
            return False
        return True


def _seen(task: asyncio.Task[None]) -> None:
    """Mark a failure as seen: a cycle that ends for another reason does not ask for it."""
    if not task.cancelled():
        task.exception()


async def tell_of_stop(parts: CycleParts, account: Account, state: FetchState, cycle_id: str) -> FetchState:
    """Publish that an account has stopped, where that was not done yet; returns the state as it now stands.

    Raises StorageUnavailable, so that the request comes again and this with it: the owner must learn of it.
    """
    stop = state.stop
    if stop is None or stop.told or account.standing is not stop.standing:
        return state
    detail: dict[str, object] = {
        "owner_id": account.owner_id,
        "account_id": account.account_id,
        "code": stop.code,
        "message": stop.message,
        "server_said": stop.server_said,
        "stopped_at": stop.at.isoformat(),
    }
    await asyncio.to_thread(parts.bus.publish, STOPPED[stop.standing], detail)
    return await parts.records.commit(account, replace(state, stop=replace(stop, told=True)), cycle_id)
