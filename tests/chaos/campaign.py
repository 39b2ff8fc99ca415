"""A campaign: accounts, their maildrops and everything between them, minute by minute, with faults at every turn.

Each turn is a minute of the campaign's own time: maildrops change, the rule's event comes (or comes twice, late, out
of turn, or not at all), dispatch runs, the queue delivers, fetch runs; and every so many turns the weather clears for
long enough that everything must be where it belongs. The functions are the ones that ship, in processes of their own.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Any

import boto3

from infra.deployed import Deployed
from infra.recovery import Recovery
from popfetch.adapters.fetch_queue import SqsFetchQueue
from popfetch.adapters.wheel_table import WheelTable
from popfetch.domain.account import AfterFetch, Order
from popfetch.domain.fetch_request import FetchRequest, Reason
from popfetch.domain.fetch_state import Outcome
from popfetch.domain.wheel import minute_of
from tests.builders.aws import Aws, template_properties
from tests.builders.deliveries import let_leases_end, next_event
from tests.chaos.aws_faults import AwsFault, AwsPlan, Door, FaultyAws
from tests.chaos.dice import Dice, chosen, one_in
from tests.chaos.function_process import MODULE
from tests.chaos.holdings import Holdings
from tests.chaos.line_faults import FaultyLine, a_line_plan
from tests.chaos.maildrops import LivingMaildrop, Manners, ServerFault
from tests.chaos.verdict import Findings, Verdict
from tests.real.fetch_process import FetchProcess, Run
from tests.real.mailbox import Mailbox
from tests.real.moto_process import stack_on
from tests.real.server_process import ServerProcess
from tests.real.stack import Collector

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TURNS_BETWEEN_CALMS = 25
"""Turns after which the weather clears and everything is looked at."""

UNTIL_ALL_IS_RETRIED = timedelta(hours=26)
"""Longer than any pause of popfetch's: backing off, quarantine's day, the day between two reconciliations."""

CALM_ROUNDS = 40


class EventFault(StrEnum):
    """What may happen to events and deliveries."""

    TWICE = "the rule's event came twice"
    LATE = "the rule's event came after a later one"
    NEVER = "the rule's event did not come"
    AT_ONCE = "a delivery was fetched twice at the same time"
    AGAIN = "a delivery came again, after it was done"
    SKEWED = "the function's clock was wrong by minutes or hours"
    DEAD_LETTER = "a delivery was given up and replayed"


class Weather(StrEnum):
    """What an invocation meets."""

    CALM = "calm"
    NOISE = "some AWS requests fail"
    OUTAGE = "operations of AWS are down"
    LINE = "lines to POP3 servers fail"
    KILL = "the process is killed"
    STORM = "all of it"


_WEATHER: tuple[tuple[float, Weather], ...] = (
    (30, Weather.CALM),
    (22, Weather.NOISE),
    (10, Weather.OUTAGE),
    (18, Weather.LINE),
    (12, Weather.KILL),
    (8, Weather.STORM),
)

OPERATIONS = (
    "PutObject",
    "TransactWriteItems",
    "PutItem",
    "BatchWriteItem",
    "Query",
    "PutEvents",
    "SendMessageBatch",
    "Decrypt",
    "ChangeMessageVisibilityBatch",
    "UploadPart",
)


@dataclass
class Stack:
    """One deployment, its two fetch environments, and what it still has to deliver."""

    name: str
    aws: Aws
    doors: list[Door]
    processes: list[FetchProcess]
    pid_files: list[Path]
    dead_letters: str
    late_events: list[dict[str, Any]] = field(default_factory=list)
    repeated: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Subject:
    """One account of a stack."""

    stack: Stack
    collector: Collector
    maildrop: LivingMaildrop
    line: FaultyLine
    verdict: Verdict


MANNERS: tuple[tuple[Manners, dict[str, Any]], ...] = (
    (Manners("kept"), {}),
    (Manners("deleted"), {"after_fetch": AfterFetch.DELETE}),
    (Manners("deleted after a day"), {"after_fetch": AfterFetch.DELETE_AFTER_DAYS, "delete_after_days": 1}),
    (Manners("old server", pipelining=False, capa=False), {}),
    (Manners("newest first"), {"order": Order.NEWEST_FIRST, "max_messages_per_cycle": 20}),
    (Manners("without UIDL", uidl=False, renames=False), {}),
    (Manners("sizes doubled", sizes=2.0), {}),
    (Manners("deleted by an old server", pipelining=False), {"after_fetch": AfterFetch.DELETE}),
)


class Campaign:
    """One world; ``run`` it for so many cycles."""

    def __init__(self, seed: int, log: Path) -> None:
        self.dice = Dice(seed)
        self.findings = Findings(seed)
        self.now = NOON
        self.turn = 0
        self.stacks: list[Stack] = []
        self.subjects: list[Subject] = []
        self._aws = FaultyAws()
        self._log = log

    async def run(self, cycles: int) -> Findings:
        """Run until so many cycles were asked for; returns what was found."""
        async with self._set_up():
            while self.findings.cycles < cycles and self.findings.is_good:
                await self._take_turn()
                if self.turn % TURNS_BETWEEN_CALMS == 0:
                    await self._clear_up()
                    self._tell()
            await self._clear_up()
            await self._reindex()
            self._count_faults()
        return self.findings

    def _tell(self) -> None:
        """A word for whoever is waiting."""
        print(
            f"seed {self.findings.seed}: {self.findings.cycles:,} cycles, {len(self.findings.wrong)} things wrong",
            file=sys.stderr,
            flush=True,
        )

    # --- setting up -------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _set_up(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as ended:
            log = ended.enter_context(self._log.open("wb"))
            folder = Path(ended.enter_context(tempfile.TemporaryDirectory(prefix="popfetch-chaos-")))
            for name in ("popfetch", "second"):
                clean = self._door(ended, None)
                aws, environment = ended.enter_context(stack_on(ServerProcess(clean.port, 0), name=name))
                doors, processes, pid_files = [], [], []
                for number in range(2):
                    pid_file = folder / f"{name}-{number}"
                    door = self._door(ended, pid_file)
                    endpoint = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{door.port}"}
                    process = FetchProcess({**environment, **endpoint}, module=MODULE, log=log)
                    await ended.enter_async_context(process)
                    doors.append(door)
                    processes.append(process)
                    pid_files.append(pid_file)
                dead_letters = environment["POPFETCH_DEAD_LETTER_QUEUE_URL"]
                give_up_as_the_template_says(aws, dead_letters)
                self.stacks.append(Stack(name, aws, doors, processes, pid_files, dead_letters))
            for number, (manners, settings) in enumerate(MANNERS, 1):
                maildrop = LivingMaildrop(manners, number * 1_000_000)
                await ended.enter_async_context(maildrop.server)
                # the second deployment collects the first and the fourth maildrop too
                for stack in self.stacks if number in {1, 4} else self.stacks[:1]:
                    await self._add(ended, stack, maildrop, number, settings)
            yield

    def _door(self, ended: AsyncExitStack, pid_file: Path | None) -> Door:
        door = self._aws.door(pid_file=pid_file)
        ended.callback(door.close)
        return door

    async def _add(
        self, ended: AsyncExitStack, stack: Stack, maildrop: LivingMaildrop, number: int, settings: dict[str, Any]
    ) -> None:
        line = FaultyLine(maildrop.server.port, stack.pid_files[0])
        await ended.enter_async_context(line)
        server = replace(maildrop.server.account_server(), port=line.port)
        mailbox = Mailbox(server, maildrop.server.password)
        collector = await asyncio.to_thread(
            Collector.add,
            stack.aws,
            mailbox,
            number,
            owner=f"owner-{number % 3}",
            interval_minutes=(1, 1, 2, 3)[number % 4],
            **settings,
        )
        verdict = Verdict(
            f"{stack.name}/{maildrop.manners.name}", maildrop, collector, Holdings(stack.aws, collector.account)
        )
        maildrop.before_deletion = verdict.look_at_deletion
        self.subjects.append(Subject(stack, collector, maildrop, line, verdict))

    @property
    def _maildrops(self) -> list[LivingMaildrop]:
        return list({id(subject.maildrop): subject.maildrop for subject in self.subjects}.values())

    # --- a minute ---------------------------------------------------------------------------------------------

    async def _take_turn(self) -> None:
        self.turn += 1
        self.now += MINUTE
        for number, maildrop in enumerate(self._maildrops):
            if not maildrop.is_locked:
                random = self.dice.about("maildrop", number, self.turn)
                maildrop.live(random)
                if one_in(random, 8):
                    maildrop.fault_once = random.choice(list(ServerFault))
        for stack in self.stacks:
            await self._dispatch(stack)
            await self._deliver(stack)
        await asyncio.to_thread(self._aws.wait_until_quiet)
        for subject in self.subjects:
            self.findings.add(subject.verdict.at_any_time(), self.turn)

    async def _dispatch(self, stack: Stack) -> None:
        random = self.dice.about("event", stack.name, self.turn)
        event = {"time": self.now.strftime("%Y-%m-%dT%H:%M:%SZ")}
        due = [event]
        fault = chosen(random, [(80, None), (8, EventFault.TWICE), (6, EventFault.LATE), (6, EventFault.NEVER)])
        if fault is EventFault.TWICE:
            due = [event, event]
        elif fault:
            due = []
            if fault is EventFault.LATE:
                stack.late_events.append(event)
        if (stack.late_events and not due) or one_in(random, 4):
            due += stack.late_events
            stack.late_events = []
        if fault:
            self.findings.faults[fault] += 1
        for number, one in enumerate(due):
            dice = self.dice.within("dispatch", stack.name, self.turn, number)
            weather = chosen(random, [(80, Weather.CALM), (8, Weather.NOISE), (6, Weather.OUTAGE), (6, Weather.KILL)])
            stack.doors[0].plan = self._aws_plan(weather, random, dice)
            await self._invoke(stack, one, "dispatch", random)

    async def _deliver(self, stack: Stack) -> None:
        for number in range(8):
            random = self.dice.about("delivery", stack.name, self.turn, number)
            event = await asyncio.to_thread(next_event, stack.aws, at_most=random.choice((1, 2, 5, 10)))
            if event is None:
                break
            await self._fetch(stack, event, random, self.dice.within("fetch", stack.name, self.turn, number))
        random = self.dice.about("again", stack.name, self.turn)
        if stack.repeated and one_in(random, 5):
            self.findings.faults[EventFault.AGAIN] += 1
            stack.doors[0].plan = None
            await self._invoke(stack, stack.repeated.pop(), "fetch", random)

    async def _fetch(self, stack: Stack, event: dict[str, Any], random: Random, dice: Dice) -> None:
        weather = chosen(random, _WEATHER)
        at_once = one_in(random, 20)
        if one_in(random, 20):
            stack.repeated.append(event)
        stack.doors[0].plan = self._aws_plan(weather, random, dice)
        stack.doors[1].plan = self._aws_plan(Weather.NOISE, random, dice.within("second"))
        self._plan_lines(stack, event, weather, random, may_kill=not at_once)
        runs = [self._invoke(stack, event, "fetch", random)]
        if at_once:
            self.findings.faults[EventFault.AT_ONCE] += 1
            runs.append(self._invoke(stack, event, "fetch", random, environment=1))
        failed: set[str] = set()
        for run in await asyncio.gather(*runs):
            failed |= _failed(run, event)
        self.findings.cycles += len(event["Records"])
        self.findings.weather[weather] += len(event["Records"])
        # a lease that is renewed late must not outlast what is settled now
        await asyncio.to_thread(self._aws.wait_until_quiet)
        await asyncio.to_thread(self._settle, stack, event, failed)

    def _plan_lines(
        self, stack: Stack, event: dict[str, Any], weather: Weather, random: Random, *, may_kill: bool
    ) -> None:
        asked_for = {json.loads(record["body"])["account_id"] for record in event["Records"]}
        for subject in self.subjects:
            subject.line.plans = []
            if weather not in {Weather.LINE, Weather.STORM} or subject.stack is not stack:
                continue
            if subject.collector.account.account_id in asked_for and random.random() < 0.7:
                plans = [a_line_plan(random) for _ in range(random.choice((1, 1, 2, 4, 8)))]
                subject.line.plans = [plan for plan in plans if may_kill or "killed" not in plan.fault]

    def _aws_plan(self, weather: Weather, random: Random, dice: Dice) -> AwsPlan | None:
        match weather:
            case Weather.NOISE:
                return AwsPlan(dice, rate=random.choice((0.03, 0.1, 0.3)))
            case Weather.OUTAGE:
                return AwsPlan(dice, down=frozenset(random.sample(OPERATIONS, random.choice((1, 1, 2)))))
            case Weather.KILL:
                fault = random.choice((AwsFault.KILLED_BEFORE, AwsFault.KILLED_AFTER))
                return AwsPlan(dice, kill=(int(10 ** random.uniform(0, 1.8)), fault))
            case Weather.STORM:
                return AwsPlan(dice, rate=0.15)
        return None

    async def _invoke(
        self, stack: Stack, event: dict[str, Any], function: str, random: Random | None, *, environment: int = 0
    ) -> Run:
        """Run a function once; its clock is wrong by chance where there is a stream of it."""
        ahead = (self.now - datetime.now(UTC)).total_seconds()
        if random is not None:
            ahead += random.uniform(-2, 2)
            if one_in(random, 15):
                self.findings.faults[EventFault.SKEWED] += 1
                ahead += random.choice((-1, 1)) * random.choice((60, 300, 300, 7200))
        return await stack.processes[environment].run(
            event, function=function, ahead=ahead, pid_file=str(stack.pid_files[environment])
        )

    # --- the queue --------------------------------------------------------------------------------------------

    def _settle(self, stack: Stack, event: dict[str, Any], failed: set[str]) -> None:
        """Delete what is done; what failed comes again at once, as if its time had passed."""
        done = [record for record in event["Records"] if record["messageId"] not in failed]
        if done:
            stack.aws.sqs.delete_message_batch(
                QueueUrl=stack.aws.queue_url,
                Entries=[{"Id": str(n), "ReceiptHandle": r["receiptHandle"]} for n, r in enumerate(done)],
            )
        again = [record for record in event["Records"] if record["messageId"] in failed]
        if again:
            stack.aws.sqs.change_message_visibility_batch(
                QueueUrl=stack.aws.queue_url,
                Entries=[
                    {"Id": str(n), "ReceiptHandle": r["receiptHandle"], "VisibilityTimeout": 0}
                    for n, r in enumerate(again)
                ],
            )

    def _replay(self, stack: Stack) -> None:
        """Send what was given up to the queue again, as a redrive does."""
        while answer := stack.aws.sqs.receive_message(
            QueueUrl=stack.dead_letters, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
        ).get("Messages"):
            for message in answer:
                self.findings.faults[EventFault.DEAD_LETTER] += 1
                stack.aws.sqs.send_message(
                    QueueUrl=stack.aws.queue_url,
                    MessageBody=message["Body"],
                    MessageGroupId=message["Attributes"]["MessageGroupId"],
                    MessageDeduplicationId=message["MessageId"],
                )
                stack.aws.sqs.delete_message(QueueUrl=stack.dead_letters, ReceiptHandle=message["ReceiptHandle"])

    # --- calm -------------------------------------------------------------------------------------------------

    async def _clear_up(self) -> None:
        """No more faults, until nothing is left to do; then everything must be where it belongs."""
        for stack in self.stacks:
            for door in stack.doors:
                door.plan = None
        for subject in self.subjects:
            subject.line.plans = []
            subject.maildrop.heal()
        self.now += UNTIL_ALL_IS_RETRIED
        for stack in self.stacks:
            await asyncio.to_thread(self._replay, stack)
            # dispatch has run in all these hours, for accounts that had nothing new
            wheel = WheelTable(stack.aws.dynamodb, stack.aws.table)
            await asyncio.to_thread(wheel.advance_to, minute_of(self.now))
        for _ in range(CALM_ROUNDS):
            self.now += MINUTE
            let_leases_end()
            for subject in self.subjects:
                account = subject.collector.account
                request = FetchRequest(account.owner_id, account.account_id, Reason.CHECK_NOW, self.now)
                queue = SqsFetchQueue(subject.stack.aws.sqs, subject.stack.aws.queue_url)
                await asyncio.to_thread(queue.send, [request])
            for stack in self.stacks:
                while event := await asyncio.to_thread(next_event, stack.aws):
                    self.findings.cycles += len(event["Records"])
                    self.findings.weather[Weather.CALM] += len(event["Records"])
                    run = await self._invoke(stack, event, "fetch", None)
                    await asyncio.to_thread(self._settle, stack, event, _failed(run, event))
            left = [text for subject in self.subjects if (text := await asyncio.to_thread(_left_to_do, subject))]
            if not left:
                break
        else:
            self.findings.add([f"there was always something left to do: {text}" for text in left], self.turn)
        await asyncio.to_thread(self._aws.wait_until_quiet)
        for subject in self.subjects:
            self.findings.add(await asyncio.to_thread(subject.verdict.in_calm), self.turn)
        self.findings.calms += 1

    async def _reindex(self) -> None:
        """Enter what only the bucket has, as an operator would; it must be nobody's loss and nobody's double."""
        for subject in self.subjects:
            aws, account = subject.stack.aws, subject.collector.account
            recovery = Recovery(
                Deployed(
                    sqs=aws.sqs,
                    functions=boto3.client("lambda"),
                    dynamodb=aws.dynamodb,
                    s3=aws.s3,
                    events=boto3.client("events"),
                    resources={"Table": aws.table, "MailBucket": aws.bucket},
                )
            )
            done = await asyncio.to_thread(recovery.reindex, account.owner_id, account.account_id)
            self.findings.reindexed += len(done.entered)
            self.findings.copies += len(done.doubles)
            self.findings.add([f"{key} is not what its name says" for key in done.unlike], self.turn)
            self.findings.add(await asyncio.to_thread(subject.verdict.in_calm), self.turn)

    def _count_faults(self) -> None:
        self.findings.faults.update(self._aws.done)
        self.findings.requests = self._aws.requests
        for subject in self.subjects:
            self.findings.faults.update(subject.line.done)
            self.findings.count(subject.verdict)
        for maildrop in self._maildrops:
            self.findings.faults.update(maildrop.faults)
            self.findings.changes.update(maildrop.done)


def give_up_as_the_template_says(aws: Aws, dead_letters: str) -> None:
    """Have the queue put what fails too often into the dead letters."""
    attributes = aws.sqs.get_queue_attributes(QueueUrl=dead_letters, AttributeNames=["QueueArn"])["Attributes"]
    redrive = {
        "deadLetterTargetArn": attributes["QueueArn"],
        "maxReceiveCount": template_properties("FetchQueue")["RedrivePolicy"]["maxReceiveCount"],
    }
    aws.sqs.set_queue_attributes(QueueUrl=aws.queue_url, Attributes={"RedrivePolicy": json.dumps(redrive)})


def run_world(seed: int, cycles: int, log: Path) -> Findings:
    """Run a campaign in this process, which is to have no other."""
    return asyncio.run(Campaign(seed, log).run(cycles))


def _failed(run: Run, event: dict[str, Any]) -> set[str]:
    """The deliveries that come again: all of them where the function was killed or failed."""
    if run.killed or run.errors:
        return {record["messageId"] for record in event["Records"]}
    return {failure["itemIdentifier"] for failure in run.answers[0]["batchItemFailures"]}


def _left_to_do(subject: Subject) -> str | None:
    """Whose last cycle did something still and what it did; None where there is nothing left."""
    fetch = subject.collector.state().last_fetch
    if fetch is not None and fetch.outcome is Outcome.NOTHING_NEW and not fetch.deleted:
        return None
    return f"{subject.verdict.name}, last cycle {fetch}"
