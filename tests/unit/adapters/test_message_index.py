"""The list of messages from the table: in order over accounts, page by page, and never more read than may be."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from popfetch.adapters import message_index
from popfetch.adapters.cursors import to_cursor
from popfetch.adapters.message_index import MOST_READ, MessageIndexTable
from popfetch.domain.errors import InvalidCursor
from popfetch.domain.message import StoredMessage
from popfetch.domain.message_identity import id_of_sent
from popfetch.domain.message_list import Wanted
from popfetch.ports.stored_mail import MessagePage
from tests.builders import aws as stack
from tests.builders.accounts import NOON, an_account_id
from tests.builders.aws import Aws
from tests.builders.stored_messages import a_row, enter

ACCOUNTS = [an_account_id(number) for number in (1, 2, 3)]


@pytest.fixture(scope="module")
def shared() -> Iterator[Aws]:
    with stack.aws() as built:
        yield built


@pytest.fixture
def aws(shared: Aws) -> Iterator[Aws]:
    yield shared
    stack.empty(shared)


@pytest.fixture
def index(aws: Aws) -> MessageIndexTable:
    return MessageIndexTable(aws.dynamodb, aws.table)


def subjects(page: MessagePage) -> list[str]:
    return [row.subject for row in page.messages]


def all_pages(index: MessageIndexTable, accounts: list[str], wanted: Wanted, limit: int) -> list[MessagePage]:
    pages = [index.page(accounts, wanted, limit=limit)]
    while cursor := pages[-1].cursor:
        pages.append(index.page(accounts, wanted, limit=limit, cursor=cursor))
    return pages


def rows(count: int, accounts: list[str] = ACCOUNTS, **changes: Any) -> list[StoredMessage]:
    """So many messages, a minute apart, in turn in each of these accounts."""
    return [a_row(number, account_id=accounts[number % len(accounts)], **changes) for number in range(count)]


class TestPages:
    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 10, 200])
    def test_are_together_what_there_is_in_order(self, aws: Aws, index: MessageIndexTable, limit: int) -> None:
        enter(aws, rows(10))
        pages = all_pages(index, ACCOUNTS, Wanted(), limit)
        assert [subject for page in pages for subject in subjects(page)] == [f"Message {n}" for n in range(10)]
        assert all(len(page.messages) == limit for page in pages[:-1])
        assert pages[-1].messages, "a page that is full knows whether it is the last"

    def test_of_one_account_have_only_its_own(self, aws: Aws, index: MessageIndexTable) -> None:
        enter(aws, rows(9))
        assert subjects(index.page([ACCOUNTS[1]], Wanted(), limit=50)) == ["Message 1", "Message 4", "Message 7"]

    def test_go_on_where_the_last_one_ended_whatever_has_come_meanwhile(
        self, aws: Aws, index: MessageIndexTable
    ) -> None:
        enter(aws, rows(6))
        first = index.page(ACCOUNTS, Wanted(), limit=3)
        enter(aws, [a_row(-1, account_id=ACCOUNTS[0])])
        second = index.page(ACCOUNTS, Wanted(), limit=3, cursor=first.cursor)
        assert subjects(second) == ["Message 3", "Message 4", "Message 5"]

    def test_go_on_where_the_last_message_of_a_page_is_gone(self, aws: Aws, index: MessageIndexTable) -> None:
        gone = rows(6)
        enter(aws, gone)
        first = index.page(ACCOUNTS, Wanted(), limit=3)
        stack.empty(aws)
        enter(aws, gone[3:])
        assert subjects(index.page(ACCOUNTS, Wanted(), limit=3, cursor=first.cursor)) == [
            "Message 3",
            "Message 4",
            "Message 5",
        ]

    def test_tell_apart_messages_of_the_same_id_in_two_accounts(self, aws: Aws, index: MessageIndexTable) -> None:
        same = id_of_sent(NOON, b"1234567890")
        enter(aws, [a_row(0, account_id=account, message_id=same) for account in ACCOUNTS])
        found = [row.account_id for page in all_pages(index, ACCOUNTS, Wanted(), 1) for row in page.messages]
        assert sorted(found) == sorted(ACCOUNTS)

    def test_end_with_messages_that_name_no_date(self, aws: Aws, index: MessageIndexTable) -> None:
        enter(aws, [a_row(0, arrived=None, account_id=ACCOUNTS[0]), *rows(2)])
        assert subjects(index.page(ACCOUNTS, Wanted(), limit=9))[:2] == ["Message 0", "Message 1"]
        assert len(index.page(ACCOUNTS, Wanted(), limit=9).messages) == 3
        assert len(index.page(ACCOUNTS, Wanted(since=NOON - timedelta(days=9)), limit=9).messages) == 2

    def test_of_no_account_are_empty(self, index: MessageIndexTable) -> None:
        assert index.page([], Wanted(), limit=9) == MessagePage([], None, None)

    def test_leave_out_whatever_else_an_account_has(self, aws: Aws, index: MessageIndexTable) -> None:
        for sort in ("CYCLE#2026", "LEDGER#0#1", "QUARANTINE#x", "SENDING#x", "MESSAGES"):
            aws.dynamodb.put_item(TableName=aws.table, Item={"pk": {"S": f"ACCOUNT#{ACCOUNTS[0]}"}, "sk": {"S": sort}})
        enter(aws, rows(1))
        assert subjects(index.page(ACCOUNTS, Wanted(), limit=9)) == ["Message 0"]

    @settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 8)), max_size=12, unique=True),
        st.integers(1, 5),
        st.integers(1, 7),
    )
    def test_miss_nothing_and_repeat_nothing(
        self, aws: Aws, monkeypatch: pytest.MonkeyPatch, placed: list[tuple[int, int]], limit: int, most: int
    ) -> None:
        monkeypatch.setattr(message_index, "MOST_READ", most)
        monkeypatch.setattr(message_index, "SMALLEST_READ", 1)
        stack.empty(aws)
        stored = [a_row(minute, account_id=ACCOUNTS[account]) for account, minute in placed]
        enter(aws, stored)
        pages = all_pages(MessageIndexTable(aws.dynamodb, aws.table), ACCOUNTS, Wanted(), limit)
        found = [(row.message_id, row.account_id) for page in pages for row in page.messages]
        assert found == sorted(((one.message_id, one.account_id) for one in stored), reverse=True)


class TestBounds:
    @pytest.mark.parametrize(
        ("since", "before", "found"),
        [
            (None, None, range(5)),
            (NOON - timedelta(minutes=2), None, range(3)),
            (None, NOON - timedelta(minutes=1), range(2, 5)),
            (NOON - timedelta(minutes=3), NOON - timedelta(minutes=1), range(2, 4)),
            (NOON, NOON, range(0)),
            (NOON + timedelta(days=1), None, range(0)),
            (datetime(1, 1, 1, tzinfo=NOON.tzinfo), datetime(9999, 12, 31, tzinfo=NOON.tzinfo), range(5)),
        ],
    )
    def test_are_of_the_arrival(
        self, aws: Aws, index: MessageIndexTable, since: datetime | None, before: datetime | None, found: range
    ) -> None:
        enter(aws, rows(5))
        wanted = Wanted(since=since, before=before)
        for limit in (1, 9):
            pages = all_pages(index, ACCOUNTS, wanted, limit)
            assert [s for page in pages for s in subjects(page)] == [f"Message {number}" for number in found]


class TestSearches:
    def test_look_at_a_part_of_the_index_at_a_time_and_say_how_far(
        self, aws: Aws, index: MessageIndexTable, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(message_index, "MOST_READ", 10)
        monkeypatch.setattr(message_index, "MOST_AT_ONCE", 5)
        enter(aws, rows(30, ACCOUNTS[:1]))
        wanted = Wanted(subject="message 29")
        pages = all_pages(index, ACCOUNTS[:1], wanted, 50)
        assert [subject for page in pages for subject in subjects(page)] == ["Message 29"]
        reached = [page.searched_to for page in pages]
        assert reached[-1] is None
        assert all(earlier is not None for earlier in reached[:-1])
        assert reached[0] == NOON - timedelta(minutes=9)

    def test_read_no_more_than_may_be(
        self, aws: Aws, index: MessageIndexTable, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read: list[int] = []
        query = aws.dynamodb.query

        class Counting:
            def query(self, **request: Any) -> Any:
                answer = query(**request)
                read.append(len(answer["Items"]))
                return answer

        monkeypatch.setattr(message_index, "MOST_READ", 40)
        monkeypatch.setattr(message_index, "MOST_AT_ONCE", 20)
        enter(aws, rows(120))
        MessageIndexTable(Counting(), aws.table).page(ACCOUNTS, Wanted(words="nothing"), limit=10)  # type: ignore[arg-type]
        assert sum(read) <= 40 + 20 * len(ACCOUNTS)

    def test_find_the_same_whatever_the_size_of_a_page(self, aws: Aws, index: MessageIndexTable) -> None:
        enter(aws, rows(40))
        wanted = Wanted(words="message 3")
        expected = [f"Message {number}" for number in (3, 13, 23, *range(30, 40))]
        for limit in (1, 4, 200):
            pages = all_pages(index, ACCOUNTS, wanted, limit)
            assert [subject for page in pages for subject in subjects(page)] == expected

    def test_read_little_more_than_a_page_of_a_list(self, aws: Aws) -> None:
        limits: list[int] = []
        query = aws.dynamodb.query

        class Counting:
            def query(self, **request: Any) -> Any:
                limits.append(request["Limit"])
                return query(**request)

        enter(aws, rows(30, ACCOUNTS[:1]))
        MessageIndexTable(Counting(), aws.table).page(ACCOUNTS[:1], Wanted(), limit=20)  # type: ignore[arg-type]
        assert limits == [21]
        assert MOST_READ == 2_000


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "%%%",
        to_cursor("0" * 26),
        to_cursor(f"{'0' * 26}.{ACCOUNTS[0]}x"),
        to_cursor(f"{'u' * 26}.{ACCOUNTS[0]}"),
        to_cursor(f"{'0' * 25}.{ACCOUNTS[0]}"),
        to_cursor(f"MESSAGE#{'0' * 26}.{ACCOUNTS[0]}"),
        to_cursor(f"{'0' * 26}.{ACCOUNTS[0]}\n"),
        "\u0660",
    ],
)
def test_a_cursor_that_no_page_gave_is_refused(index: MessageIndexTable, cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        index.page(ACCOUNTS, Wanted(), limit=9, cursor=cursor)


def test_a_cursor_leads_to_no_other_account(aws: Aws, index: MessageIndexTable) -> None:
    enter(aws, rows(9))
    theirs = index.page(ACCOUNTS[:1], Wanted(), limit=1).cursor
    found = index.page(ACCOUNTS[1:2], Wanted(), limit=9, cursor=theirs)
    assert {row.account_id for row in found.messages} == {ACCOUNTS[1]}
