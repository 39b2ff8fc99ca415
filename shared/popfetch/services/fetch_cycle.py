"""One cycle of one account: survey the maildrop, take what is new, commit, delete what may go.

The order that loses nothing and stores nothing twice::

    RETR -> end confirmed -> S3 put acknowledged -> index -> ledger and checkpoint committed -> DELE -> QUIT

A crash between any two steps leaves work that the next cycle does again onto the same keys.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from popfetch.domain.account import Account, Direction, Order
from popfetch.domain.errors import AccountNotFound, CycleOvertaken, PopfetchError, StorageUnavailable
from popfetch.domain.fetch_state import FetchState, LastFetch, Pipelining
from popfetch.domain.ledger import Disposition, Ledger
from popfetch.domain.maildrop_survey import (
    RECONCILE_EVERY,
    Probe,
    Row,
    Survey,
    pruned,
    read_probe,
    survey_all,
    survey_tail,
    trouble_key,
)
from popfetch.domain.message_identity import read_header_fields
from popfetch.domain.secret import Secret
from popfetch.pop3.errors import ConnectionFailed, DeadlineReached, Pop3Error, ProtocolViolation, ReplySwallowed
from popfetch.ports.maildrop import DialAdvice, ListedMessage, Maildrop, MaildropSize
from popfetch.services.cycle_record import CycleParts, CycleRecord, Failure
from popfetch.services.message_taking import MessageTaking, TimeFrame

SESSIONS_PER_CYCLE = 20
"""Sessions a cycle opens at most, one after another, while each makes progress."""

FRUITLESS_SESSIONS = 3
"""Sessions in a row that may break without bringing anything before the cycle gives up."""

BROKEN_TOPS_THAT_MEAN_THE_SERVER = 2
"""So many sessions that broke at TOP, and it is the server that cannot do it: its messages are taken unseen."""

ROWS_BEYOND_LIMIT = 50
"""Rows listed beyond the cycle's limit, to stand in for messages that are refused or skipped."""


