"""A mailbox such as people have: every message here is made up, and the same at every run.

Messages come as the octets a POP3 client receives: CRLF line ends, the last line ended. They differ in what matters to
whoever collects them: structure, character sets, transfer encodings, line lengths, sizes, headers.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from random import Random

ENDING = ".eml"
"""What the file of a message in a mailbox's folder ends with; what comes before is the message's UID."""

PASSWORD_VARIABLE = "DEMO_MAILBOX_PASSWORD"  # noqa: S105 - the name of it
"""Where the demo server finds the password of its one user."""

MAILBOX_ADDRESS = "linh.nguyen@mail.example"
FIRST_DELIVERY = 40
LATER_DELIVERY = 3

_SEED = 1939
_FIRST_DAY = datetime(2026, 9, 1, 6, 0, tzinfo=UTC)
_POLICY = SMTP.clone(max_line_length=78)

_PEOPLE = (
    ("Grace Okafor", "grace@okafor.example"),
    ("Jonas Weber", "jonas.weber@werk.example"),
    ("Nguyễn Thị Minh Châu", "chau@hoasen.example"),
    ("田中 美咲", "misaki@tanaka.example"),
    ("Zoë Fernández", "zoe@fernandez.example"),
)
_SUBJECTS = (
    "Dinner on Friday?",
    "Notes from today's call",
    "Re: the roof",
    "Photos from the lake",
    "Could you look over this paragraph",
    "Train times for Sunday",
    "Re: Re: keys",
)
_SENTENCES = (
    "The weather held until we were almost home.",
    "I have put the two versions side by side, and the second one reads better.",
    "Could you bring the blue folder when you come by?",
    "They promised an answer by Thursday, so let us wait until then.",
    "Nothing urgent, but I would like to hear what you think.",
    "The numbers for October are in, and they are better than we feared.",
    ".. and this line begins with two dots, as some do.",
    "From here on it only gets easier, I am told.",
)


def first_delivery() -> list[bytes]:
    """The messages that wait in the mailbox when the account is added, oldest first."""
    return [_message(number) for number in range(FIRST_DELIVERY)]


def later_delivery(already: int) -> list[bytes]:
    """The next messages that arrive in a mailbox that has been given ``already`` ones."""
    return [_message(number) for number in range(already, already + LATER_DELIVERY)]


def _message(number: int) -> bytes:
    random = Random(_SEED * 1_000_003 + number)  # noqa: S311 - the same mail every time is the point
    return _KINDS[number % len(_KINDS)](number, random)


def _base(number: int, random: Random, sender: tuple[str, str], subject: str) -> EmailMessage:
    sent = _FIRST_DAY + timedelta(hours=29 * number, minutes=random.randrange(600))
    name, address = sender
    domain = address.partition("@")[2]
    message = EmailMessage(policy=_POLICY)
    received = format_datetime(sent + timedelta(seconds=random.randrange(2, 90)))
    message["Return-Path"] = f"<{address}>"
    message["Received"] = (
        f"from mx.{domain} (mx.{domain} [192.0.2.{random.randrange(1, 255)}])"
        f" by mail.example with ESMTPS id {random.getrandbits(48):012x}"
        f" for <{MAILBOX_ADDRESS}>; {received}"
    )
    message["Date"] = format_datetime(sent)
    message["From"] = f'"{name}" <{address}>'
    message["To"] = f"Linh Nguyen <{MAILBOX_ADDRESS}>"
    message["Subject"] = subject
    message["Message-ID"] = f"<{random.getrandbits(64):016x}@{domain}>"
    message["MIME-Version"] = "1.0"
    return message


def _paragraphs(random: Random, count: int) -> str:
    return "\n\n".join(" ".join(random.sample(_SENTENCES, k=3)) for _ in range(count)) + "\n"


def _finished(message: EmailMessage, number: int) -> bytes:
    for index, part in enumerate(message.walk()):
        if part.get_content_maintype() == "multipart":
            part.set_boundary(f"=_popfetch_{number:04d}_{index}")
    return message.as_bytes()


def _plain(number: int, random: Random) -> bytes:
    message = _base(number, random, random.choice(_PEOPLE), random.choice(_SUBJECTS))
    message.set_content(_paragraphs(random, random.randrange(1, 5)))
    return _finished(message, number)


def _alternatives(number: int, random: Random) -> bytes:
    sender = ("Fern & Pine Weekly", "news@fernandpine.example")
    message = _base(number, random, sender, f"Issue {120 + number}: what grows in the shade")
    text = _paragraphs(random, 3)
    message["List-Unsubscribe"] = "<https://fernandpine.example/leave>"
    message.set_content(text)
    rows = "".join(f"<p>{line}</p>\n" for line in text.splitlines() if line)
    message.add_alternative(f"<!doctype html>\n<html><body><h1>Fern &amp; Pine</h1>\n{rows}</body></html>\n", "html")
    return _finished(message, number)


def _invoice(number: int, random: Random) -> bytes:
    message = _base(number, random, ("Nordlicht Strom", "rechnung@nordlicht.example"), f"Rechnung {2026000 + number}")
    message.set_content("Guten Tag,\n\nanbei Ihre Rechnung als PDF.\n\nIhr Team von Nordlicht\n")
    pdf = _pdf(f"Rechnung {2026000 + number}: {random.randrange(40, 90)},00 EUR")
    message.add_attachment(pdf, "application", "pdf", filename=f"Rechnung-{2026000 + number}.pdf")
    return _finished(message, number)


def _order(number: int, random: Random) -> bytes:
    order = f"{random.randrange(10**6):06d}-{number:03d}"
    message = _base(
        number, random, ("Kaffeekontor", "orders@kaffeekontor.example"), f"Your order {order} is on its way"
    )
    lines = [f"{quantity} x Espresso Nr. {quantity * 7}, 250 g" for quantity in (1, 2)]
    message.set_content("Thank you for your order.\n\n" + "\n".join(lines) + "\n\nIt leaves our house today.\n")
    message.add_alternative(
        "<table>" + "".join(f"<tr><td>{line}</td></tr>" for line in lines) + "</table>\n", subtype="html"
    )
    message.add_attachment(
        "sku,quantity,price\n" + "".join(f"E-{q * 7},{q},{q * 9}.50\n" for q in (1, 2)), "csv", filename="order.csv"
    )
    return _finished(message, number)


def _picture(number: int, random: Random) -> bytes:
    message = _base(number, random, random.choice(_PEOPLE), "Photos from the lake")
    message.set_content("Two of them, the rest when I am home.\n")
    for index in (1, 2):
        side = random.randrange(24, 64)
        message.add_attachment(_png(side, random), "image", "png", filename=f"lake {index}.png")
    return _finished(message, number)


def _vietnamese(number: int, random: Random) -> bytes:
    message = _base(number, random, _PEOPLE[2], "Chúc mừng năm học mới — hẹn gặp chị ở Huế")
    message.set_content("Chị Linh ơi,\n\nEm gửi chị lịch họp tuần sau. Nhớ mang theo áo mưa nhé!\n\nMinh Châu\n")
    return _finished(message, number)


def _japanese(number: int, random: Random) -> bytes:
    message = _base(number, random, _PEOPLE[3], "来週の打ち合わせについて")
    message.set_content("リンさん\n\nお世話になっております。来週の打ち合わせは水曜日でいかがでしょうか。\n\n田中\n")
    message.add_attachment("議事録の下書きです。\n".encode(), "text", "plain", filename="議事録.txt")
    return _finished(message, number)


def _list_post(number: int, random: Random) -> bytes:
    thread = number // len(_KINDS)
    subject = "[wanderers] Hut bookings for spring" if not thread else "Re: [wanderers] Hut bookings for spring"
    message = _base(number, random, random.choice(_PEOPLE[:2]), subject)
    message["List-Id"] = "Wanderers <wanderers.lists.example>"
    message["List-Post"] = "<mailto:wanderers@lists.example>"
    message["Precedence"] = "list"
    if thread:
        references = " ".join(f"<hut-{earlier}@lists.example>" for earlier in range(thread))
        message["In-Reply-To"] = f"<hut-{thread - 1}@lists.example>"
        message["References"] = references
    message.replace_header("Message-ID", f"<hut-{thread}@lists.example>")
    quoted = "".join(f"> {sentence}\n" for sentence in _SENTENCES[:3]) if thread else ""
    message.set_content(quoted + "\n" + _paragraphs(random, 2) + "\n-- \nWanderers, every second weekend\n")
    return _finished(message, number)


def _eight_bit(number: int, random: Random) -> bytes:
    head = _head(number, random, _PEOPLE[4], "Re: keys", "text/plain; charset=iso-8859-1", "8bit")
    body = "Les clés sont chez la voisine, à côté du café. Ça ira ?\r\n\r\n.À demain,\r\nZoë\r\n".encode("iso-8859-1")
    return head + body


def _empty(number: int, random: Random) -> bytes:
    return _head(
        number, random, _PEOPLE[1], "(see subject) I am 10 minutes late", "text/plain; charset=us-ascii", "7bit"
    )


def _long_lines(number: int, random: Random) -> bytes:
    head = _head(
        number, random, ("Build", "build@ci.example"), "Nightly report", "text/plain; charset=us-ascii", "7bit"
    )
    lines = [" ".join(random.choice(_SENTENCES) for _ in range(length)) for length in (40, 3, 120)]
    return head + b"".join(f"{line}\r\n".encode() for line in lines)


def _forwarded(number: int, random: Random) -> bytes:
    message = _base(number, random, random.choice(_PEOPLE), "Fwd: Your parcel")
    message.set_content("See below - is that yours?\n")
    inner = _base(number + 500, random, ("Parcel Post", "no-reply@parcel.example"), "Your parcel")
    inner.set_content("It is at your neighbour's.\n")
    message.add_attachment(inner)
    return _finished(message, number)


def _head(number: int, random: Random, sender: tuple[str, str], subject: str, content: str, encoding: str) -> bytes:
    message = _base(number, random, sender, subject)
    message["Content-Type"] = content
    message["Content-Transfer-Encoding"] = encoding
    return message.as_bytes().rstrip(b"\r\n") + b"\r\n\r\n"


def _pdf(text: str) -> bytes:
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
            b" /Resources << /Font << /F1 5 0 R >> >> >>"
        ),
    ]
    stream = f"BT /F1 18 Tf 72 760 Td ({text}) Tj ET".encode("latin-1")
    objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    document = bytearray(b"%PDF-1.4\n")
    offsets = []
    for index, content in enumerate(objects, 1):
        offsets.append(len(document))
        document += b"%d 0 obj\n%s\nendobj\n" % (index, content)
    start = len(document)
    document += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    document += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    document += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(document)


def _png(side: int, random: Random) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    def rows() -> Iterator[bytes]:
        for _ in range(side):
            yield b"\0" + random.randbytes(side * 3)

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"".join(rows())))
        + chunk(b"IEND", b"")
    )


_KINDS: tuple[Callable[[int, Random], bytes], ...] = (
    _plain,
    _alternatives,
    _list_post,
    _invoice,
    _vietnamese,
    _order,
    _japanese,
    _picture,
    _eight_bit,
    _empty,
    _long_lines,
    _forwarded,
)
