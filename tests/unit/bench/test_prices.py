"""The price model: counts in, dollars out."""

import pytest

from tests.bench.bill_counts import Counted
from tests.bench.bill_model import (
    Assumptions,
    account_month,
    dispatch_share,
    function_seconds,
    more_for_a_message,
    per_cycle,
    per_million_messages,
    traced_share,
)
from tests.bench.prices import PRICES, bill, plus, times, total

IDLE = Counted(cycles=10, invocations=1, cpu=0.1, waits=7, steps=2.1, log_lines=1, log_octets=300)
IDLE.units.update({"dynamodb.read": 10, "dynamodb.write": 10, "sqs.fifo": 1})


def test_a_million_writes_cost_what_the_list_says() -> None:
    assert bill({"dynamodb.write": 1_000_000, "dynamodb.read": 2_000_000, "s3.put": 0}) == pytest.approx(
        {"dynamodb.write": 0.625, "dynamodb.read": 0.25}
    )


def test_the_largest_part_stands_first() -> None:
    assert list(bill({"kms.request": 1, "s3.put": 1000, "sqs.fifo": 1000})) == ["s3.put", "sqs.fifo", "kms.request"]


def test_what_has_no_price_is_an_error_and_not_free() -> None:
    with pytest.raises(KeyError):
        bill({"dynamodb.wishes": 1})


def test_every_price_is_above_nothing() -> None:
    assert all(price.each > 0 for price in PRICES.values())


def test_counts_are_added_and_multiplied_by_name() -> None:
    assert plus({"a": 1, "b": 2}, {"b": 3}) == {"a": 1, "b": 5}
    assert times(3, {"a": 2}) == {"a": 6}


def test_a_poll_has_its_part_of_what_a_batch_asks_once() -> None:
    poll = per_cycle(IDLE, Assumptions())
    assert poll["dynamodb.write"] == 1
    assert poll["sqs.fifo"] == pytest.approx(0.3)  # received, held and deleted, ten at once
    assert poll["lambda.request"] == pytest.approx(0.1)
    assert poll["logs.octet"] == pytest.approx(32.6)


def test_time_is_what_each_waits_for_and_the_processor_by_its_share() -> None:
    seconds = function_seconds(IDLE, Assumptions(memory_mb=512, mail_rtt=0.1, aws_seconds=0.01))
    assert seconds["mail server"] == pytest.approx(0.7)
    assert seconds["AWS"] == pytest.approx(0.021)
    assert seconds["processor"] == pytest.approx(0.1 * 1769 / 512)
    assert function_seconds(IDLE, Assumptions(memory_mb=4096))["processor"] == pytest.approx(0.1)


def test_half_the_memory_saves_half_of_the_waiting_and_nothing_of_the_processor() -> None:
    waiting = Counted(cycles=10, invocations=1, waits=7)
    busy = Counted(cycles=10, invocations=1, cpu=0.1)
    for counted, saved in ((waiting, 0.5), (busy, 1.0)):
        whole, half = (per_cycle(counted, Assumptions(memory_mb=mb))["lambda.gb_second"] for mb in (512, 256))
        assert half / whole == pytest.approx(saved)


@pytest.mark.parametrize(
    ("accounts", "share"), [(10, 1.0), (250, 1.0), (1000, (5 + 0.05 * 15) / 20), (100_000, (5 + 0.05 * 1995) / 2000)]
)
def test_traces_are_the_first_of_each_second_and_a_twentieth_of_the_rest(accounts: int, share: float) -> None:
    assert traced_share(Assumptions(accounts=accounts)) == pytest.approx(share)
    assert traced_share(Assumptions(accounts=accounts, traced=False)) == 0


def test_a_month_has_8640_polls_every_five_minutes() -> None:
    month = account_month(IDLE, {"sqs.fifo": 0.1}, Assumptions())
    assert month["dynamodb.read"] == 8640
    assert month["sqs.fifo"] == pytest.approx(8640 * 0.4)


def test_keys_are_opened_by_each_environment_as_they_grow_cold() -> None:
    given = Assumptions(accounts=1000, data_keys=12, warm_seconds=900)
    month = per_cycle(IDLE, given)["kms.request"] * given.polls_a_month * given.accounts
    assert month == pytest.approx(20 * 12 * 30 * 24 * 4)


def test_dispatch_is_shared_by_those_who_are_due() -> None:
    empty, busy = Counted(invocations=1), Counted(cycles=100, invocations=1)
    empty.units["dynamodb.read"] = 8
    busy.units.update({"dynamodb.read": 12, "sqs.fifo": 10})
    share = dispatch_share(empty, busy, Assumptions())
    assert share["dynamodb.read"] == pytest.approx(0.04)
    assert share["sqs.fifo"] == pytest.approx(0.1)


def test_messages_bear_all_that_their_cycles_took() -> None:
    hundred = Counted(cycles=1, invocations=1, messages=100)
    hundred.units.update({"dynamodb.write": 110, "s3.put": 100})
    counts = per_million_messages(hundred, Assumptions())
    assert counts["s3.put"] == pytest.approx(1_000_000)
    assert counts["dynamodb.write"] == pytest.approx(1_100_000)
    assert total({"s3.put": counts["s3.put"]}) == pytest.approx(5.0)


def test_a_message_costs_what_a_poll_with_it_costs_more() -> None:
    one = Counted(cycles=10, invocations=1, messages=10)
    one.units.update({"dynamodb.read": 10, "dynamodb.write": 60})
    assert more_for_a_message(IDLE, one, Assumptions())["dynamodb.write"] == pytest.approx(5)
