"""The mailboxes that are fetched: in every hundred messages the same mixture, so that a small one stands for a large.

Of a hundred, one has 1 MB and two have 300 KB, attached; the others are text of 1, 4, 16 or 60 KB: 36 KB on average.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from random import Random

from tests.bench.floor import Floor
from tests.real.dovecot import PASSWORD, Dovecot
from tests.real.mixed_mail import KILO, MEGA, a_header, attachment, text

_TEXTS = (KILO, 4 * KILO, 16 * KILO, 60 * KILO)


@dataclass(frozen=True, slots=True)
class Seeded:
    """A mailbox on the server, and what a client should bring from it."""

    user: str
    count: int
    octets: int
    digests: tuple[bytes, ...]


def mixture(count: int) -> Iterator[bytes]:
    """``count`` messages, none like another."""
    random = Random(20261123)
    words = text(random, 4 * MEGA)
    for number in range(1, count + 1):
        place = number % 100
        if place == 50:
            body = attachment(random, MEGA)
        elif place in {25, 75}:
            body = attachment(random, 300 * KILO)
        else:
            start = words.index(b"\n", random.randrange(3 * MEGA)) + 1
            end = words.index(b"\n", start + _TEXTS[number % len(_TEXTS)]) + 1
            body = words[start:end]
        yield a_header(number) + body


def seed(server: Dovecot, user: str, count: int) -> Seeded:
    """Deliver a mixture, and have the server look at it once, so that it has indexed it and marked it as seen."""
    maildir = server.maildir(user)
    octets, digests = 0, []
    for content in mixture(count):
        maildir.deliver(content)
        octets += len(content)
        digests.append(sha256(content).digest())
    session = Floor("localhost", server.tls_port, server.ca_file)
    session.sign_in(user, PASSWORD)
    assert session.retrieve(session.sizes(), 0, 0) == count
    return Seeded(user, count, octets, tuple(sorted(digests)))
