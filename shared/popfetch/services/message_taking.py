"""Taking messages out of the maildrop and into the bucket, within the cycle's limit and time.

A message is stored only once a well-formed reply followed it, so that its end was its end. One that cannot be taken is
noted against the message and holds up nobody.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from popfetch.domain.ledger import Disposition, content_print
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

SIZE_SURPRISES_BEFORE_DISTRUST = 3


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
        while waiting and not self._frame.is_up:
            wanted = self._record.account.fetch.max_messages_per_cycle - self._record.tally.stored - len(self._puts)
            if wanted <= 0:
                return
            batch, waiting = waiting[:wanted], waiting[wanted:]
            await self._retrieve(maildrop, survey, batch)

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

    async def _retrieve(self, maildrop: Maildrop, survey: Survey, batch: list[Row]) -> None:
        rows = {row.number: row for row in batch}
        unanswered = list(reversed(batch))
        intake: Intake | None = None
        ended: Intake | None = None
        refusals: list[tuple[Row, str]] = []

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
                        if len(refusals) >= REFUSALS_THAT_MEAN_THE_SERVER and not self._record.tally.stored:
                            raise ServerTemporary(
                                "The server lists messages but refuses to send any of them; it is asked again later.",
                                server_text=reason,
                            )
        except Pop3Error as error:
            if ended is not None and isinstance(error, ConnectionFailed):
                await self._land(survey, ended)
                ended = None
            if len(refusals) < REFUSALS_THAT_MEAN_THE_SERVER or self._record.tally.stored:
                await self._blame(survey, refusals, ended, unanswered, bool(asked), error)
            raise
        finally:
            for unfinished in (intake, ended):
                if unfinished is not None:
                    await unfinished.discard()
        for row, reason in refusals:
            await self._record.note_trouble(survey, row, reason)
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
        if self._is_stored_already(survey, intake):
            await intake.discard()
            self._record.tally.skipped += 1
            self._record.settle_stored(survey, intake.row, intake.digest.content)
            return
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

    def _is_stored_already(self, survey: Survey, intake: Intake) -> bool:
        """True for a message that the ledger knows by its content: looked at again, renamed, or without a UID."""
        row = intake.row
        if survey.ledger is None or (row.uid and row.number not in survey.look_again and not survey.absent):
            # finding a content goes through the whole ledger: a millisecond where it has 100,000 entries
            return False
        known = survey.ledger.of_content(content_print(intake.digest.content))
        known = [entry for entry in known if entry.disposition is Disposition.STORED]
        if not row.uid:
            return bool(known)
        if row.number in survey.look_again and any(entry.uid == row.print for entry in known):
            surprises = self._record.state.traits.size_surprises + 1
            self._record.learn(size_surprises=surprises, sizes_unstable=surprises >= SIZE_SURPRISES_BEFORE_DISTRUST)
            return True
        return any(entry.uid in survey.absent for entry in known)
