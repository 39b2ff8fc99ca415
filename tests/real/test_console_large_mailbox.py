"""The list of a mailbox with 100,000 messages, in Chromium: it draws what is seen, and asks for what is needed.

Its pages are answered here, by the adapter that the API reads the index with (see ``large_index``); all else is the
deployed stack, which also lists a mailbox of an ordinary size in the first test.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Route, expect

from popfetch.api.message_models import MessagesOut
from popfetch.domain.message_list import Wanted
from tests.builders.accounts import NOON
from tests.builders.large_index import LargeIndex
from tests.builders.stored_messages import a_message
from tests.real.console import Console
from tests.real.stored_mailbox import StoredMailbox

SECONDS = 300
pytestmark = pytest.mark.real

COUNT = 100_000
ORDINARY = 1_000
MOST_ROWS = 100
MOST_HEAP = 150 * 1024 * 1024
DEEP = 10_000
"""How far the tests scroll."""


@dataclass(frozen=True)
class List:
    """The list as somebody sees and scrolls it."""

    console: Console
    index: LargeIndex
    mailbox: StoredMailbox
    asked: list[dict[str, list[str]]]
    """What was asked of the API, page by page."""

    def begin(self) -> None:
        """See the list from its top, as if nobody had read it before."""
        page = self.console.page
        page.set_viewport_size({"width": 1440, "height": 900})
        self.console.open(self.mailbox.place)
        page.reload()
        expect(self.row(0)).to_be_visible()

    def row(self, number: int) -> Locator:
        return self.console.page.locator(f'[data-message="{self.index.message(number).message_id}"]')

    def scroller(self) -> Locator:
        return self.console.page.get_by_role("list", name=re.compile("Messages in")).locator("xpath=..")

    def place(self) -> float:
        """How far it is scrolled."""
        place: float = self.scroller().evaluate("element => element.scrollTop")
        return place

    def drag(self, to: float) -> None:
        """Drag the scroll bar: 0 is the top, 1 the end of what is known."""
        self.scroller().evaluate("(element, to) => { element.scrollTop = to * element.scrollHeight }", to)
        self.console.page.wait_for_timeout(30)

    def drawn(self) -> list[int]:
        """The numbers of the messages whose rows are in the document, checked against what they must be."""
        found: list[list[Any]] = self.scroller().evaluate(
            """element => [...element.querySelectorAll("li")].map(row => [
                Number(row.ariaPosInSet), row.querySelector("[data-message]").dataset.message, row.innerText])"""
        )
        for position, message_id, text in found:
            assert message_id == self.index.message(position - 1).message_id
            assert f"Message {position - 1}" in text.splitlines()
        numbers = [position - 1 for position, _, _ in found]
        assert numbers == sorted(set(numbers))
        assert 0 < len(numbers) < MOST_ROWS
        return numbers

    def last(self) -> int:
        return self.drawn()[-1]


@pytest.fixture(scope="module")
def mailbox(console: Console) -> StoredMailbox:
    return StoredMailbox(console.stack, "large")


@pytest.fixture
def large(console: Console, mailbox: StoredMailbox) -> Iterator[List]:
    index = LargeIndex(mailbox.owner_id, mailbox.account_id, COUNT)
    table = index.table
    asked: list[dict[str, list[str]]] = []

    def list_page(route: Route) -> None:
        query = parse_qs(urlsplit(route.request.url).query)
        asked.append(query)
        [limit], [cursor] = query["limit"], query.get("cursor", [""])
        assert int(limit) <= 200
        page = table.page([mailbox.account_id], Wanted(), limit=int(limit), cursor=cursor or None)
        route.fulfill(body=MessagesOut.of(page).model_dump_json(), content_type="application/json")

    pattern = re.compile(rf"/accounts/{mailbox.account_id}/messages\?")
    console.page.route(pattern, list_page)
    seen = List(console, index, mailbox, asked)
    seen.begin()
    yield seen
    console.page.unroute(pattern)
    assert console.misdeeds == []


def test_the_stack_lists_a_mailbox_to_its_very_end(console: Console) -> None:
    # given
    mailbox = StoredMailbox(console.stack, "ordinary")
    index = LargeIndex(mailbox.owner_id, mailbox.account_id, ORDINARY)
    mailbox.enter(map(index.message, range(ORDINARY)))
    seen = List(console, index, mailbox, [])
    seen.begin()

    # when
    numbers: set[int] = set()
    while ORDINARY - 1 not in numbers:
        numbers.update(seen.drawn())
        console.page.mouse.move(500, 500)
        console.page.mouse.wheel(0, 500)
        console.page.wait_for_timeout(30)

    # then
    assert numbers == set(range(ORDINARY))
    expect(console.main().get_by_role("status").filter(has_text="That is all (1,000)")).to_be_visible()


def test_it_opens_with_a_page_and_not_with_all(large: List) -> None:
    large.console.page.wait_for_load_state("networkidle")
    assert large.drawn()[0] == 0
    assert len(large.asked) <= 2


def test_the_wheel_brings_row_after_row_and_pages_as_they_are_needed(large: List) -> None:
    numbers: set[int] = set()
    page = large.console.page
    page.mouse.move(500, 500)
    while max(numbers, default=0) < 600:
        drawn = large.drawn()
        numbers.update(drawn)
        known = len(large.asked) * 200
        assert drawn[-1] < known
        page.mouse.wheel(0, 600)
        page.wait_for_timeout(20)
    assert set(range(600)) <= numbers
    assert len(large.asked) <= 8


def test_keys_go_down_the_list_and_to_the_end_of_what_is_known(large: List) -> None:
    page = large.console.page
    large.row(0).focus()
    for _ in range(5):
        page.keyboard.press("ArrowDown")
    expect(large.row(5)).to_be_focused()
    for _ in range(8):
        before = large.last()
        page.keyboard.press("End")
        page.wait_for_timeout(100)
        assert large.last() >= before
    assert large.last() > 600
    at = large.place()
    page.keyboard.press("PageUp")
    page.wait_for_timeout(300)
    assert large.place() < at
    page.keyboard.press("PageDown")
    page.wait_for_timeout(300)
    large.drawn()
    page.keyboard.press("Home")
    expect(large.row(0)).to_be_focused()
    assert large.drawn()[0] == 0


def test_thousands_deep_rows_are_right_and_nothing_has_grown(large: List) -> None:
    # when
    page = large.console.page
    devtools = page.context.new_cdp_session(page)
    while large.last() < DEEP:
        large.drag(1)

    # then
    for place in (0.1, 0.73, 0.4, 0.99, 0.0):
        large.drag(place)
        page.wait_for_timeout(100)
        large.drawn()
    assert large.drawn()[0] == 0
    cursors = [query.get("cursor", [""])[0] for query in large.asked]
    assert len(set(cursors)) == len(cursors)
    devtools.send("HeapProfiler.collectGarbage")
    devtools.send("Performance.enable")
    metrics = {metric["name"]: metric["value"] for metric in devtools.send("Performance.getMetrics")["metrics"]}
    assert metrics["JSHeapUsedSize"] < MOST_HEAP
    assert page.evaluate("document.querySelectorAll('*').length") < 3_000


@pytest.mark.parametrize("size", [(390, 844), (1440, 900)], ids=["phone", "desktop"])
def test_whoever_comes_back_from_a_message_is_where_they_were(large: List, size: tuple[int, int]) -> None:
    # given
    page = large.console.page
    page.set_viewport_size({"width": size[0], "height": size[1]})
    while large.last() < 2_000:
        large.drag(1)
    large.drag(0.5)
    page.wait_for_timeout(200)
    drawn = large.drawn()
    number = drawn[len(drawn) // 2]
    message = large.index.message(number)
    large.mailbox.keep(message, a_message(subject=message.subject, arrived=NOON))
    large.mailbox.enter([message])
    box = large.row(number).bounding_box()
    assert box

    # when
    large.row(number).click()
    expect(page.get_by_role("article").get_by_role("heading", name=message.subject)).to_be_visible()
    page.go_back()

    # then
    expect(large.row(number)).to_be_focused()
    after = large.row(number).bounding_box()
    assert after
    assert abs(after["y"] - box["y"]) < 2
    large.drawn()
