"""Messages of every kind that a mailbox may hold, the same ones every time."""

import base64
from collections.abc import Iterator
from random import Random

KILO, MEGA = 1024, 1024 * 1024


def a_header(number: int) -> bytes:
    """The header block of message ``number``, with its blank line."""
    return (
        b"Received: from mx.example.net by pop.example.com; Sun, 1 Nov 2026 08:%02d:%02d +0000\r\n"
        b"From: Ben <ben@example.net>\r\nTo: anna@example.com\r\nSubject: Message %d\r\n"
        b"Message-ID: <%d@example.net>\r\nDate: Sun, 1 Nov 2026 08:%02d:%02d +0000\r\n\r\n"
    ) % (number // 60 % 60, number % 60, number, number, number // 60 % 60, number % 60)


def text(random: Random, octets: int) -> bytes:
    """Lines of plain text."""
    words = [b"mail", b"pop", b"dot", b"line", b"seven", b"owl", b"harbour", b"."]
    lines = bytearray()
    while len(lines) < octets:
        lines += b" ".join(random.choices(words, k=12)) + b"\r\n"
    return bytes(lines)


def attachment(random: Random, octets: int) -> bytes:
    """Lines of base64."""
    return base64.encodebytes(random.randbytes(octets * 3 // 4)).replace(b"\n", b"\r\n")


def odd_bodies(random: Random) -> list[bytes]:
    """Bodies that a careless client spoils."""
    return [
        b"." + b"\r\n",
        b".\r\n.\r\n..\r\n...\r\n.\r\n",
        b"dots\r\n.leading\r\n..two\r\n. \r\n.",
        b"x" * 2_049 + b"\r\n",
        b"y" * 100_001 + b"\r\nshort\r\n" + b"." * 100_001 + b"\r\n",
        b"z" * (3 * MEGA) + b"\r\n",
        b"nul \0 and \0\0\r\n\0\r\n",
        bytes(range(128, 256)) + b"\r\n" + "Grüße, 你好\r\n".encode(),
        b"bare\nline\nfeeds\n.\n..\n",
        b"bare\rcarriage\rreturns\r\r\n\r.\r\n",
        b"mixed\r\r\n\n\r\n\r",
        b"no final newline",
        b"ends in a dot\r\n.",
        b"+OK not a reply\r\n-ERR neither\r\n.\r\n+OK 5 octets\r\n",
        b"From the start of a line\r\n>From another\r\n",
        b"\r\n" * 500,
        random.randbytes(200 * KILO),
        b"",
    ]


def odd_messages() -> list[bytes]:
    """Whole messages that are hardly any.

    None begins with a dot: dovecot 2.3 forgets to stuff that one, so a test of its own is about it.
    """
    return [
        b"",
        b"Subject: only a header\r\n",
        b"Subject: a header and its blank line\r\n\r\n",
        b"\r\n",
        b"\r\nbody without a header\r\n",
        b"no header, no colon, no newline",
        b"Subject: " + b"h" * 150_000 + b"\r\n\r\nlong header line\r\n",
        b"Subject: folded\r\n" + b"\tagain\r\n" * 20_000 + b"\r\nbody\r\n",
        b"Subject: LF only\n\nline\n.\nline\n",
    ]


def mixed_messages(count: int) -> Iterator[bytes]:
    """``count`` messages: mostly short text, some attachments up to 5 MB, and the odd ones again and again."""
    random = Random(20261123)
    odd = odd_bodies(random)
    hardly = odd_messages()
    for number in range(1, count + 1):
        if number % 400 == 0:
            yield a_header(number) + attachment(random, 5 * MEGA)
        elif number % 50 == 0:
            yield a_header(number) + attachment(random, MEGA)
        elif number % 20 == 0:
            yield a_header(number) + odd[number // 20 % len(odd)]
        elif number % 97 == 0:
            yield hardly[number // 97 % len(hardly)]
        else:
            yield a_header(number) + text(random, random.choice((KILO, 4 * KILO, 16 * KILO, 150 * KILO)))
