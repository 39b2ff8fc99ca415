"""What must hold of an account, at any time and in a calm; and all that a campaign has found.

At any time: what is stored is octet for octet what the server sent, nothing is in the index twice, what was once in
the index stays there, and nothing leaves the server by popfetch's hand that is not in the bucket, the index and the
ledger. In a calm, besides: everything that is on the server is stored.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from popfetch.domain.ledger import Disposition, content_print
from popfetch.domain.message_identity import MessageDigest
from tests.builders.scripted_pop3_server import Mail
from tests.chaos.holdings import Holdings, Indexed, digest
from tests.chaos.maildrops import LivingMaildrop
from tests.real.stack import Collector


class Fate(StrEnum):
    """What has become of a message, in the end."""

    STORED = "stored once"
    TAKEN = "taken away by another client before it could be stored"
    LOST = "lost"
    DOUBLED = "stored twice"


class Verdict:
    """Looks at one account."""

    def __init__(self, name: str, maildrop: LivingMaildrop, collector: Collector, holdings: Holdings) -> None:
        self.name = name
        self.fates: Counter[Fate] = Counter()
        self._maildrop = maildrop
        self._collector = collector
        self._holdings = holdings
        self._indexed: dict[str, Indexed] = {}
        self._unsafe: list[str] = []

    def look_at_deletion(self, mail: Mail) -> None:
        """A message is about to leave the server by popfetch's hand."""
        objects = self._holdings.objects()
        kept = [entry for entry in self._holdings.index() if objects.get(entry.key) == mail.content]
        number = self._maildrop.number_of(mail.content)
        if not kept and not any(
            objects.get(entry.key) in self._maildrop.delivered[number].variants for entry in self._holdings.index()
        ):
            self._unsafe.append(f"message {number} was deleted from the server and is not stored")
        entries = self._collector.ledger().of_content(content_print(_stable(mail.content)))
        if not any(entry.disposition is Disposition.STORED for entry in entries):
            self._unsafe.append(f"message {number} was deleted from the server and is not in the ledger")

    def at_any_time(self) -> list[str]:
        """What is wrong now."""
        wrong, self._unsafe = self._unsafe, []
        index = {entry.key: entry for entry in self._holdings.index()}
        if index == self._indexed:
            return self._named(wrong)
        objects = self._holdings.objects()
        numbers: Counter[int] = Counter()
        for key, entry in index.items():
            content = objects.get(key)
            if content is None:
                wrong.append(f"{key} is in the index and not in the bucket")
                continue
            number = self._maildrop.number_of(content)
            numbers[number] += 1
            message = self._maildrop.delivered.get(number)
            if message is None or content not in message.variants:
                wrong.append(f"{key} is not what the server sent")
            if entry.octets != len(content) or entry.sha256 != digest(content):
                known = message is not None and any(digest(variant) == entry.sha256 for variant in message.variants)
                if not known:
                    wrong.append(f"{key} is not what the index says")
        wrong += [f"message {number} is in the index {times} times" for number, times in numbers.items() if times > 1]
        wrong += [f"{key} is not in the index any more" for key in self._indexed.keys() - index.keys()]
        self._indexed = index
        return self._named(wrong)

    def in_calm(self) -> list[str]:
        """What is wrong when there is nothing left to do; sets the fates of all messages."""
        wrong = self.at_any_time()
        objects = self._holdings.objects()
        stored = Counter(self._maildrop.number_of(objects[key]) for key in self._indexed if key in objects)
        present = {self._maildrop.number_of(mail.content) for mail in self._maildrop.present()}
        self.fates.clear()
        for number, message in self._maildrop.delivered.items():
            if stored[number] > 1:
                self.fates[Fate.DOUBLED] += 1
            elif stored[number]:
                self.fates[Fate.STORED] += 1
            elif message.taken_by_another:
                self.fates[Fate.TAKEN] += 1
            else:
                self.fates[Fate.LOST] += 1
                where = "is on the server" if number in present else "is gone from the server"
                wrong += self._named([f"message {number} {where} and is not stored"])
        return wrong

    def _named(self, wrong: list[str]) -> list[str]:
        return [f"{self.name}: {what}" for what in wrong]


def _stable(content: bytes) -> bytes:
    digests = MessageDigest()
    digests.feed(content)
    digests.finish()
    return digests.content


@dataclass
class Findings:
    """What a campaign did, and what it found wrong."""

    seed: int
    cycles: int = 0
    calms: int = 0
    requests: int = 0
    reindexed: int = 0
    copies: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    weather: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    fates: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @classmethod
    def together(cls, seed: int, found: Sequence["Findings"]) -> "Findings":
        """The findings of worlds that ran side by side."""
        whole = cls(seed)
        for one in found:
            whole.cycles += one.cycles
            whole.calms += one.calms
            whole.requests += one.requests
            whole.reindexed += one.reindexed
            whole.copies += one.copies
            for name in ("faults", "weather", "changes", "fates"):
                getattr(whole, name).update(getattr(one, name))
            whole.wrong += one.wrong
        return whole

    @property
    def is_good(self) -> bool:
        """True while nothing is wrong."""
        return not self.wrong

    def add(self, wrong: list[str], turn: int) -> None:
        """Note what is wrong at a turn."""
        self.wrong += [f"seed {self.seed}, turn {turn}: {what}" for what in wrong]

    def count(self, verdict: Verdict) -> None:
        """Add an account's fates."""
        self.fates.update(verdict.fates)
