"""Taking messages out of the maildrop and into the bucket, within the cycle's limit and time.

A message is stored only once a well-formed reply followed it, so that its end was its end. One that cannot be taken is
noted against the message and holds up nobody.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from popfetch.domain.ledger import Disposition, LedgerEntry, content_print
from popfetch.domain.maildrop_survey import Row, Survey, trouble_key, troubled_last
from popfetch.pop3.errors import ConnectionFailed, Pop3Error, ServerTemporary
from popfetch.ports.maildrop import (
    Maildrop,
    MessageBegan,
    MessageConfirmed,
    MessageContent,
    MessageEnded,
    MessageRefused,
)
from popfetch.services.cycle_record import CycleRecord
from popfetch.services.intake import Intake

REFUSALS_THAT_MEAN_THE_SERVER = 20
"""This many refusals and not one message: it is the server that is ill, not its messages."""

REFUSALS_IN_A_ROW = 5000
"""So many messages that the server refuses may stand before one that it sends."""

SIZE_SURPRISES_BEFORE_DISTRUST = 3

SIZES_OF_ONE_MESSAGE = 2
"""As many sizes a message may have had without a surprise: servers add a field when it was read."""


@dataclass(frozen=True, slots=True)
class TimeFrame:
    """When a cycle stops, in loop time: no message is begun after ``stop_at``, none lasts past ``deadline``."""

    stop_at: float
    deadline: float

    @property
    def is_up(self) -> bool:
        """True when no further message is to be begun."""
        return asyncio.get_running_loop().time() >= self.stop_at


class MessageTaking:
    """The messages that one cycle takes, all its sessions together."""

    def __init__(self, record: CycleRecord, frame: TimeFrame) -> None:
        self._record = record
        self._parts = record.parts
        self._frame = frame
        self._puts: set[asyncio.Task[None]] = set()
        self._put_failure: Exception | None = None

    async def take_new(self, maildrop: Maildrop, survey: Survey) -> None:
        """Retrieve until the cycle's limit is stored, nothing is left, or time is up."""
        waiting = [
            row for row in troubled_last(survey.unsettled, self._record.state.troubles) if not self._gave_up_on(row)
        ]
        refusals: list[tuple[Row, str]] = []
        while waiting and not self._frame.is_up:
            wanted = self._record.account.fetch.max_messages_per_cycle - self._record.tally.stored - len(self._puts)
            if wanted <= 0:
                break
            batch, waiting = waiting[:wanted], waiting[wanted:]
            await self._retrieve(maildrop, survey, batch, refusals)
        if self._is_server_ill(refusals):
            raise _refuses_everything(refusals[-1][1])
        for row, reason in refusals:
            await self._record.note_trouble(survey, row, reason)

    async def confirm_stale(self, maildrop: Maildrop, survey: Survey) -> None:
        """Read what the owner wants off the server once more: only what is stored, octet for octet, may go.

        A UID and a size are no proof of that: servers give UIDs anew, and notices of one kind have one size. What
        turns out to be another message is stored.
        """
        doubtful = [row for row in survey.rows if row.number in survey.stale and not self._gave_up_on(row)]
        refusals: list[tuple[Row, str]] = []
        if doubtful and not self._frame.is_up:
            await self._retrieve(maildrop, survey, doubtful, refusals)
        for row, reason in refusals:
            await self._record.note_trouble(survey, row, reason)

    async def settle(self, survey: Survey) -> None:
        """Wait for what is on its way to bucket and table. Raises what kept some of it from arriving."""
        if self._puts:
            await asyncio.gather(*self._puts)
        await self._record.committed()
        if self._put_failure:
            await self._record.commit(survey)
            raise self._put_failure

    async def give_up(self) -> None:
        """Give up what is on its way to the bucket, and let what is on its way to the table arrive."""
        for put in self._puts:
            put.cancel()
        if self._puts:
            await asyncio.wait(self._puts)
        await self._record.let_commit_end()

    def _gave_up_on(self, row: Row) -> bool:
        return bool(self._record.troubled_now) and trouble_key(row) in self._record.troubled_now

    def _is_server_ill(self, refusals: list[tuple[Row, str]]) -> bool:
        took_any = self._record.tally.stored or self._puts
        return len(refusals) >= REFUSALS_THAT_MEAN_THE_SERVER and not took_any

    async def _retrieve(
        self, maildrop: Maildrop, survey: Survey, batch: list[Row], refusals: list[tuple[Row, str]]
    ) -> None:
        rows = {row.number: row for row in batch}
        unanswered = list(reversed(batch))
        intake: Intake | None = None
        ended: Intake | None = None

        def numbers() -> Iterator[int]:
            for row in batch:
                if self._frame.is_up or self._put_failure:
                    return
                asked.append(row.number)
                yield row.number

        asked: list[int] = []
        try:
            async for event in maildrop.retrieve(numbers(), {row.number: row.octets for row in batch}):
                match event:
                    case MessageContent(data=data):
                        assert intake is not None
                        await intake.take(data)
                    case MessageBegan(number=number):
                        intake = Intake(self._record.account, rows[number], self._parts.store, self._record.cycle_id)
                    case MessageEnded():
                        assert intake is not None
                        unanswered.pop()
                        intake.end()
                        ended, intake = intake, None
                    case MessageConfirmed():
                        assert ended is not None
                        await self._land(survey, ended)
                        ended = None
                        await self._record.commit_if_due(survey)
                    case MessageRefused(number=number, reason=reason):
                        unanswered.pop()
                        refusals.append((rows[number], reason))
                        if len(refusals) >= REFUSALS_IN_A_ROW and self._is_server_ill(refusals):
                            raise _refuses_everything(reason)
        except Pop3Error as error:
            if ended is not None and isinstance(error, ConnectionFailed):
                await self._land(survey, ended)
                ended = None
            if not self._is_server_ill(refusals):
                await self._blame(survey, refusals, ended, unanswered, bool(asked), error)
            raise
        finally:
            for unfinished in (intake, ended):
                if unfinished is not None:
                    await unfinished.discard()
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
            await self._record.note_trouble(survey, row, reason)
        if unconfirmed is not None:
            await self._record.note_trouble(survey, unconfirmed.row, f"its end could not be trusted: {error.message}")
        elif unanswered and asked:
            await self._record.note_trouble(survey, unanswered[-1], error.message)

    async def _land(self, survey: Survey, intake: Intake) -> None:
        """Begin to store a message whose end is certain, unless it is one that is stored already."""
        if intake.came_empty:
            await self._record.note_trouble(survey, intake.row, "it came without a single octet")
            return
        row, content = intake.row, intake.digest.content
        if row.number in survey.stale:
            survey.stale.discard(row.number)
            if _is_what_was_stored(survey, row, content):
                await intake.discard()
                self._record.owe_deletions([row.number])
                return
        known = self._stored_already(survey, row, content)
        if known is not None:
            await intake.discard()
            survey.claim(known)
            self._record.tally.skipped += 1
            self._record.settle_stored(survey, row, content, day=known.day)
            return
        await self._record.announce(survey)
        octets = intake.held_octets
        await self._parts.budget.take(octets)
        put = asyncio.create_task(self._put(survey, intake, octets))
        self._puts.add(put)
        put.add_done_callback(self._puts.discard)

    async def _put(self, survey: Survey, intake: Intake, octets: int) -> None:
        try:
            message = await intake.store(self._parts.clock())
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised where the cycle waits for its puts
            self._put_failure = error
            return
        finally:
            self._parts.budget.give_back(octets)
        self._record.land(survey, intake.row, message)
        self._record.settle_stored(survey, intake.row, intake.digest.content)

    def _stored_already(self, survey: Survey, row: Row, content: bytes) -> LedgerEntry | None:
        """The entry of a message that was stored before: looked at again, renamed, or without a UID."""
        if survey.ledger is None or (row.uid and row.number not in survey.look_again and not survey.may_hold_renamed):
            # finding a content goes through the whole ledger: a millisecond where it has 100,000 entries
            return None
        known = [
            entry
            for entry in survey.ledger.of_content(content_print(content))
            if entry.disposition is Disposition.STORED
        ]
        if not row.uid:
            return known[0] if known else None
        free = [entry for entry in known if not survey.is_claimed(entry)]
        same_uid = [entry for entry in free if entry.uid == row.print]
        sizes = {entry.octets for entry in same_uid if entry.octets}
        if row.octets not in sizes and len(sizes) >= SIZES_OF_ONE_MESSAGE:
            surprises = self._record.state.traits.size_surprises + 1
            self._record.learn(size_surprises=surprises, sizes_unstable=surprises >= SIZE_SURPRISES_BEFORE_DISTRUST)
        return next(iter(same_uid or free), None)


def _is_what_was_stored(survey: Survey, row: Row, content: bytes) -> bool:
    """True where the ledger holds this very content under the row's UID."""
    assert survey.ledger is not None, "only a full listing tells what is stale"
    return any(
        entry.disposition is Disposition.STORED and entry.content == content_print(content)
        for entry in survey.ledger.of_uid(row.print)
    )


def _refuses_everything(reason: str) -> ServerTemporary:
    return ServerTemporary(
        "The server lists messages but refuses to send any of them; it is asked again later.", server_text=reason
    )
