"""The verdict sees what is wrong: a check that cannot fail would prove nothing."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from popfetch.domain.ledger import Disposition, Ledger, LedgerEntry, content_print
from popfetch.domain.message_identity import MessageDigest
from tests.builders.scripted_pop3_server import Mail
from tests.chaos.dice import Dice
from tests.chaos.holdings import Indexed, digest
from tests.chaos.maildrops import LivingMaildrop, Manners
from tests.chaos.verdict import Fate, Verdict


@dataclass
class Kept:
    """Holdings and a ledger that a test fills."""

    bucket: dict[str, bytes] = field(default_factory=dict)
    entries: list[Indexed] = field(default_factory=list)
    settled: Ledger = field(default_factory=Ledger)

    def objects(self) -> dict[str, bytes]:
        return self.bucket

    def index(self) -> list[Indexed]:
        return self.entries

    def ledger(self) -> Ledger:
        return self.settled

    def store(self, mail: Mail, key: str, *, content: bytes | None = None) -> None:
        self.bucket[key] = mail.content if content is None else content
        self.entries.append(Indexed(key, len(self.bucket[key]), digest(self.bucket[key])))
        digests = MessageDigest()
        digests.feed(mail.content)
        digests.finish()
        self.settled.add(LedgerEntry(b"u" * 12, 1, content_print(digests.content), 1, Disposition.STORED))


class Scene:
    """A maildrop of three messages, and what is kept of it."""

    def __init__(self) -> None:
        self.maildrop = LivingMaildrop(Manners("kept"), 1)
        random = Dice(1).about("scene")
        for _ in range(3):
            self.maildrop._deliver(random)
        self.mails = list(self.maildrop.server.mailbox)
        self.kept = Kept()
        self.verdict = Verdict("kept", self.maildrop, cast(Any, self.kept), cast(Any, self.kept))

    def store_all(self) -> None:
        for number, mail in enumerate(self.mails):
            self.kept.store(mail, f"key-{number}")


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_all_stored_once_is_good(scene: Scene) -> None:
    scene.store_all()
    assert scene.verdict.in_calm() == []
    assert scene.verdict.fates == {Fate.STORED: 3}


def test_a_message_that_is_not_stored_is_lost(scene: Scene) -> None:
    scene.kept.store(scene.mails[0], "key-0")
    assert len(scene.verdict.in_calm()) == 2
    assert scene.verdict.fates[Fate.LOST] == 2


def test_a_message_that_another_client_took_first_is_not_lost(scene: Scene) -> None:
    scene.store_all()
    scene.maildrop._take(scene.mails[0])
    del scene.kept.bucket["key-0"], scene.kept.entries[0]
    assert scene.verdict.in_calm() == []
    assert scene.verdict.fates == {Fate.STORED: 2, Fate.TAKEN: 1}


def test_a_message_in_the_index_twice_is_doubled(scene: Scene) -> None:
    scene.store_all()
    scene.kept.store(scene.mails[0], "another-key")
    assert scene.verdict.in_calm() == ["kept: message 1 is in the index 2 times"]
    assert scene.verdict.fates[Fate.DOUBLED] == 1


def test_other_octets_are_seen(scene: Scene) -> None:
    scene.kept.store(scene.mails[0], "key-0", content=scene.mails[0].content[:-2] + b"!\n")
    assert "kept: key-0 is not what the server sent" in scene.verdict.at_any_time()


def test_what_vanishes_from_the_index_is_seen(scene: Scene) -> None:
    scene.store_all()
    scene.verdict.at_any_time()
    scene.kept.entries.pop()
    assert scene.verdict.at_any_time() == ["kept: key-2 is not in the index any more"]


def test_an_index_entry_without_an_object_is_seen(scene: Scene) -> None:
    scene.store_all()
    del scene.kept.bucket["key-1"]
    assert scene.verdict.at_any_time() == ["kept: key-1 is in the index and not in the bucket"]


def test_a_deletion_of_what_is_not_stored_is_seen(scene: Scene) -> None:
    scene.store_all()
    for mail in scene.mails:
        scene.verdict.look_at_deletion(mail)
    assert scene.verdict.at_any_time() == []
    scene.maildrop._deliver(Dice(2).about("more"))
    scene.verdict.look_at_deletion(scene.maildrop.server.mailbox[-1])
    assert scene.verdict.at_any_time() == [
        "kept: message 4 was deleted from the server and is not stored",
        "kept: message 4 was deleted from the server and is not in the ledger",
    ]
