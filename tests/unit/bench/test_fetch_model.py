"""The queue's model against what can be worked out by hand."""

import numpy as np
import pytest

from tests.bench.fetch_model import BATCH, SLOW_SECONDS, batch_seconds, little, queue_day
from tests.bench.wheel_population import population

TWO_SECONDS = np.full(10, 2.0)
MINUTES = np.full(30, 600, np.int64)
"""600 requests a minute: 60 batches."""


def test_littles_law() -> None:
    assert little(100.0, TWO_SECONDS) == pytest.approx(100 / BATCH * 2)


def test_with_room_for_all_nobody_waits() -> None:
    day = queue_day(MINUTES, TWO_SECONDS, concurrency=60, sent_per_second=600)
    assert day.longest_wait == 0
    assert day.at_once.max() == pytest.approx(60)
    assert day.emptied


def test_with_room_for_a_tenth_a_minutes_requests_begin_one_tenth_after_the_other() -> None:
    day = queue_day(MINUTES, TWO_SECONDS, concurrency=6, sent_per_second=600)
    assert day.longest_wait == pytest.approx(18)
    assert day.waiting.max() == pytest.approx(540)
    assert day.at_once.max() == pytest.approx(6)


def test_with_too_little_room_the_queue_grows() -> None:
    day = queue_day(MINUTES, TWO_SECONDS, concurrency=1, sent_per_second=600)
    assert not day.emptied
    assert day.waiting[-1] == pytest.approx(30 * 600 - 30 * 60 / 2 * BATCH)


def test_requests_that_are_sent_slowly_arrive_slowly() -> None:
    day = queue_day(MINUTES, TWO_SECONDS, concurrency=60, sent_per_second=20)
    assert day.at_once.max() == pytest.approx(4)


def test_a_batch_ends_with_its_slowest_account() -> None:
    people = population(20_000)
    usual, prompt = batch_seconds(people), batch_seconds(people, slow_share=0.0)
    assert usual.max() > SLOW_SECONDS
    assert prompt.max() < SLOW_SECONDS
    assert (usual > SLOW_SECONDS).mean() == pytest.approx(1 - 0.99**BATCH, abs=0.03)
