"""One cycle of one account: survey the maildrop, take what is new, commit, delete what may go.

The order that loses nothing and stores nothing twice::

    RETR -> end confirmed -> S3 put acknowledged -> index -> ledger and checkpoint committed -> DELE -> QUIT

A crash between any two steps leaves work that the next cycle does again onto the same keys.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import random

from popfetch.domain.account import Account, AfterFetch, Direction, Order, Standing
from popfetch.domain.errors import AccountNotFound, CycleOvertaken, PopfetchError, StorageUnavailable
from popfetch.domain.failures import after_failure
from popfetch.domain.fetch_request import FetchRequest, Reason
from popfetch.domain.fetch_state import Checkpoint, FailureCounts, FetchState, LastFetch, Outcome, Pipelining, Trouble
from popfetch.domain.ledger import Disposition, Ledger, LedgerEntry, content_print, day_number, uid_print
from popfetch.domain.maildrop_survey import (
    RECONCILE_EVERY,
    TRIES_BEFORE_QUARANTINE,
    Probe,
    Row,
    Survey,
    pruned,
    read_probe,
    survey_all,
    survey_tail,
    trouble_key,
    troubled_last,
)
from popfetch.domain.message import QuarantinedMessage, StoredMessage
from popfetch.domain.message_identity import read_header_fields
from popfetch.pop3.errors import ConnectionFailed, Pop3Error, ProtocolViolation, ServerTemporary
from popfetch.ports import (
    Clock,
    CredentialVault,
    DialAdvice,
    EventBus,
    FetchQueue,
    FetchRecords,
    Journal,
    Maildrop,
    MaildropDialer,
    MaildropSize,
    MailStore,
    MessageBegan,
    MessageConfirmed,
    MessageContent,
    MessageEnded,
    MessageRefused,
)
from popfetch.services.intake import Intake
from popfetch.services.octet_budget import OctetBudget

SESSIONS_PER_CYCLE = 20
"""Sessions a cycle opens at most, one after another, while each makes progress."""

FRUITLESS_SESSIONS = 3
"""Sessions in a row that may break without bringing anything before the cycle gives up."""

MESSAGES_PER_COMMIT = 50
OCTETS_PER_COMMIT = 16 * 1024 * 1024
SECONDS_PER_COMMIT = 5
SKIPS_PER_COMMIT = 5000
ROWS_BEYOND_LIMIT = 50
"""Rows listed beyond the cycle's limit, to stand in for messages that are refused or skipped."""

REFUSALS_THAT_MEAN_THE_SERVER = 20
"""This many refusals and not one message: it is the server that is ill, not its messages."""

SIZE_SURPRISES_BEFORE_DISTRUST = 3
SEGMENTS_BEFORE_PACKING = 64


@dataclass(frozen=True, slots=True)
class CycleParts:
    """What every cycle works with; ``budget`` bounds the octets on their way to the bucket, all cycles together."""

    records: FetchRecords
    store: MailStore
    dialer: MaildropDialer
    vault: CredentialVault
    queue: FetchQueue
    bus: EventBus
    journal: Journal
    clock: Clock
    budget: OctetBudget


@dataclass(frozen=True, slots=True)
class TimeFrame:
    """When a cycle stops, in loop time: no message is begun after ``stop_at``, none lasts past ``deadline``."""

    stop_at: float
    deadline: float


@dataclass(slots=True)
class _Tally:
    listed: int = 0
    stored: int = 0
    skipped: int = 0
    quarantined: int = 0
    deleted: int = 0
    octets: int = 0
    remaining: int = 0

    @property
    def progress(self) -> int:
        return self.stored + self.skipped + self.quarantined


@dataclass(slots=True)
class _Landed:
    """Messages and entries that the bucket has acknowledged and that wait to be committed."""

    messages: list[StoredMessage] = field(default_factory=list)
    released: list[bytes] = field(default_factory=list)
    entries: list[LedgerEntry] = field(default_factory=list)
    octets: int = 0


