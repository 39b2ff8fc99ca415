"""Cursors of pages: a position as opaque text. Whoever reads one back checks what it says."""

import base64
import binascii

from popfetch.domain.errors import InvalidCursor


def to_cursor(position: str) -> str:
    """The cursor of a position."""
    return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")


def from_cursor(cursor: str) -> str:
    """The position of a cursor, which may be anything. Raises InvalidCursor."""
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (ValueError, binascii.Error) as error:
        raise InvalidCursor from error
