"""A cycle killed at any step, and run again: nothing lost, nothing twice, nothing deleted that is not safe.

The cycle is killed just before and just after each of its calls to the outside, one after the other, until it gets
through. ``Killed`` is no ``Exception``: nothing in the cycle may catch it.
"""

import itertools

import pytest

from popfetch.domain.account import AfterFetch
from popfetch.domain.ledger import Disposition, uid_print
from tests.builders.aws import Aws
from tests.builders.collecting import Collection, a_message
from tests.builders.scripted_pop3_server import Mail, Scripted, ScriptedServer, ScriptedSession

CALLS = {
    "index",
    "commit",
    "add_history",
    "put",
    "begin_upload",
    "open",
    "stat",
    "probe",
    "listing",
    "stat_and_listing",
    "delete",
    "quit",
}


class Killed(BaseException):
    """The process is gone."""


class Tripwire:
    """Kills at the n-th step; a call has two, before and after it."""

    def __init__(self, step: int) -> None:
        self.left = step

    def pass_by(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed

    def around(self, inner: object) -> "Wired":
        return Wired(inner, self)


class Wired:
    """Something whose calls step over the wire."""

    def __init__(self, inner: object, wire: Tripwire) -> None:
        self._inner = inner
        self._wire = wire

    def __getattr__(self, name: str) -> object:
        found = getattr(self._inner, name)
        if name not in CALLS:
            return found

        async def call(*args: object, **options: object) -> object:
            self._wire.pass_by()
            answer = await found(*args, **options)
            self._wire.pass_by()
            return self._wire.around(answer) if name == "open" else answer

        return call


def watch_deletions(collection: Collection, unsafe: list[bytes]) -> Scripted:
    """At each DELE, note a message that is not stored, indexed and in the ledger by then."""

    def answer(session: ScriptedSession, line: str) -> None:
        mail = session.mail(int(line.split()[1]))
        assert mail is not None
        objects = collection.objects().values()
        indexed = {item.get("uid") for item in collection.items("MESSAGE#")}
        entered = collection.records._load_ledger(collection.account.account_id).uids
        if mail.content not in objects or mail.uid not in indexed or uid_print(mail.uid) not in entered:
            unsafe.append(mail.uid)

    return answer


@pytest.mark.parametrize("policy", [AfterFetch.KEEP, AfterFetch.DELETE])
async def test_killed_at_every_step_nothing_is_lost_or_doubled(aws: Aws, policy: AfterFetch) -> None:
    mails = [Mail(a_message(number), b"uid-%d" % number) for number in range(1, 4)]
    unsafe: list[bytes] = []
    for step in itertools.count(1):
        async with ScriptedServer(mails) as server:
            collection = Collection(aws, server, number=step, after_fetch=policy)
            server.on["DELE"] = watch_deletions(collection, unsafe)
            whole = collection.parts
            wire = Tripwire(step)
            collection.with_parts(
                records=wire.around(whole.records),
                store=wire.around(whole.store),
                dialer=wire.around(whole.dialer),
            )
            killed = False
            try:
                await collection.cycle()
            except Killed:
                killed = True
            collection.with_parts(records=whole.records, store=whole.store, dialer=whole.dialer)
            while (await collection.cycle()).stored:
                pass
            assert collection.contents() == sorted(mail.content for mail in mails), step
            indexed = sorted(item["uid"] for item in collection.items("MESSAGE#"))
            assert indexed == sorted(mail.uid for mail in mails), step
            assert unsafe == [], step
            # one that was entered from the index is entered again with its size, once it was looked at
            entries = (await collection.ledger()).entries()
            entered = {(e.uid, e.content) for e in entries if e.disposition is Disposition.STORED}
            assert (await collection.state()).stored_total == len(entered) == len(mails), step
            if policy is AfterFetch.DELETE:
                assert server.mailbox == [], step
            if not killed:
                break
    assert step > 18
