from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from popfetch.adapters.account_items import change_standing
from popfetch.adapters.accounts_table import AccountsTable, write_standing
from popfetch.adapters.fetch_queue import SqsFetchQueue
from popfetch.adapters.wheel_table import WheelTable
from popfetch.domain.account import Account, FetchSettings, Standing
from popfetch.domain.errors import StorageUnavailable
from popfetch.domain.fetch_request import FetchRequest
from popfetch.domain.wheel import minute_of, slot_of
from popfetch.ports.metrics import STOPPED, Metric
from popfetch.services.dispatch import dispatch_due_accounts
from tests.builders.accounts import NOON, OTHER_OWNER, OWNER, a_server, an_account
from tests.builders.aws import Aws
from tests.builders.journals import RecordingJournal

MINUTE = timedelta(minutes=1)


@dataclass
class KeepingQueue:
    """A queue that keeps what it was sent, or refuses it."""

    sent: list[FetchRequest] = field(default_factory=list)
    takes: int = 1_000_000

    def send(self, requests: Sequence[FetchRequest]) -> None:
        if len(requests) > self.takes - len(self.sent):
            raise StorageUnavailable("The queue is down.")
        self.sent += requests

    def send_erasure(self, owner_id: str, account_id: str, erase_mail: bool) -> None:
        raise NotImplementedError

    def take(self) -> list[FetchRequest]:
        taken, self.sent = self.sent, []
        return taken


class Dispatch:
    """Dispatch over the real table of moto."""

    def __init__(self, aws: Aws, shards: int = 1) -> None:
        self.accounts = AccountsTable(aws.dynamodb, aws.table, wheel_shards=shards)
        self.wheel = WheelTable(aws.dynamodb, aws.table, shards=shards)
        self.queue = KeepingQueue()
        self.journal = RecordingJournal()
        self.seconds_left = 60.0

    def add(self, number: int, owner_id: str = OWNER, interval: int = 5) -> Account:
        account = an_account(
            number,
            owner_id=owner_id,
            fetch=FetchSettings(interval_minutes=interval),
            incoming=a_server(username=f"{owner_id}{number}"),
        )
        return self.accounts.add(account).account

    def at(self, at: datetime, correlation_id: str = "") -> list[FetchRequest]:
        self.done = dispatch_due_accounts(
            at, self.wheel, self.queue, self.journal, lambda: self.seconds_left, correlation_id
        )
        return self.queue.take()


@pytest.fixture
def dispatch(aws: Aws) -> Dispatch:
    return Dispatch(aws)


def due_minute(owner_id: str = OWNER, interval: int = 5) -> datetime:
    """The first minute from noon on in which the owner's accounts are due."""
    offset = (slot_of(owner_id, interval) - minute_of(NOON)) % interval
    return NOON + offset * MINUTE


def test_an_account_is_asked_for_in_its_minute_and_in_no_other(dispatch: Dispatch) -> None:
    account = dispatch.add(1)
    asked = {minute: dispatch.at(NOON + minute * MINUTE) for minute in range(10)}
    times = [NOON + minute * MINUTE for minute, requests in asked.items() if requests]
    assert times == [due_minute(), due_minute() + 5 * MINUTE]
    ((request,), _) = [requests for requests in asked.values() if requests]
    assert (request.owner_id, request.account_id, request.due_at) == (OWNER, account.account_id, due_minute())


def test_an_owners_accounts_are_asked_for_in_the_owners_order(dispatch: Dispatch) -> None:
    added = [dispatch.add(number, interval=interval) for number, interval in [(3, 5), (1, 1), (2, 5)]]
    requests = dispatch.at(due_minute())
    assert [request.account_id for request in requests] == [account.account_id for account in added]


def test_the_same_event_again_asks_for_the_same_with_the_same_deduplication_id(dispatch: Dispatch) -> None:
    dispatch.add(1)
    first, again = dispatch.at(due_minute()), dispatch.at(due_minute())
    assert [request.deduplication_id for request in first] == [request.deduplication_id for request in again]


