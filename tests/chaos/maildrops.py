"""Maildrops that live: mail comes, another client takes some away, and the server does to its UIDs what servers do.

They change between sessions only, as RFC 1939 (section 3) has it: a maildrop is locked while somebody is signed in.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random

from tests.builders.collecting import a_message
from tests.builders.scripted_pop3_server import (
    DEFAULT,
    Answer,
    Close,
    Hang,
    Mail,
    ScriptedServer,
    ScriptedSession,
    err,
)
from tests.chaos.dice import chosen, one_in


class Change(StrEnum):
    """What may happen to a maildrop between two sessions."""

    ARRIVAL = "mail arrives"
    BURST = "much mail arrives"
    TAKEN = "another client deletes some"
    RENUMBERED = "every UID is new"
    RESET = "UIDs are counted from 1 again"
    REUSED = "a new message has the UID of one that is gone"
    TWIN = "a new message has the UID of another"
    SHUFFLED = "messages stand in another order"
    EMPTY = "the maildrop looks empty for a while"
    REWRITTEN = "the server adds a Status field"
    POISON = "a message comes that cannot be had for a while"


_CHANGES: tuple[tuple[float, Change], ...] = (
    (40, Change.ARRIVAL),
    (1, Change.BURST),
    (12, Change.TAKEN),
    (2, Change.RENUMBERED),
    (2, Change.RESET),
    (4, Change.REUSED),
    (4, Change.TWIN),
    (2, Change.SHUFFLED),
    (1, Change.EMPTY),
    (2, Change.REWRITTEN),
    (2, Change.POISON),
    # quiet turns
    (28, Change.ARRIVAL),
)


class ServerFault(StrEnum):
    """What a server says instead of what it should, now and then."""

    BUSY = "POP3: -ERR [IN-USE]"
    TEMPORARY = "POP3: -ERR [SYS/TEMP] at the greeting"
    LIE = "POP3: a good password refused"
    REFUSED_MESSAGE = "POP3: -ERR for a message that is there"


@dataclass(frozen=True)
class Manners:
    """How a server is: what it can do, and what it says of sizes."""

    name: str
    pipelining: bool = True
    capa: bool = True
    uidl: bool = True
    sizes: float = 1.0
    """LIST's octets to the true ones."""

    renames: bool = True
    """Whether its UIDs are ever given anew."""


@dataclass
class Delivered:
    """A message that was ever in the maildrop: its octets as they came, and as the server has rewritten them since."""

    number: int
    variants: list[bytes]
    poison_until: int = 0
    taken_by_another: bool = False
    deleted_by_popfetch: bool = False