class FetchCycle:
    """One cycle; ``run`` it once. ``state`` is what the account's record says as far as this cycle knows."""

    def __init__(self, parts: CycleParts, account: Account, state: FetchState, cycle_id: str, frame: TimeFrame) -> None:
        self._parts = parts
        self._account = account
        self._settings = account.fetch
        self._state = state
        self._cycle_id = cycle_id
        self._frame = frame
        self._started_at = parts.clock()
        self._tally = _Tally()
        self._landed = _Landed()
        self._puts: set[asyncio.Task[None]] = set()
        self._put_failure: StorageUnavailable | None = None
        self._troubled_now: set[bytes] = set()
        self._doomed: list[int] = []
        self._last_commit = 0.0
        self._serial = False
        self._concluded = False
        self._pruned: Ledger | None = None
        self._reconcile_after = state.reconcile_after
        self._login_delay = 0

    async def run(self) -> LastFetch:
        """Fetch, and leave the account's record telling how it went.

        Raises StorageUnavailable when AWS did not do its part (the request is to come again), and CycleOvertaken
        or AccountNotFound when this cycle has no say any more.
        """
        failure: Pop3Error | PopfetchError | None = None
        try:
            await self._collect()
        except Pop3Error as error:
            failure = error
        except PopfetchError as error:
            if error.retryable or isinstance(error, CycleOvertaken | AccountNotFound):
                raise
            failure = error
        finally:
            for put in self._puts:
                put.cancel()
        if not self._concluded:
            await self._conclude(failure)
        assert self._state.last_fetch is not None
        await self._afterwards(self._state.last_fetch)
        return self._state.last_fetch

    # --- sessions -------------------------------------------------------------------------------------------

    async def _collect(self) -> None:
        account = self._account
        secret = await asyncio.to_thread(
            self._parts.vault.open,
            account.incoming_secret,
            account.owner_id,
            account.account_id,
            Direction.INCOMING,
        )
        fruitless = 0
        broke: Pop3Error | None = None
        for _ in range(SESSIONS_PER_CYCLE):
            progress, troubles, troubled_now = self._tally.progress, self._state.troubles, set(self._troubled_now)
            maildrop = await self._parts.dialer.open(account.incoming, secret, self._advice(), self._frame.deadline)
            self._note_sign_in()
            try:
                broke = await self._session(maildrop)
            except BaseException:
                await maildrop.abandon()
                raise
            if broke is None:
                return
            self._note_capa(maildrop)
            await maildrop.abandon()
            fruitless = 0 if self._tally.progress > progress else fruitless + 1
            if self._time_is_up or fruitless >= FRUITLESS_SESSIONS:
                break
            if fruitless and maildrop.pipelines:
                # it may be pipelining that broke the session, not the message: no blame, once more one by one
                self._serial = True
                self._state = replace(self._state, troubles=troubles)
                self._troubled_now = troubled_now
        assert broke is not None
        raise broke

    def _advice(self) -> DialAdvice:
        traits = self._state.traits
        pipeline = True if traits.pipelining is Pipelining.WORKS else None
        if self._serial or (traits.pipelining is Pipelining.BROKEN and not self._reconcile_is_due):
            pipeline = False
        return DialAdvice(pipeline=pipeline, skip_capa=traits.capa_breaks_session)

    def _note_sign_in(self) -> None:
        self._state = replace(self._state, failures=replace(FailureCounts(), temporary=self._state.failures.temporary))

    def _note_capa(self, maildrop: Maildrop) -> None:
        if maildrop.capa_broke_session:
            self._state = replace(self._state, traits=replace(self._state.traits, capa_breaks_session=True))

    def _note_pipelining(self, maildrop: Maildrop) -> None:
        known = self._state.traits.pipelining
        if self._serial and not self._troubled_now:
            known = Pipelining.BROKEN
        elif maildrop.pipelines:
            known = Pipelining.WORKS
        if known is not self._state.traits.pipelining:
            self._state = replace(self._state, traits=replace(self._state.traits, pipelining=known))

    async def _session(self, maildrop: Maildrop) -> Pop3Error | None:
        """Work through one session; returns what broke it, after committing what it brought."""
        try:
            survey = await self._survey(maildrop)
        except (ConnectionFailed, ProtocolViolation) as error:
            return error
        if survey is None:
            self._note_pipelining(maildrop)
            await maildrop.quit()
            return None
        broke: Pop3Error | None = None
        try:
            await self._skip_before_start(maildrop, survey)
            await self._take_new(maildrop, survey)
        except Pop3Error as error:
            broke = error
        await self._settle_puts(survey)
        self._tally.remaining = survey.remaining
        if broke is not None:
            await self._commit(survey)
            return broke
        self._note_capa(maildrop)
        self._note_pipelining(maildrop)
        self._login_delay = maildrop.login_delay
        if survey.stale:
            self._owe_deletions(survey.stale)
        if self._doomed:
            await self._commit(survey)
            await self._delete(maildrop, survey, sorted(set(self._doomed)))
            self._note_reconciled(survey)
            return None
        self._note_reconciled(survey)
        await self._conclude(None, survey)
        await maildrop.quit()
        return None

    # --- surveying ------------------------------------------------------------------------------------------

    async def _survey(self, maildrop: Maildrop) -> Survey | None:
        """What this session is to do, or ``None`` when the probe says that nothing is new."""
        self._doomed = []
        checkpoint = self._state.checkpoint
        if checkpoint is None or self._state.troubles or self._reconcile_is_due:
            return await self._survey_all(maildrop, await maildrop.stat())
        if checkpoint.count:
            size, uid = await maildrop.probe(checkpoint.count)
        else:
            size, uid = await maildrop.stat(), None
        verdict = read_probe(
            checkpoint, size.count, size.octets, uid or b"", sizes_unstable=self._state.traits.sizes_unstable
        )
        if verdict is Probe.NOTHING_NEW:
            self._tally.listed = size.count
            return None
        if verdict is Probe.NEW_AT_THE_END and not self._took_beyond(checkpoint):
            first, last = checkpoint.count + 1, size.count
            if self._settings.order is Order.OLDEST_FIRST:
                last = min(last, checkpoint.count + self._settings.max_messages_per_cycle + ROWS_BEYOND_LIMIT)
            rows = await self._rows(maildrop, range(first, last + 1), size.count)
            if [row.number for row in rows] == list(range(first, last + 1)):
                self._tally.listed = size.count
                return survey_tail(checkpoint, size.count, size.octets, rows, self._settings)
        return await self._survey_all(maildrop, size)

    def _took_beyond(self, checkpoint: Checkpoint) -> bool:
        """True when messages beyond the checkpoint may be settled: the newest were taken first, and others wait."""
        return self._settings.order is Order.NEWEST_FIRST and checkpoint.octets is None

    async def _survey_all(self, maildrop: Maildrop, size: MaildropSize) -> Survey:
        rows = await self._rows(maildrop, None, size.count)
        ledger = Ledger()
        if self._state.next_segment:
            ledger = await self._parts.records.load_ledger(self._account.account_id)
        self._tally.listed = len(rows)
        return survey_all(
            rows,
            size.octets,
            ledger,
            self._state.checkpoint,
            self._state.traits,
            self._settings,
            self._parts.clock(),
        )

    async def _rows(self, maildrop: Maildrop, numbers: range | None, count: int) -> list[Row]:
        return [
            Row(listed.number, listed.uid, listed.octets) for listed in await maildrop.listing(numbers, count=count)
        ]

    @property
    def _reconcile_is_due(self) -> bool:
        due = self._state.reconcile_after
        return due is None or self._started_at >= due

    def _note_reconciled(self, survey: Survey) -> None:
        if survey.ledger is not None:
            self._reconcile_after = self._started_at + RECONCILE_EVERY
            self._pruned = pruned(survey.ledger, survey.absent, self._started_at)
        self._state = replace(self._state, reconcile_after=self._reconcile_after)

    def _owe_deletions(self, numbers: list[int]) -> None:
        """Until these are deleted, whatever cycle comes next is to reconcile and find them."""
        self._doomed += numbers
        self._state = replace(self._state, reconcile_after=None)

    # --- where the first import starts ------------------------------------------------------------------------

    async def _skip_before_start(self, maildrop: Maildrop, survey: Survey) -> None:
        """Settle what was on the server before the day that the owner wants mail from, without taking it."""
        if self._state.start_applied:
            return
        start = self._settings.start
        if start == "now":
            for row in survey.unsettled:
                await self._skip(survey, row)
            survey.unsettled = []
        elif start != "all":
            await self._skip_older(maildrop, survey, datetime.fromisoformat(start).replace(tzinfo=UTC))
        if start in {"all", "now"}:
            self._state = replace(self._state, start_applied=True)

    async def _skip_older(self, maildrop: Maildrop, survey: Survey, start: datetime) -> None:
        rows = {row.number: row for row in survey.unsettled}
        wanted: list[Row] = []

        def numbers() -> Iterator[int]:
            for number in rows:
                if len(wanted) >= self._settings.max_messages_per_cycle + ROWS_BEYOND_LIMIT or self._time_is_up:
                    return
                yield number

        async for number, block in maildrop.headers(numbers()):
            fields = read_header_fields(block)
            when = fields.arrived or fields.dated
            if when and when < start:
                await self._skip(survey, rows[number])
            else:
                wanted.append(rows[number])
        survey.unsettled = wanted

    async def _skip(self, survey: Survey, row: Row) -> None:
        survey.settle(row.number)
        self._tally.skipped += 1
        if row.uid:
            self._enter(survey, self._entry(row, b"", Disposition.SKIPPED))
        if len(self._landed.entries) >= SKIPS_PER_COMMIT:
            await self._commit(survey)

    # --- taking -----------------------------------------------------------------------------------------------

    async def _take_new(self, maildrop: Maildrop, survey: Survey) -> None:
        """Retrieve until the cycle's limit is stored, nothing is left, or time is up."""
        waiting = [row for row in troubled_last(survey.unsettled, self._state.troubles) if not self._gave_up_on(row)]
        while waiting and not self._time_is_up:
            wanted = self._settings.max_messages_per_cycle - self._tally.stored - len(self._puts)
            if wanted <= 0:
                return
            batch, waiting = waiting[:wanted], waiting[wanted:]
            await self._retrieve(maildrop, survey, batch)

    def _gave_up_on(self, row: Row) -> bool:
        return trouble_key(row) in self._troubled_now

    async def _retrieve(self, maildrop: Maildrop, survey: Survey, batch: list[Row]) -> None:
        rows = {row.number: row for row in batch}
        unanswered = list(reversed(batch))
        intake: Intake | None = None
        ended: Intake | None = None
        refusals: list[tuple[Row, str]] = []

        def numbers() -> Iterator[int]:
            for row in batch:
                if self._time_is_up or self._put_failure:
                    return
                asked.append(row.number)
                yield row.number

        asked: list[int] = []
        try:
            async for event in maildrop.retrieve(numbers()):
                match event:
                    case MessageContent(data=data):
                        assert intake is not None
                        await intake.take(data)
                    case MessageBegan(number=number):
                        intake = Intake(self._account, rows[number], self._parts.store)
                    case MessageEnded():
                        assert intake is not None
                        unanswered.pop()
                        intake.end()
                        ended, intake = intake, None
                    case MessageConfirmed():
                        assert ended is not None
                        await self._land(survey, ended)
                        ended = None
                        await self._commit_if_due(survey)
                    case MessageRefused(number=number, reason=reason):
                        unanswered.pop()
                        refusals.append((rows[number], reason))
                        if len(refusals) >= REFUSALS_THAT_MEAN_THE_SERVER and not self._tally.stored:
                            raise ServerTemporary(
                                "The server lists messages but refuses to send any of them; it is asked again later.",
                                server_text=reason,
                            )
        except Pop3Error as error:
            if ended is not None and isinstance(error, ConnectionFailed):
                await self._land(survey, ended)
                ended = None
            if len(refusals) < REFUSALS_THAT_MEAN_THE_SERVER or self._tally.stored:
                await self._blame(survey, refusals, ended, unanswered, bool(asked), error)
            raise
        finally:
            for unfinished in (intake, ended):
                if unfinished is not None:
                    await unfinished.discard()
        for row, reason in refusals:
            await self._note_trouble(survey, row, reason)
        if self._put_failure:
            raise self._put_failure

    async def _blame(
        self,
        survey: Survey,
        refusals: list[tuple[Row, str]],
        unconfirmed: Intake | None,
        unanswered: list[Row],
        asked: bool,
        error: Pop3Error,
    ) -> None:
        """Count a try against the message the session broke at; those behind it are not to blame."""
        for row, reason in refusals:
            await self._note_trouble(survey, row, reason)
        if unconfirmed is not None:
            await self._note_trouble(survey, unconfirmed.row, f"its end could not be trusted: {error.message}")
        elif unanswered and asked:
            await self._note_trouble(survey, unanswered[-1], error.message)

    async def _land(self, survey: Survey, intake: Intake) -> None:
        """Begin to store a message whose end is certain, unless it is one that is stored already."""
        if self._is_stored_already(survey, intake):
            await intake.discard()
            self._tally.skipped += 1
            self._settle_stored(survey, intake.row, intake.digest.content)
            return
        octets = intake.held_octets
        await self._parts.budget.take(octets)
        put = asyncio.create_task(self._put(survey, intake, octets))
        self._puts.add(put)
        put.add_done_callback(self._puts.discard)

    async def _put(self, survey: Survey, intake: Intake, octets: int) -> None:
        try:
            message = await intake.store(self._parts.clock())
        except StorageUnavailable as error:
            self._put_failure = error
            return
        finally:
            await self._parts.budget.give_back(octets)
        self._landed.messages.append(message)
        self._landed.octets += message.octets
        self._tally.stored += 1
        self._tally.octets += message.octets
        if intake.row.number in survey.retried:
            self._landed.released.append(intake.row.uid)
        self._settle_stored(survey, intake.row, intake.digest.content)

    def _settle_stored(self, survey: Survey, row: Row, content: bytes) -> None:
        self._enter(survey, self._entry(row, content, Disposition.STORED))
        survey.settle(row.number)
        self._forget_trouble(row)
        if self._settings.after_fetch is AfterFetch.DELETE:
            self._owe_deletions([row.number])

    def _is_stored_already(self, survey: Survey, intake: Intake) -> bool:
        """True for a message that the ledger knows by its content: looked at again, renamed, or without a UID."""
        if survey.ledger is None:
            return False
        row = intake.row
        known = survey.ledger.of_content(content_print(intake.digest.content))
        known = [entry for entry in known if entry.disposition is Disposition.STORED]
        if not row.uid:
            return bool(known)
        if row.number in survey.look_again and any(entry.uid == row.print for entry in known):
            surprises = self._state.traits.size_surprises + 1
            self._state = replace(
                self._state,
                traits=replace(
                    self._state.traits,
                    size_surprises=surprises,
                    sizes_unstable=surprises >= SIZE_SURPRISES_BEFORE_DISTRUST,
                ),
            )
            return True
        return any(entry.uid in survey.absent for entry in known)

    def _enter(self, survey: Survey, entry: LedgerEntry) -> None:
        self._landed.entries.append(entry)
        if survey.ledger is not None:
            survey.ledger.add(entry)

    def _entry(self, row: Row, content: bytes, disposition: Disposition) -> LedgerEntry:
        uid = row.print or uid_print(b"content:" + content)
        return LedgerEntry(uid, row.octets, content_print(content), day_number(self._started_at), disposition)

    # --- trouble ----------------------------------------------------------------------------------------------

    async def _note_trouble(self, survey: Survey, row: Row, reason: str) -> None:
        key = trouble_key(row)
        if key in self._troubled_now:
            return
        self._troubled_now.add(key)
        tries = self._state.troubles[key].tries + 1 if key in self._state.troubles else 1
        if tries < TRIES_BEFORE_QUARANTINE:
            self._state = replace(self._state, troubles={**self._state.troubles, key: Trouble(tries, reason[:120])})
            return
        await self._parts.records.quarantine(
            QuarantinedMessage(
                self._account.owner_id,
                self._account.account_id,
                row.uid,
                row.octets,
                tries,
                reason,
                self._parts.clock(),
            )
        )
        self._parts.journal.warning(
            "a message cannot be taken and is quarantined; those behind it are not held up",
            account_id=self._account.account_id,
            uid=row.uid.decode("ascii", "backslashreplace")[:80],
            tries=tries,
            reason=reason,
        )
        self._enter(survey, self._entry(row, b"", Disposition.QUARANTINED))
        survey.settle(row.number)
        self._tally.quarantined += 1
        self._forget_trouble(row)

    def _forget_trouble(self, row: Row) -> None:
        key = trouble_key(row)
        if key in self._state.troubles:
            self._state = replace(
                self._state, troubles={other: t for other, t in self._state.troubles.items() if other != key}
            )

    # --- committing -------------------------------------------------------------------------------------------

    async def _commit_if_due(self, survey: Survey) -> None:
        landed = self._landed
        now = asyncio.get_running_loop().time()
        if not landed.entries:
            self._last_commit = now
        elif (
            len(landed.messages) >= MESSAGES_PER_COMMIT
            or landed.octets >= OCTETS_PER_COMMIT
            or now - self._last_commit >= SECONDS_PER_COMMIT
        ):
            await self._commit(survey)

    async def _settle_puts(self, survey: Survey) -> None:
        if self._puts:
            await asyncio.gather(*self._puts)
        if self._put_failure:
            await self._commit(survey)
            raise self._put_failure

    async def _commit(self, survey: Survey) -> None:
        """Make what landed count: index first, then ledger and checkpoint together."""
        landed, self._landed = self._landed, _Landed()
        checkpoint = survey.checkpoint()
        written = await self._write(landed, replace(self._state, checkpoint=checkpoint))
        # what puts under way have changed in the state meanwhile stands
        self._state = replace(
            self._state,
            checkpoint=checkpoint,
            version=written.version,
            next_segment=written.next_segment,
            fresh_segments=written.fresh_segments,
        )

    async def _write(self, landed: _Landed, state: FetchState) -> FetchState:
        records = self._parts.records
        if landed.messages:
            await records.index(landed.messages)
        try:
            written = await records.commit(self._account, state, self._cycle_id, landed.entries)
        except AccountNotFound:
            await records.withdraw(landed.messages)
            raise
        self._last_commit = asyncio.get_running_loop().time()
        for uid in landed.released:
            await records.release(self._account.account_id, uid)
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

    async def _delete(self, maildrop: Maildrop, survey: Survey, doomed: list[int]) -> None:
        """DELE what is stored and committed; it counts only once QUIT was confirmed."""
        try:
            accepted = await maildrop.delete(doomed)
        except Pop3Error as error:
            self._state = replace(self._state, checkpoint=None)
            self._parts.journal.warning(
                "deleting on the server broke off; nothing is lost, it is done again at the next cycle",
                account_id=self._account.account_id,
                reason=error.message,
            )
            await maildrop.abandon()
            return
        if await maildrop.quit():
            survey.deleted = accepted
            self._tally.deleted = len(accepted)
            self._state = replace(self._state, checkpoint=survey.checkpoint())
        elif accepted:
            self._state = replace(self._state, checkpoint=None)

    # --- concluding -------------------------------------------------------------------------------------------

    async def _conclude(self, failure: Pop3Error | PopfetchError | None, survey: Survey | None = None) -> None:
        """Write how the cycle went, together with what has landed since the last commit."""
        landed, self._landed = self._landed, _Landed()
        now = self._parts.clock()
        state = self._state if survey is None else replace(self._state, checkpoint=survey.checkpoint())
        standing = Standing.ACTIVE
        if failure is None:
            all_settled = state.start_applied or not self._tally.remaining
            state = replace(state, failures=FailureCounts(), start_applied=all_settled)
        elif not self._tally.progress:
            failures, standing = after_failure(
                state.failures,
                failure.code,
                explicit=getattr(failure, "explicit", False),
                now=now,
                interval=timedelta(minutes=self._settings.interval_minutes),
                jitter=random(),  # noqa: S311 - spreads pauses, guards nothing
            )
            state = replace(state, failures=failures)
        self._state = await self._write(landed, replace(state, last_fetch=self._last_fetch(failure, now)))
        self._concluded = True
        await self._follow_standing(standing, failure)

    def _last_fetch(self, failure: Pop3Error | PopfetchError | None, now: datetime) -> LastFetch:
        tally = self._tally
        if failure is not None:
            outcome = Outcome.PARTIAL if tally.progress else Outcome.FAILED
        elif tally.remaining:
            outcome = Outcome.PARTIAL
        else:
            outcome = Outcome.STORED if tally.stored else Outcome.NOTHING_NEW
        return LastFetch(
            started_at=self._started_at,
            finished_at=now,
            outcome=outcome,
            listed=tally.listed,
            stored=tally.stored,
            skipped=tally.skipped,
            quarantined=tally.quarantined,
            deleted=tally.deleted,
            octets=tally.octets,
            remaining=tally.remaining,
            error_code=failure.code if failure else None,
            error_message=failure.message[:300] if failure else None,
        )

    async def _follow_standing(self, standing: Standing, failure: Pop3Error | PopfetchError | None) -> None:
        """Leave the wheel when a person is needed, come back to it when a check by hand succeeded; tell once."""
        account = self._account
        if standing is not Standing.ACTIVE and account.standing is Standing.ACTIVE:
            stopped = replace(account, standing=standing)
            if await self._parts.records.take_off_wheel(stopped):
                assert failure is not None
                name = "AccountAuthFailed" if standing is Standing.AUTH_FAILED else "AccountConnectionFailed"
                await self._publish(name, {"code": failure.code, "message": failure.message[:300]})
        elif failure is None and account.standing in {Standing.AUTH_FAILED, Standing.CONNECTION_FAILED}:
            recovered = replace(account, standing=Standing.ACTIVE)
            if await self._parts.records.put_on_wheel(recovered):
                await self._publish("AccountRecovered", {})

    async def _afterwards(self, fetch: LastFetch) -> None:
        """What follows a finished cycle: a word in the log, history, packing, and the next cycle if mail waits."""
        idle = fetch.outcome is Outcome.NOTHING_NEW and not (self._tally.progress or self._tally.deleted)
        self._report(fetch, idle=idle)
        await self._pack_ledger()
        if idle:
            return
        await self._parts.records.add_history(self._account, self._cycle_id, fetch)
        await self._publish(
            "FetchCycleCompleted",
            {
                "outcome": str(fetch.outcome),
                "listed": fetch.listed,
                "stored": fetch.stored,
                "skipped": fetch.skipped,
                "quarantined": fetch.quarantined,
                "deleted": fetch.deleted,
                "octets": fetch.octets,
                "remaining": fetch.remaining,
                "error": fetch.error_code,
            },
        )
        waiting = fetch.remaining - len(self._state.troubles)
        # a server that wants pauses between sign-ins gets them: its backlog waits for the interval
        if self._settings.catch_up and waiting > 0 and self._tally.progress and not self._login_delay:
            request = FetchRequest(
                self._account.owner_id, self._account.account_id, Reason.CATCH_UP, self._parts.clock()
            )
            await asyncio.to_thread(self._parts.queue.send, [request])

    async def _pack_ledger(self) -> None:
        if self._pruned is not None or self._state.fresh_segments >= SEGMENTS_BEFORE_PACKING:
            self._state = await self._parts.records.compact(self._account, self._state, self._cycle_id, self._pruned)

    def _report(self, fetch: LastFetch, *, idle: bool) -> None:
        journal = self._parts.journal
        details: dict[str, object] = {
            "owner_id": self._account.owner_id,
            "account_id": self._account.account_id,
            "cycle_id": self._cycle_id,
            "outcome": str(fetch.outcome),
            "listed": fetch.listed,
        }
        if not idle:
            details |= {
                "stored": fetch.stored,
                "skipped": fetch.skipped,
                "quarantined": fetch.quarantined,
                "deleted": fetch.deleted,
                "octets": fetch.octets,
                "remaining": fetch.remaining,
                "seconds": round((fetch.finished_at - fetch.started_at).total_seconds(), 3),
            }
        journal.count("Cycles")
        journal.count("MessagesStored", fetch.stored)
        journal.count("OctetsStored", fetch.octets)
        journal.count("MessagesQuarantined", fetch.quarantined)
        if fetch.error_code:
            journal.count("CyclesFailed")
            journal.warning("cycle failed", **details, error=fetch.error_code, reason=fetch.error_message)
        else:
            journal.info("cycle finished", **details)

    async def _publish(self, name: str, detail: dict[str, object]) -> None:
        account = self._account
        whose: dict[str, object] = {"owner_id": account.owner_id, "account_id": account.account_id}
        try:
            await asyncio.to_thread(self._parts.bus.publish, name, {**whose, **detail})
        except StorageUnavailable:
            # the mail is stored and committed: an event that could not be told must not fetch it again
            self._parts.journal.error("an event could not be published", event_name=name, **whose)
            self._parts.journal.count("EventsLost")

    @property
    def _time_is_up(self) -> bool:
        return asyncio.get_running_loop().time() >= self._frame.stop_at