def test_a_late_event_does_not_turn_progress_back(dispatch: Dispatch) -> None:
    dispatch.add(1)
    dispatch.at(due_minute() + 3 * MINUTE)
    assert [request.due_at for request in dispatch.at(due_minute())] == [due_minute()]
    assert dispatch.wheel.last_minute() == minute_of(due_minute() + 3 * MINUTE)


def test_missed_minutes_are_caught_up_once_each_account(dispatch: Dispatch) -> None:
    dispatch.add(1, interval=5)
    dispatch.add(2, interval=60)
    dispatch.at(NOON - MINUTE)
    requests = dispatch.at(NOON + timedelta(hours=7))
    assert len(requests) == 2
    (caught_up,) = [fields for level, _, fields in dispatch.journal.lines if level == "warning"]
    assert caught_up == {"minutes": 420, "minutes_left": 0}
    assert dispatch.journal.values[Metric.DISPATCH_MINUTES_BEHIND] == [420]


def test_a_dispatch_that_missed_nothing_is_not_behind(dispatch: Dispatch) -> None:
    for minute in range(3):
        dispatch.at(NOON + minute * MINUTE)
    assert Metric.DISPATCH_MINUTES_BEHIND not in dispatch.journal.counts


def test_the_accounts_on_schedule_are_counted_without_looking_at_them_all(dispatch: Dispatch) -> None:
    for number, interval in enumerate((1, 5, 5, 15, 60), start=1):
        dispatch.add(number, interval=interval)
    for minute in range(60):
        dispatch.at(NOON + minute * MINUTE)
    assert dispatch.journal.counts[Metric.ACCOUNTS_ON_SCHEDULE] / 60 == 5


@pytest.mark.parametrize("shards", [1, 3])
def test_accounts_off_the_schedule_are_counted_on_the_hour_by_what_stopped_them(aws: Aws, shards: int) -> None:
    dispatch = Dispatch(aws, shards)
    for number, standing in enumerate((Standing.PAUSED, Standing.AUTH_FAILED, Standing.PAUSED, Standing.ACTIVE), 1):
        account = dispatch.add(number, owner_id=f"owner-{number}")
        stopped = change_standing(replace(account, standing=standing), shards)
        assert write_standing(aws.dynamodb, aws.table, stopped)
    for minute in range(-1, 3):
        dispatch.at(NOON + minute * MINUTE)
    counted = {metric: dispatch.journal.values.get(metric) for metric in STOPPED.values()}
    assert counted == {
        Metric.ACCOUNTS_PAUSED: [2],
        Metric.ACCOUNTS_AUTH_FAILED: [1],
        Metric.ACCOUNTS_CONNECTION_FAILED: [0],
    }


def test_a_count_that_fails_sends_nothing_again(dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: WheelTable, standing: Standing) -> int:
        raise StorageUnavailable("The table is throttled.")

    monkeypatch.setattr(WheelTable, "stopped", fail)
    dispatch.at(NOON)
    assert dispatch.done.minutes_left == 0
    assert ("warning", "stopped accounts could not be counted") in [line[:2] for line in dispatch.journal.lines]


def test_requests_carry_the_id_of_the_event_that_asked_for_them(dispatch: Dispatch) -> None:
    dispatch.add(1)
    (request,) = dispatch.at(due_minute(), "the-event")
    assert request.correlation_id == "the-event"
    (line,) = [fields for _, message, fields in dispatch.journal.lines if message == "dispatched"]
    assert line == {"correlation_id": "the-event", "minute": minute_of(due_minute()), "requests": 1}


def test_a_minute_without_requests_leaves_no_line(dispatch: Dispatch) -> None:
    dispatch.at(NOON)
    assert dispatch.journal.lines == []


