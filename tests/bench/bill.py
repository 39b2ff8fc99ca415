"""What popfetch costs at AWS's list prices: an account by the month, a million messages, and a stack by itself.

Every request of the real handlers is counted where AWS would count it, and every line that they log. What is assumed
stands in ``bill_model.Assumptions``; prices in ``prices``.
"""

from dataclasses import asdict

from popfetch.adapters.credential_vault import WARM_SECONDS
from tests.bench.bill_counts import Counted
from tests.bench.bill_model import (
    Assumptions,
    account_month,
    dispatch_share,
    per_million_messages,
)
from tests.bench.bill_picture import draw
from tests.bench.bill_scenes import Scene, dispatched, scene
from tests.bench.bill_tables import (
    BATCH,
    Scenes,
    how_full_batches_are,
    list_of_prices,
    named,
    notes_on,
    parts_of,
    stack_by_itself,
    stacks_by_size,
    what_cycles_take,
    what_is_stored,
)
from tests.bench.prices import bill, total
from tests.bench.report import Report, Target

IDLE_POLLS = 5
DUE_AT_ONCE = 100
MOST_A_MONTH = 0.02
MOST_A_MILLION = 1.50


def measure(*, imported: int = 10_000) -> Report:
    """Run the scenes, and make the bill of them."""
    with scene() as stage:
        seen = _scenes(stage, imported)
    given = Assumptions(warm_seconds=WARM_SECONDS)
    report = Report("bill", "What popfetch costs")
    idle, share = seen["idle poll"], dispatch_share(seen["dispatch, none due"], seen["dispatch, many due"], given)
    month = account_month(idle, share, given)
    millions = {
        name: per_million_messages(seen[name], given)
        for name in ("first import", "100 new messages", "one new message")
    }
    report.targets = [
        Target("USD for an account and month, every 5 minutes", total(month), MOST_A_MONTH, at_most=True),
        *(
            Target(
                f"USD beyond the PUT for a million messages, {name}",
                _beyond_put(millions[name]),
                MOST_A_MILLION,
                at_most=True,
            )
            for name in ("first import", "100 new messages")
        ),
    ]
    report.tables = [
        parts_of("An account that is checked every 5 minutes, for a month, nothing new", month),
        *(parts_of(f"A million messages: {name}", counts) for name, counts in millions.items()),
        stacks_by_size(seen, share, given),
        stack_by_itself(seen, given),
        what_cycles_take(seen, given),
        how_full_batches_are(seen, share, given),
        what_is_stored(seen),
        list_of_prices(),
    ]
    report.notes = notes_on(seen, given)
    report.figures = {
        "assumptions": asdict(given),
        "account_month": bill(month),
        "millions": {name: bill(counts) for name, counts in millions.items()},
        "scenes": {name: counted.as_figures() for name, counted in seen.items()},
    }
    draw(report.picture("bill.png"), named(month), {name: named(counts) for name, counts in millions.items()})
    return report


def _scenes(stage: Scene, imported: int) -> Scenes:
    dispatched(stage, 1)
    seen = {"dispatch, none due": dispatched(stage, 2)}
    seen["dispatch, many due"] = _many_due(stage)
    for batch, more in ((BATCH, ""), (1, ", alone")):
        fleet = stage.fleet(batch)
        for _ in range(3):
            fleet.poll()
        # whatever else the machine does only adds to the processor's time
        seen[f"idle poll{more}"] = min((fleet.poll() for _ in range(IDLE_POLLS)), key=lambda counted: counted.cpu)
        seen[f"one new message{more}"] = fleet.deliver(1).poll()
        seen[f"100 new messages{more}"] = fleet.deliver(100).poll()
        seen[f"failed sign-in{more}"] = fleet.change_passwords().poll()
    seen["first import"] = stage.fleet(1, messages=imported, start="all").poll()
    return seen


def _many_due(stage: Scene) -> Counted:
    """A minute in which many accounts are due; none of them is ever fetched."""
    server = stage.server()
    for _ in range(DUE_AT_ONCE):
        stage.add_account(server, interval_minutes=1)
    dispatched(stage, 3)
    counted = dispatched(stage, 4)
    while event := stage.next_batch():
        stage.settle(event)
    return counted


def _beyond_put(counts: dict[str, float]) -> float:
    return total(counts) - bill(counts).get("s3.put", 0.0)
