"""The time of a batch: an owner's slow account leaves enough to those behind it, and owners share nothing."""

import asyncio

import pytest

from popfetch.services.batch_time import SECONDS_FOR_NEW_MESSAGES, SECONDS_KEPT_BEHIND, SECONDS_OF_ITS_OWN, BatchTime


class Hands:
    """The loop's time, which only tests move."""

    def __init__(self) -> None:
        self.now = 1000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    moved = Hands()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: moved)
    return moved


def test_an_account_alone_has_all_of_it(hands: Hands) -> None:
    frame = BatchTime(["anna"], 855).turn("anna")
    assert frame.deadline == hands.now + 855
    assert frame.stop_at == hands.now + SECONDS_FOR_NEW_MESSAGES


def test_for_each_account_behind_in_the_group_some_is_kept(hands: Hands) -> None:
    frame = BatchTime(["anna", "anna", "ben", "anna"], 855).turn("anna")
    assert frame.deadline == hands.now + 855 - 2 * SECONDS_KEPT_BEHIND


def test_other_owners_take_nothing_of_it(hands: Hands) -> None:
    time = BatchTime(["anna", "ben"], 855)
    assert time.turn("ben").deadline == time.turn("anna").deadline == hands.now + 855


def test_the_last_in_a_group_of_slow_ones_still_has_time_for_new_messages(hands: Hands) -> None:
    time = BatchTime(["anna"] * 10, 855)
    end = hands.now + 855
    for _ in range(9):
        hands.now = time.turn("anna").deadline
    last = time.turn("anna")
    assert last.deadline == end
    assert last.stop_at - hands.now >= SECONDS_OF_ITS_OWN


@pytest.mark.parametrize("seconds", [1, 30, 300])
def test_little_time_is_shared_out_evenly(hands: Hands, seconds: int) -> None:
    time = BatchTime(["anna"] * 10, seconds)
    began = hands.now
    for _ in range(10):
        turn = time.turn("anna")
        assert turn.deadline - hands.now >= seconds / 10 - 1e-6
        assert turn.stop_at <= turn.deadline
        hands.now = turn.deadline
    assert hands.now == pytest.approx(began + seconds)


async def test_it_is_the_running_loops_time() -> None:
    now = asyncio.get_running_loop().time()
    assert now + 9 < BatchTime(["anna"], 10).turn("anna").deadline < now + 11