class LivingMaildrop:
    """A maildrop, its server, and what has become of every message that was ever in it."""

    def __init__(self, manners: Manners, first_number: int) -> None:
        self.manners = manners
        self.done: Counter[Change] = Counter()
        self.faults: Counter[ServerFault] = Counter()
        self.delivered: dict[int, Delivered] = {}
        self.fault_once: ServerFault | None = None
        self.deletions = 0
        self._number = first_number
        self._next_uid = 1
        self._gone: list[bytes] = []
        self._sizes: defaultdict[bytes, set[int]] = defaultdict(set)
        self._hidden: list[Mail] = []
        self._turn = 0
        capabilities = ["TOP", "USER"]
        capabilities += ["UIDL"] if manners.uidl else []
        capabilities += ["PIPELINING"] if manners.pipelining else []
        self.server = ScriptedServer(
            [],
            on={"PASS": self._lock, "RETR": self._send, "greeting": self._greet, "QUIT": self._update},
            capabilities=capabilities if manners.capa else None,
            uidl=manners.uidl,
        )
        self.before_deletion: Callable[[Mail], None] = lambda _: None

    # --- What it does between sessions --------------------------------------------------------------------------

    @property
    def is_locked(self) -> bool:
        """True while somebody is signed in."""
        return any(session.signed_in and not session.ended for session in self.server.sessions)

    def live(self, random: Random) -> None:
        """Let a turn pass."""
        self._turn += 1
        if self._hidden:
            self.server.mailbox = [*self._hidden, *self.server.mailbox]
            self._hidden = []
        self._happen(chosen(random, _CHANGES), random)
        for mail in self.present():
            self._sizes[mail.uid].add(self._told(mail.content))

    def number_of(self, content: bytes) -> int:
        """The number of the message that these octets are of."""
        return int(content.partition(b"X-Number: ")[2].partition(b"\r\n")[0])

    def present(self) -> list[Mail]:
        """All that is in the maildrop, hidden or not."""
        return [*self._hidden, *self.server.mailbox]

    def is_poison(self, number: int) -> bool:
        """True while a message cannot be had."""
        return self.delivered[number].poison_until > self._turn

    def heal(self) -> None:
        """Show all there is, and let all of it be had."""
        self.server.mailbox = self.present()
        self._hidden = []
        self.fault_once = None
        for message in self.delivered.values():
            message.poison_until = 0

    def _happen(self, change: Change, random: Random) -> None:
        mailbox = self.server.mailbox
        if change in {Change.RENUMBERED, Change.RESET, Change.REUSED, Change.TWIN} and not self.manners.renames:
            change = Change.ARRIVAL
        match change:
            case Change.ARRIVAL:
                for _ in range(random.choice((0, 0, 1, 1, 2, 3))):
                    self._deliver(random)
                    self.done[change] += 1
                return
            case Change.BURST:
                for _ in range(random.randint(20, 60)):
                    self._deliver(random)
            case Change.TAKEN:
                for mail in random.sample(mailbox, min(len(mailbox), random.randint(1, 3))):
                    self._take(mail)
            case Change.RENUMBERED:
                self.server.mailbox = [replace(mail, uid=self._new_uid()) for mail in mailbox]
            case Change.RESET:
                self._next_uid = 1
                self.server.mailbox = [replace(mail, uid=self._new_uid()) for mail in mailbox]
            case Change.REUSED:
                if not self._gone:
                    return
                self._deliver(random, uid=random.choice(self._gone))
            case Change.TWIN:
                if not mailbox:
                    return
                other = random.choice(mailbox)
                self._deliver(random, uid=other.uid)
            case Change.SHUFFLED:
                random.shuffle(mailbox)
            case Change.EMPTY:
                self._hidden, self.server.mailbox = mailbox, []
            case Change.REWRITTEN:
                self._rewrite(random)
            case Change.POISON:
                self._deliver(random)
                self.delivered[self._number - 1].poison_until = self._turn + random.randint(1, 12)
        self.done[change] += 1

    def _new_uid(self) -> bytes:
        self._next_uid += 1
        return b"%d" % (self._next_uid - 1)

    def _deliver(self, random: Random, *, uid: bytes = b"") -> None:
        number = self._number
        self._number += 1
        content = self._content(number, random)
        # one UID and one size for two messages: nothing that a server says tells them apart
        while uid and self._told(content) in self._sizes[uid]:
            content += b"One line more.\r\n"
        self.delivered[number] = Delivered(number, [content])
        self.server.mailbox.append(Mail(content, uid or self._new_uid(), self._told(content)))

    def _content(self, number: int, random: Random) -> bytes:
        body = chosen(
            random,
            [
                (60, b"Hello.\r\n" * random.randint(0, 400)),
                (8, b".\r\n..\r\n.hidden\r\n\r\n" * random.randint(1, 20)),
                (8, random.randbytes(random.randint(1, 3000)).replace(b"\r", b"").replace(b"\n", b"") + b"\r\n"),
                (6, b"bare\nline\rfeeds\n.dot\r\n" * random.randint(1, 20)),
                (6, b"x" * random.randint(1, 60_000) + b"\r\n"),
                (2, b"A longer one, line by line.\r\n" * random.randint(1000, 20_000)),
            ],
        )
        return a_message(number, body=body or b"\r\n").replace(b"Subject:", b"X-Number: %d\r\nSubject:" % number, 1)

    def _told(self, content: bytes) -> int:
        return int(len(content) * self.manners.sizes)

    def _take(self, mail: Mail) -> None:
        self.server.mailbox.remove(mail)
        self._gone.append(mail.uid)
        self.delivered[self.number_of(mail.content)].taken_by_another = True

    def _rewrite(self, random: Random) -> None:
        for index, mail in enumerate(self.server.mailbox):
            if one_in(random, 3) and b"\r\nStatus:" not in mail.content:
                content = mail.content.replace(b"\r\nSubject:", b"\r\nStatus: RO\r\nSubject:", 1)
                if self._told(content) in self._sizes[mail.uid]:
                    continue
                self.delivered[self.number_of(content)].variants.append(content)
                self.server.mailbox[index] = replace(mail, content=content, size=self._told(content))

    # --- What it says in sessions -----------------------------------------------------------------------------

    def _fails(self, fault: ServerFault) -> bool:
        if self.fault_once is not fault:
            return False
        self.fault_once = None
        self.faults[fault] += 1
        return True

    def _greet(self, session: ScriptedSession, line: str) -> Answer:
        return err("[SYS/TEMP] later") if self._fails(ServerFault.TEMPORARY) else DEFAULT

    def _lock(self, session: ScriptedSession, line: str) -> Answer:
        if self._fails(ServerFault.BUSY) or self.is_locked:
            return err("[IN-USE] somebody else is signed in")
        if self._fails(ServerFault.LIE):
            return err("[AUTH] no such user, or perhaps the directory is down")
        return DEFAULT

    def _send(self, session: ScriptedSession, line: str) -> Answer:
        mail = session.mail(int(line.split()[1]))
        if mail is None:
            return DEFAULT
        if self._fails(ServerFault.REFUSED_MESSAGE):
            return err("not now")
        number = self.number_of(mail.content)
        if self.is_poison(number):
            return (err("cannot be read"), Close(b"+OK\r\nSubj"), Hang(b"+OK\r\nSubj"))[number % 3]
        return DEFAULT

    def _update(self, session: ScriptedSession, line: str) -> Answer:
        """What is marked goes away now."""
        for number in sorted(session.marked):
            mail = self.server.mailbox[number - 1]
            self.before_deletion(mail)
            self.deletions += 1
            self._gone.append(mail.uid)
            self.delivered[self.number_of(mail.content)].deleted_by_popfetch = True
        return DEFAULT