def test_minutes_caught_up_come_in_their_order(dispatch: Dispatch) -> None:
    dispatch.add(1, interval=1)
    dispatch.add(2, interval=5)
    dispatch.add(3, interval=60)
    dispatch.at(NOON - MINUTE)
    requests = dispatch.at(NOON + timedelta(hours=2))
    assert len({request.account_id for request in requests}) == 3
    assert requests == sorted(requests, key=lambda request: request.due_at)


def test_a_dispatch_that_is_cut_off_has_kept_the_minutes_that_it_finished(dispatch: Dispatch) -> None:
    dispatch.add(1, interval=5)
    dispatch.add(2, owner_id=OTHER_OWNER, interval=5)
    start = min(due_minute(), due_minute(OTHER_OWNER))
    dispatch.at(start - MINUTE)
    dispatch.queue.takes = 1
    with pytest.raises(StorageUnavailable):
        dispatch.at(start + 4 * MINUTE)
    first = dispatch.queue.take()
    assert dispatch.wheel.last_minute() == minute_of(start)
    dispatch.queue.takes = 9
    second = dispatch.at(start + 4 * MINUTE)
    assert len({request.account_id for request in first + second}) == len(first + second) == 2


def test_with_little_time_left_the_rest_is_left_to_the_next_event(dispatch: Dispatch) -> None:
    dispatch.add(1, interval=1)
    dispatch.add(2, interval=60)
    dispatch.at(NOON - MINUTE)
    dispatch.seconds_left = 29.0
    asked = dispatch.at(NOON + timedelta(hours=1))
    assert (dispatch.done.minutes_caught_up, dispatch.done.minutes_left) == (1, 60)
    dispatch.seconds_left = 60.0
    asked += dispatch.at(NOON + timedelta(hours=1, minutes=1))
    assert (dispatch.done.minutes_caught_up, dispatch.done.minutes_left) == (60, 0)
    assert len(asked) == 2


def test_what_the_queue_did_not_take_is_asked_for_in_the_next_minute(dispatch: Dispatch) -> None:
    dispatch.add(1)
    dispatch.at(due_minute() - MINUTE)
    dispatch.queue.takes = 0
    with pytest.raises(StorageUnavailable):
        dispatch.at(due_minute())
    dispatch.queue.takes = 9
    assert [request.due_at for request in dispatch.at(due_minute() + MINUTE)] == [due_minute()]


def test_an_account_off_the_wheel_is_not_asked_for(dispatch: Dispatch, aws: Aws) -> None:
    account = dispatch.add(1)
    dispatch.accounts.remove(OWNER, account.account_id)
    paused = replace(an_account(2), standing=Standing.PAUSED)
    dispatch.accounts.add(paused)
    assert dispatch.at(due_minute()) == []


def test_shards_that_were_added_later_are_all_read(aws: Aws) -> None:
    before = Dispatch(aws, shards=1)
    before.add(1)
    after = Dispatch(aws, shards=7)
    after.add(2)
    after.add(3, owner_id=OTHER_OWNER, interval=1)
    requests = after.at(due_minute())
    assert len(requests) == 3


def test_many_due_accounts_reach_the_queue_in_order(aws: Aws) -> None:
    dispatch = Dispatch(aws)
    added = [dispatch.add(number, interval=1).account_id for number in range(1, 24)]
    dispatch_due_accounts(NOON, dispatch.wheel, SqsFetchQueue(aws.sqs, aws.queue_url), dispatch.journal, lambda: 60.0)
    assert list(_account_ids(aws)) == added


def _account_ids(aws: Aws) -> Iterator[str]:
    import json

    while messages := aws.sqs.receive_message(QueueUrl=aws.queue_url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            yield json.loads(message["Body"])["account_id"]
            aws.sqs.delete_message(QueueUrl=aws.queue_url, ReceiptHandle=message["ReceiptHandle"])
