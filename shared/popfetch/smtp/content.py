"""A message as it goes over the line behind DATA: whole lines, dots doubled, in pieces (RFC 5321, section 4.5.2)."""

from collections.abc import Iterator

PIECE_OCTETS = 64 * 1024
"""How much of a message is copied at a time."""

END = b".\r\n"
"""The line that ends a message; what comes before it ends with CRLF already."""


def has_whole_lines(content: bytes) -> bool:
    """Whether CR and LF stand nowhere but together, as RFC 5321 demands (section 2.3.8).

    Servers do not agree on what a lone one is. One that takes it for a line end sees the end of the message where
    there is none, and commands in what comes after it.
    """
    lines = content.count(b"\r\n")
    return content.count(b"\r") == lines and content.count(b"\n") == lines


def stuffed(content: bytes, octets: int = PIECE_OCTETS) -> Iterator[bytes]:
    """The lines of ``content`` with another dot before each that begins with one, without ``END``.

    Pieces have about ``octets`` of it each. The last line is ended where it is not.
    """
    at = 0
    while at < len(content):
        end = at + octets
        # No border between CR and LF: each piece can tell by itself where its lines begin.
        if content[end - 1 : end + 1] == b"\r\n":
            end += 1
        piece = content[at:end]
        begins = at == 0 or content[at - 2 : at] == b"\r\n"
        if begins and piece.startswith(b"."):
            piece = b"." + piece
        yield piece.replace(b"\r\n.", b"\r\n..")
        at = end
    if not content.endswith(b"\r\n"):
        yield b"\r\n"
