"""A message on its way behind DATA: whatever is in it, the server gets it back as it was, and sees one end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popfetch.smtp.content import END, has_whole_lines, stuffed

LINES = st.lists(st.one_of(st.sampled_from([b"", b".", b"..", b"...", b".x", b"x", b"x."]), st.binary(max_size=30)))
CONTENTS = LINES.map(lambda lines: b"\r\n".join(line.replace(b"\r", b"").replace(b"\n", b"") for line in lines))


def unstuffed(wire: bytes) -> bytes:
    """What a server makes of it (RFC 5321, section 4.5.2)."""
    return b"\r\n".join(line[1:] if line.startswith(b".") else line for line in wire.split(b"\r\n"))


@given(content=CONTENTS, octets=st.integers(1, 40))
def test_what_arrives_is_what_was_given_wherever_pieces_begin(content: bytes, octets: int) -> None:
    wire = b"".join(stuffed(content, octets))
    ended = content if content.endswith(b"\r\n") else content + b"\r\n"
    assert unstuffed(wire) == ended


@given(content=CONTENTS, octets=st.integers(1, 40))
def test_the_end_stands_at_the_end_alone(content: bytes, octets: int) -> None:
    wire = b"\r\n" + b"".join(stuffed(content, octets)) + END
    assert wire.find(b"\r\n" + END) == len(wire) - len(b"\r\n" + END)


@given(content=CONTENTS, octets=st.integers(2, 40))
def test_pieces_are_small(content: bytes, octets: int) -> None:
    for piece in stuffed(content, octets):
        assert len(piece) <= 2 * octets + 2


@pytest.mark.parametrize(
    ("content", "wire"),
    [
        (b"", b"\r\n"),
        (b".", b"..\r\n"),
        (b".\r\n", b"..\r\n"),
        (b"a\r\n.\r\n", b"a\r\n..\r\n"),
        (b"a\r\n.b\r\n..\r\nc.", b"a\r\n..b\r\n...\r\nc.\r\n"),
        (b"a\r\n", b"a\r\n"),
    ],
)
@pytest.mark.parametrize("octets", [1, 2, 3, 4, 5, 1000])
def test_dots_are_doubled_where_lines_begin(content: bytes, wire: bytes, octets: int) -> None:
    assert b"".join(stuffed(content, octets)) == wire


@pytest.mark.parametrize("content", [b"", b"a", b"a\r\n", b"\r\n\r\n", b"a\r\nb\r\n"])
def test_lines_that_end_with_crlf_are_whole(content: bytes) -> None:
    assert has_whole_lines(content)


@pytest.mark.parametrize(
    "content", [b"a\nb", b"a\rb", b"a\r", b"\n", b"\n\r", b"a\r\r\n", b"a\r\n\n", b"x\n.\nQUIT\r\n"]
)
def test_a_lone_cr_or_lf_is_no_line_end(content: bytes) -> None:
    assert not has_whole_lines(content)