class FetchCycle:
    """One cycle; ``run`` it once. ``state`` is what the account's record says as far as this cycle knows."""

    def __init__(self, parts: CycleParts, account: Account, state: FetchState, cycle_id: str, frame: TimeFrame) -> None:
        self._parts = parts
        self._account = account
        self._settings = account.fetch
        self._frame = frame
        self._record = CycleRecord(parts, account, state, cycle_id)
        self._taking = MessageTaking(self._record, frame)
        self._serial = False
        self._reconcile_after = state.reconcile_after
        self._signed_in_at = self._record.started_at
        self._top_broke: set[bytes] = set()

    async def run(self) -> LastFetch:
        """Fetch, and leave the account's record telling how it went.

        Raises StorageUnavailable when AWS did not do its part (the request is to come again), and CycleOvertaken
        or AccountNotFound when this cycle has no say any more.
        """
        failure: Failure | None = None
        try:
            await self._collect()
        except Pop3Error as error:
            failure = error
        except PopfetchError as error:
            if isinstance(error, StorageUnavailable | CycleOvertaken | AccountNotFound):
                raise
            failure = error
        finally:
            await self._taking.give_up()
        if not self._record.concluded:
            await self._record.conclude(failure)
        return await self._record.afterwards()

    # --- sessions -------------------------------------------------------------------------------------------

    async def _collect(self) -> None:
        fruitless = 0
        broke: Pop3Error | None = None
        for _ in range(SESSIONS_PER_CYCLE):
            progress, troubles, troubled_now = (
                self._record.tally.progress,
                self._record.state.troubles,
                set(self._record.troubled_now),
            )
            await self._keep_login_delay()
            maildrop = await self._open()
            self._note_sign_in(maildrop)
            try:
                broke = await self._session(maildrop)
            except BaseException:
                await maildrop.abandon()
                raise
            if broke is None:
                return
            self._note_capa(maildrop)
            await maildrop.abandon()
            fruitless = 0 if self._record.tally.progress > progress else fruitless + 1
            if self._frame.is_up or fruitless >= FRUITLESS_SESSIONS or not self._record.may_sign_in_soon:
                break
            if (fruitless or isinstance(broke, ReplySwallowed)) and maildrop.pipelines:
                # it may be pipelining that broke the session, not the message: no blame, once more one by one
                self._serial = True
                self._record.update(troubles=troubles)
                self._record.troubled_now = troubled_now
        assert broke is not None
        raise broke

    async def _open(self) -> Maildrop:
        """Sign in; with a new access token where the one at hand is refused, unless that was so the last time too."""

        async def sign_in(secret: Secret) -> Maildrop:
            return await self._parts.dialer.open(self._account.incoming, secret, self._advice(), self._frame.deadline)

        again = not self._record.state.failures.authentication
        return await self._parts.secrets.signed_in(
            self._account, Direction.INCOMING, sign_in, again=again, deadline=self._frame.deadline
        )

    def _advice(self) -> DialAdvice:
        traits = self._record.state.traits
        pipeline = True if traits.pipelining is Pipelining.WORKS else None
        if self._serial or (traits.pipelining is Pipelining.BROKEN and not self._reconcile_is_due):
            pipeline = False
        return DialAdvice(pipeline=pipeline, skip_capa=traits.capa_breaks_session, skip_apop=traits.apop_fails)

    async def _keep_login_delay(self) -> None:
        """Wait until the server wants the next sign-in, where that is soon."""
        after = self._record.state.sign_in_after
        if after is None or not self._record.may_sign_in_soon:
            return
        seconds = (after - self._parts.clock()).total_seconds()
        if seconds <= 0:
            return
        if asyncio.get_running_loop().time() + seconds >= self._frame.stop_at:
            raise DeadlineReached(
                f"{self._account.incoming.host} wants a pause before the next sign-in that is longer than this run"
                " lasts; the next one goes on."
            )
        await self._parts.pause(seconds)

    def _note_sign_in(self, maildrop: Maildrop) -> None:
        self._signed_in_at = self._parts.clock()
        self._note_login_delay(maildrop)
        self._record.note_sign_in()
        if maildrop.apop_failed:
            self._record.learn(apop_fails=True)

    def _note_login_delay(self, maildrop: Maildrop) -> None:
        delay = timedelta(seconds=maildrop.login_delay)
        self._record.update(sign_in_after=self._signed_in_at + delay if delay else None)

    def _note_capa(self, maildrop: Maildrop) -> None:
        if maildrop.capa_broke_session:
            self._record.learn(capa_breaks_session=True)

    def _note_pipelining(self, maildrop: Maildrop) -> None:
        known = self._record.state.traits.pipelining
        if self._serial and not self._record.troubled_now:
            known = Pipelining.BROKEN
        elif maildrop.pipelines:
            known = Pipelining.WORKS
        if known is not self._record.state.traits.pipelining:
            self._record.learn(pipelining=known)

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
            await self._taking.take_new(maildrop, survey)
            await self._taking.confirm_stale(maildrop, survey)
        except Pop3Error as error:
            broke = error
        await self._taking.settle(survey)
        self._record.tally.remaining = survey.remaining
        if broke is not None:
            await self._record.commit(survey)
            return broke
        self._note_capa(maildrop)
        self._note_pipelining(maildrop)
        self._note_login_delay(maildrop)
        if self._record.doomed:
            await self._record.commit(survey)
            await self._delete(maildrop, survey, sorted(set(self._record.doomed)))
            self._note_reconciled(survey)
            return None
        self._note_reconciled(survey)
        await self._record.conclude(None, survey)
        await maildrop.quit()
        return None

    # --- surveying ------------------------------------------------------------------------------------------

    async def _survey(self, maildrop: Maildrop) -> Survey | None:
        """What this session is to do, or ``None`` when the probe says that nothing is new."""
        self._record.doomed = []
        checkpoint = self._record.state.checkpoint
        state = self._record.state
        in_doubt = state.troubles or state.start_changed or state.index_ahead_since
        if checkpoint is None or in_doubt or self._reconcile_is_due:
            return await self._survey_all(*await maildrop.stat_and_listing())
        if checkpoint.count:
            size, uid = await maildrop.probe(checkpoint.count)
        else:
            size, uid = await maildrop.stat(), None
        verdict = read_probe(
            checkpoint, size.count, size.octets, uid or b"", sizes_unstable=self._record.state.traits.sizes_unstable
        )
        if verdict is Probe.NOTHING_NEW:
            self._record.tally.listed = size.count
            return None
        if verdict is Probe.NEW_AT_THE_END:
            first, last = checkpoint.count + 1, size.count
            if self._settings.order is Order.OLDEST_FIRST:
                last = min(last, checkpoint.count + self._settings.max_messages_per_cycle + ROWS_BEYOND_LIMIT)
            rows = _rows(await maildrop.listing(range(first, last + 1), count=size.count))
            # how many there are is the server's word: nothing is built of that size
            if len(rows) == last + 1 - first and all(row.number == n for n, row in enumerate(rows, first)):
                self._record.tally.listed = size.count
                return survey_tail(checkpoint, size.count, size.octets, rows, self._settings)
        return await self._survey_all(size, await maildrop.listing(count=size.count))

    async def _survey_all(self, size: MaildropSize, listing: list[ListedMessage]) -> Survey:
        rows = _rows(listing)
        del listing  # the rows of a large maildrop are many, and the ledger's come beside them
        ledger = Ledger()
        if self._record.state.next_segment:
            ledger = await self._parts.records.load_ledger(self._account.account_id)
        if self._record.state.index_ahead_since and self._record.state.progress is None:
            await self._record.catch_up_with_index(ledger)
        if self._record.state.start_changed:
            # what an earlier start left out is judged anew; what was stored stays stored
            ledger = ledger.without(Disposition.SKIPPED)
        self._record.tally.listed = len(rows)
        return survey_all(
            rows,
            size.octets,
            ledger,
            self._record.state.checkpoint,
            self._record.state.traits,
            self._settings,
            self._parts.clock(),
        )

    @property
    def _reconcile_is_due(self) -> bool:
        due = self._record.state.reconcile_after
        return due is None or self._record.started_at >= due

    def _note_reconciled(self, survey: Survey) -> None:
        if survey.ledger is not None:
            self._reconcile_after = self._record.started_at + RECONCILE_EVERY
            if survey.stale and self._frame.is_up:
                # there was no time to confirm them all
                self._reconcile_after = None
            self._record.pruned = pruned(survey.ledger, survey.absent, self._record.started_at)
            if self._record.state.start_changed and self._record.pruned is None:
                self._record.pruned = survey.ledger
        self._record.update(reconcile_after=self._reconcile_after)

    # --- where the first import starts ------------------------------------------------------------------------

    async def _skip_before_start(self, maildrop: Maildrop, survey: Survey) -> None:
        """Settle what was on the server before the day that the owner wants mail from, without taking it."""
        if self._record.state.start_applied:
            return
        start = self._settings.start
        if start == "now":
            for row in survey.unsettled:
                await self._record.skip(survey, row)
            survey.unsettled = []
        elif start != "all":
            await self._skip_older(maildrop, survey, datetime.fromisoformat(start).replace(tzinfo=UTC))
        if start in {"all", "now"}:
            self._record.update(start_applied=True)

    async def _skip_older(self, maildrop: Maildrop, survey: Survey, start: datetime) -> None:
        rows = {row.number: row for row in survey.unsettled}
        wanted: list[Row] = []

        unanswered: deque[Row] = deque()

        def numbers() -> Iterator[int]:
            for row in rows.values():
                if len(wanted) >= self._settings.max_messages_per_cycle + ROWS_BEYOND_LIMIT or self._frame.is_up:
                    return
                if len(self._top_broke) >= BROKEN_TOPS_THAT_MEAN_THE_SERVER or trouble_key(row) in self._top_broke:
                    wanted.append(row)
                    continue
                unanswered.append(row)
                yield row.number

        try:
            async for number, block in maildrop.headers(numbers()):
                unanswered.popleft()
                fields = read_header_fields(block)
                when = fields.arrived or fields.dated
                if when and when < start:
                    await self._record.skip(survey, rows[number])
                else:
                    wanted.append(rows[number])
        except (ConnectionFailed, ProtocolViolation) as error:
            if unanswered and not isinstance(error, DeadlineReached):
                # taken without a look at its header, as where TOP is refused: it must not hold up those behind it
                self._top_broke.add(trouble_key(unanswered[0]))
            raise
        survey.unsettled = wanted

    # --- deleting ---------------------------------------------------------------------------------------------

    async def _delete(self, maildrop: Maildrop, survey: Survey, doomed: list[int]) -> None:
        """DELE what is stored and committed; it counts only once QUIT was confirmed."""
        try:
            accepted = await maildrop.delete(doomed)
        except Pop3Error as error:
            self._record.update(checkpoint=None)
            self._parts.journal.warning(
                "deleting on the server broke off; nothing is lost, it is done again at the next cycle",
                account_id=self._account.account_id,
                reason=error.message,
            )
            await maildrop.abandon()
            return
        if await maildrop.quit():
            survey.deleted = accepted
            self._record.tally.deleted = len(accepted)
            self._record.update(checkpoint=survey.checkpoint())
        elif accepted:
            self._record.update(checkpoint=None)


def _rows(listing: list[ListedMessage]) -> list[Row]:
    return [Row(listed.number, listed.uid, listed.octets) for listed in listing]
