"""popfetch's fetch function in a process of its own: ``python -m tests.bench.popfetch_run AWS RESULTS < ORDERS``.

Each line of its input is an order, answered by a line in ``RESULTS``: an ``event`` that the function handles, or a
folder whose messages are put through the bucket's adapter (``puts``). All but the first find a warm process, as is an
environment of Lambda that has run before. ``AWS`` is ``real``: whatever the environment leads to; or ``instant``: a
bucket that takes and discards, a table and a bus that are in memory.
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from functions.fetch.handler import handler, journal
from popfetch.domain.account import Account
from popfetch.domain.fetch_state import FetchState, LastFetch
from popfetch.domain.ledger import Ledger, LedgerEntry
from popfetch.domain.message import StoredMessage
from popfetch.ports.fetch_records import FetchRecords
from popfetch.ports.invocation import Journal
from popfetch.ports.mail_store import MailStore, PartialUpload
from popfetch.runtime import wiring_fetch
from popfetch.services.cycle_record import CycleParts
from tests.builders.fetch_context import FetchContext

PUTS_AT_ONCE = 32
SECONDS_LEFT = 300


@dataclass(slots=True)
class Result:
    """What the measured part took, and what it says that it has stored."""

    seconds: float
    cpu_seconds: float
    stored: int
    octets: int


class _Stopwatch:
    """Seconds on the wall and of the processors, all threads together."""

    def __init__(self) -> None:
        self._began = time.perf_counter(), time.process_time()

    def result(self, stored: int, octets: int) -> Result:
        return Result(time.perf_counter() - self._began[0], time.process_time() - self._began[1], stored, octets)


class _Upload:
    """``PartialUpload`` that keeps nothing."""

    def __init__(self, store: "InstantStore") -> None:
        self._store = store

    async def write(self, part: bytes) -> None:
        self._store.octets += len(part)

    async def complete(self) -> None:
        self._store.stored += 1

    async def abort(self) -> None:
        """Nothing is there."""


class InstantStore:
    """``MailStore`` that takes and discards, and counts."""

    def __init__(self, keys: MailStore) -> None:
        self._keys = keys
        self.part_octets = keys.part_octets
        self.stored = 0
        self.octets = 0

    def key(self, owner_id: str, account_id: str, message_id: str, dated: datetime | None) -> str:
        return self._keys.key(owner_id, account_id, message_id, dated)

    async def put(self, key: str, content: bytes, sha256: bytes, metadata: dict[str, str]) -> None:
        self.stored += 1
        self.octets += len(content)

    async def begin_upload(self, key: str, metadata: dict[str, str]) -> PartialUpload:
        return _Upload(self)


class _InstantRecords:
    """``FetchRecords`` of an account that is read from the table and written nowhere."""

    def __init__(self, table: FetchRecords) -> None:
        self._table = table

    async def load(self, owner_id: str, account_id: str) -> tuple[Account, FetchState] | None:
        return await self._table.load(owner_id, account_id)

    async def load_ledger(self, account_id: str) -> Ledger:
        return Ledger()

    async def index(self, messages: Sequence[StoredMessage]) -> None:
        """Nobody asks for it."""

    async def commit(
        self, account: Account, state: FetchState, cycle_id: str, entries: Sequence[LedgerEntry] = ()
    ) -> FetchState:
        return replace(state, version=state.version + 1)

    async def add_history(self, account: Account, cycle_id: str, fetch: LastFetch) -> None:
        """Nobody asks for it."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"a cycle that only stores does not {name}")


class _InstantBus:
    """An ``EventBus`` that nobody listens to."""

    def publish(self, name: str, detail: dict[str, object]) -> None:
        json.dumps(detail)


def stand_in_for_aws() -> InstantStore:
    """From now on cycles store in memory; returns the store."""
    real = wiring_fetch.cycle_parts
    store = InstantStore(real(journal).store)

    def parts(journal: Journal) -> CycleParts:
        found = real(journal)
        records = cast(FetchRecords, _InstantRecords(found.records))
        return replace(found, store=store, records=records, bus=_InstantBus())

    wiring_fetch.cycle_parts = parts
    return store


def handle(event: dict[str, Any]) -> None:
    """Have the function handle an event, of which nothing may be left."""
    answer = handler(event, cast(Any, FetchContext(SECONDS_LEFT)))
    assert answer == {"batchItemFailures": []}, answer


def _handled(event: dict[str, Any], store: InstantStore | None) -> Result:
    before = (store.stored, store.octets) if store else (0, 0)
    watch = _Stopwatch()
    handle(event)
    return watch.result(store.stored - before[0] if store else 0, store.octets - before[1] if store else 0)


async def _put(folder: Path) -> Result:
    """Put every message of a folder through popfetch's own adapter, as a cycle does, from memory."""
    contents = [path.read_bytes() for path in sorted(folder.iterdir())]
    store = wiring_fetch.cycle_parts(journal).store
    room = asyncio.Semaphore(PUTS_AT_ONCE)

    async def put(number: int, content: bytes) -> None:
        async with room:
            key = store.key("owner-0", "bench", f"message-{number}", datetime.now(UTC))
            await store.put(key, content, sha256(content).digest(), {"uid": f"{number:08x}"})

    await put(0, b"\r\n")
    watch = _Stopwatch()
    await asyncio.gather(*(put(number, content) for number, content in enumerate(contents, 1)))
    return watch.result(len(contents), sum(map(len, contents)))


def main() -> None:
    """Carry out orders until there are no more."""
    aws, results = sys.argv[1:]
    store = stand_in_for_aws() if aws == "instant" else None
    with Path(results).open("w") as answers:
        for line in sys.stdin:
            order = json.loads(line)
            result = asyncio.run(_put(Path(order["puts"]))) if "puts" in order else _handled(order["event"], store)
            answers.write(json.dumps(asdict(result)) + "\n")
            answers.flush()


if __name__ == "__main__":
    main()
