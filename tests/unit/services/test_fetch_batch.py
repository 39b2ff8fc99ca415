"""A batch: owners side by side, an owner's accounts in order, and nobody harmed by somebody else's failure."""

import asyncio

import pytest

from popfetch.domain.errors import StorageUnavailable
from popfetch.domain.fetch_request import FetchRequest
from popfetch.ports.schedule import Erasure
from popfetch.services import fetch_batch
from popfetch.services.fetch_batch import carry_out
from tests.builders.deliveries import RecordingDeliveries, a_delivery
from tests.builders.journals import RecordingJournal


class Carrier:
    """Carries requests out, and remembers in which order they began and ended."""

    def __init__(self, failing: dict[str, Exception] | None = None) -> None:
        self.began: list[str] = []
        self.ended: list[str] = []
        self.failing = failing or {}
        self.waiting_for: dict[str, asyncio.Event] = {}
        self.sets_at_end: dict[str, asyncio.Event] = {}

    async def __call__(self, request: FetchRequest | Erasure) -> None:
        self.began.append(request.account_id)
        if request.account_id in self.waiting_for:
            await self.waiting_for[request.account_id].wait()
        if request.account_id in self.failing:
            raise self.failing[request.account_id]
        self.ended.append(request.account_id)
        if request.account_id in self.sets_at_end:
            self.sets_at_end[request.account_id].set()


@pytest.fixture
def deliveries() -> RecordingDeliveries:
    return RecordingDeliveries()


@pytest.fixture
def journal() -> RecordingJournal:
    return RecordingJournal()


async def test_an_owners_requests_are_carried_out_in_order(
    deliveries: RecordingDeliveries, journal: RecordingJournal
) -> None:
    carrier = Carrier()
    assert await carry_out([a_delivery(n) for n in (3, 1, 2)], deliveries, carrier, journal) == []
    assert carrier.ended == ["3", "1", "2"]


async def test_a_slow_owner_holds_up_nobody(deliveries: RecordingDeliveries, journal: RecordingJournal) -> None:
    carrier = Carrier()
    release = carrier.waiting_for["1"] = asyncio.Event()
    batch = [a_delivery(1, "slow"), a_delivery(2, "quick"), a_delivery(3, "quick")]
    carrier.sets_at_end["3"] = release
    assert await carry_out(batch, deliveries, carrier, journal) == []
    assert carrier.ended == ["2", "3", "1"]


@pytest.mark.parametrize("error", [StorageUnavailable("down"), RuntimeError("nobody foresaw this")])
async def test_a_failure_sends_back_the_request_and_those_behind_it_in_its_group_only(
    deliveries: RecordingDeliveries, journal: RecordingJournal, error: Exception
) -> None:
    carrier = Carrier(failing={"2": error})
    batch = [a_delivery(1), a_delivery(2), a_delivery(3), a_delivery(4, "ben")]
    assert await carry_out(batch, deliveries, carrier, journal) == ["delivery-2", "delivery-3"]
    assert sorted(carrier.ended) == ["1", "4"]
    assert [level for level, _, _ in journal.lines] == ["error"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not json",
        "[]",
        "null",
        "{}",
        '{"owner_id": "anna"}',
        '{"owner_id": "anna", "account_id": "../../x", "reason": "schedule", "due_at": "2026-11-23T12:00:00Z"}',
        '{"owner_id": "ben", "account_id": "1", "reason": "schedule", "due_at": "2026-11-23T12:00:00Z"}',
        '{"owner_id": "anna", "account_id": "1", "reason": "whim", "due_at": "2026-11-23T12:00:00Z"}',
        '{"owner_id": "anna", "account_id": "1", "reason": ["schedule"], "due_at": "2026-11-23T12:00:00Z"}',
        '{"owner_id": "anna", "account_id": "1", "reason": "schedule", "due_at": "soon"}',
        '{"owner_id": "anna", "account_id": "1", "reason": "schedule", "due_at": "2026-11-23T12:00:00"}',
        '{"owner_id": "anna", "account_id": "1", "reason": "schedule", "due_at": 7}',
        '{"owner_id": "anna", "account_id": "1", "reason": "erase", "erase_mail": "yes"}',
        "[" * 100_000,
    ],
)
async def test_what_is_not_ours_is_set_aside_with_the_reason_and_holds_up_nobody(
    deliveries: RecordingDeliveries, journal: RecordingJournal, body: str
) -> None:
    carrier = Carrier()
    batch = [a_delivery(1, body=body), a_delivery(2)]
    assert await carry_out(batch, deliveries, carrier, journal) == []
    assert list(deliveries.set_aside_for) == ["delivery-1"]
    assert deliveries.set_aside_for["delivery-1"]
    assert carrier.ended == ["2"]


async def test_the_batch_is_held_by_a_short_lease(deliveries: RecordingDeliveries, journal: RecordingJournal) -> None:
    await carry_out([a_delivery(1), a_delivery(2)], deliveries, Carrier(), journal)
    assert deliveries.held == [["delivery-1", "delivery-2"]]


async def test_the_lease_of_what_is_open_is_renewed(
    deliveries: RecordingDeliveries, journal: RecordingJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_batch, "RENEW_EVERY_SECONDS", 0)
    carrier = Carrier()
    carrier.waiting_for["2"] = deliveries.held_alone
    await carry_out([a_delivery(1, "a"), a_delivery(2, "b")], deliveries, carrier, journal)
    assert ["delivery-2"] in deliveries.held


async def test_in_a_long_batch_what_is_done_is_settled_at_once(
    deliveries: RecordingDeliveries, journal: RecordingJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_batch, "LONG_BATCH_SECONDS", -1)
    await carry_out([a_delivery(1), a_delivery(2)], deliveries, Carrier(failing={"2": StorageUnavailable("")}), journal)
    assert deliveries.settled == ["delivery-1"]


async def test_a_lease_that_cannot_be_renewed_stops_nothing(
    deliveries: RecordingDeliveries, journal: RecordingJournal
) -> None:
    deliveries.hold_fails = True
    carrier = Carrier()
    assert await carry_out([a_delivery(1)], deliveries, carrier, journal) == []
    assert carrier.ended == ["1"]


async def test_an_erasure_is_read(deliveries: RecordingDeliveries) -> None:
    body = '{"owner_id": "anna", "account_id": "1", "reason": "erase", "erase_mail": true}'
    assert deliveries.read(a_delivery(1, body=body)) == Erasure("anna", "1", erase_mail=True)
