"""What is made of figures: ratios within rounds, targets and their conditions, sizes, labels that do not overlap."""

import os
from itertools import pairwise

import pytest

from tests.bench.delay_relay import Passed
from tests.bench.idle_poll_report import Poll
from tests.bench.idle_poll_report import write_up as write_up_polls
from tests.bench.kept_states import keep, octets_kept
from tests.bench.peers import FDM, FETCHMAIL, GETMAIL, MPOP, Peer, Place
from tests.bench.pictures import spread
from tests.bench.retrieval_figures import Figures, Run
from tests.bench.retrieval_report import write_up
from tests.bench.table_sizes import octets_of_item


def a_run(client: str, rate: float, *, at: int = 80, number: int = 0, cpu: float = 0.0004, aws: float = 0.0) -> Run:
    """A run of 1,000 messages; ``aws`` is what its stand-ins took of each processor, as a share."""
    seconds = 1000 / rate
    busy = aws * seconds * (os.cpu_count() or 1)
    servers = {"dovecot": 0.0, "S3": busy / 2, "table": busy / 2}
    return Run(client, 1000, seconds, cpu * 1000, 50_000_000, milliseconds=at, round=number, servers=servers)


def verdicts(figures: Figures) -> dict[str, bool]:
    return {target.what: target.held for target in write_up(figures, [], {}).targets}


def test_compares_only_what_ran_in_the_same_round() -> None:
    figures = Figures(
        [
            a_run("popfetch", 1000, number=0),
            a_run("popfetch", 100, number=1),
            a_run("popfetch", 900, number=2),
            a_run("mpop", 500, number=0),
            a_run("mpop", 50, number=1),
        ]
    )

    assert figures.ratio("popfetch", "mpop", 80) == pytest.approx(2.0)
    assert figures.ratio("popfetch", "fdm", 80) is None
    assert figures.rate("popfetch", 80) == pytest.approx(900)


def test_states_only_targets_that_were_measured() -> None:
    assert verdicts(Figures([a_run("mpop", 500)])) == {}
    assert verdicts(Figures([a_run("popfetch", 900), a_run("mpop", 500)])) == {
        "messages/s to mpop's at 80 ms": False,
        "peak memory": True,
    }


def test_the_cheap_s3_is_judged_where_the_real_ones_processor_time_is_the_limit() -> None:
    others = [a_run("popfetch-cheap-s3", 1200, at=0), a_run("mpop", 1000, at=0)]

    limited = verdicts(Figures([a_run("popfetch", 500, at=0, aws=0.9), *others]))
    idle = verdicts(Figures([a_run("popfetch", 500, at=0, aws=0.1), *others]))
    fast = verdicts(Figures([a_run("popfetch", 1100, at=0, aws=0.9), *others]))

    assert limited["messages/s to mpop's at 0 ms, S3 by nginx (by rclone, on the same processors: 0.50)"]
    assert not idle["messages/s to mpop's at 0 ms"]
    assert fast["messages/s to mpop's at 0 ms"]


def test_says_what_the_servers_leave_of_the_processors_at_the_speed_that_is_wanted() -> None:
    # the servers take half of all processors at 400 messages a second, so that 800 are all there can be
    figures = Figures([a_run("popfetch", 400, at=20, aws=0.5), a_run("mpop", 500, at=20)])
    (room,) = (table for table in write_up(figures, [], {}).tables if "leave for any client" in table.title)
    ((*_, at_best, wanted, left, _),) = room.rows
    processors = os.cpu_count() or 1
    assert (at_best, wanted, left) == ("800", "750", f"{processors / 750 * 1000 - processors / 800 * 1000:.2f}")


def test_a_speed_that_the_servers_alone_cannot_keep_leaves_nothing() -> None:
    figures = Figures([a_run("popfetch", 400, at=80, aws=0.5), a_run("mpop", 500, at=80)])
    assert any("less than nothing" in row for table in write_up(figures, [], {}).tables for row in table.rows)


def test_allows_twice_the_work_of_mpop_and_the_puts() -> None:
    runs = [a_run("popfetch", 900, at=20, cpu=0.0012), a_run("mpop", 500, at=20, cpu=0.0003)]
    what = "CPU per 1,000 messages at 20 ms, to twice mpop's and the puts alone"

    assert verdicts(Figures(runs, puts=[0.0007]))[what]
    assert not verdicts(Figures(runs, puts=[0.0005]))[what]


def test_judges_the_poll_of_the_larger_mailbox_by_the_fastest_peer_of_each_round() -> None:
    def poll(client: str, count: int, *seconds: float, down: int = 300) -> Poll:
        return Poll.of(client, count, seconds, Passed(octets_down=down), 1000)

    report = write_up_polls(
        [
            poll("popfetch", 10, 9.0, down=9999),
            poll("mpop", 10, 1.0),
            poll("popfetch", 20, 0.2, 0.2, 0.9),
            poll("mpop", 20, 0.4, 0.2, 1.0),
            poll("fdm", 20, 0.3, 0.4, 2.0),
        ],
        ["getmail6"],
    )

    assert [(target.seen, target.held) for target in report.targets] == [(300, True), (pytest.approx(0.9), True)]
    assert "getmail6" in str(report)


@pytest.mark.parametrize("peer", [MPOP, FETCHMAIL, FDM, GETMAIL])
def test_a_state_has_every_uid(peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder, place = tmp_path_factory.mktemp("peer"), Place(4711, "anna")

    keep(peer, folder, place, ["b2", "a1"])

    (file,) = folder.iterdir()
    assert "a1" in file.read_text()
    assert "b2" in file.read_text()
    assert octets_kept(peer, folder, place) == file.stat().st_size


def test_items_have_the_size_that_dynamodb_counts() -> None:
    assert octets_of_item({"pk": {"S": "höre"}, "b": {"B": b"1234"}, "n": {"N": "-12345"}}) == 7 + 5 + 5
    assert octets_of_item({"m": {"M": {"a": {"BOOL": True}}}, "l": {"L": [{"S": "x"}]}}) == 1 + 6 + 1 + 5


def test_labels_keep_their_order_and_a_distance() -> None:
    places = spread([1.0, 1.0, 5.0, 1.05], 0.5)

    ordered = sorted(places)
    assert all(upper - lower >= 0.49 for lower, upper in pairwise(ordered))
    assert places[2] == 5.0
    assert places[3] == ordered[2]
