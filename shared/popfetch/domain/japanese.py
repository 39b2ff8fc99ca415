"""Japanese as Windows writes it: with signs that ISO-2022-JP and EUC-JP do not have.

Circled numbers, Roman numerals and forms of names are in rows that only Shift_JIS as Windows has it (cp932) can read;
its octets are those of the other two in another arrangement (JIS X 0208).
"""

import re

SHIFT = re.compile(rb"\x1b\$[@B]")
"""What begins Japanese in ISO-2022-JP (RFC 1468), and stands in no other text."""

_ESCAPE = re.compile(rb"\x1b(\$[@B]|\([A-Z])")
_TWO_SIGNS = re.compile(rb"[\x21-\x7e]{2}")
_EXTENDED = re.compile(rb"\x8e([\xa1-\xdf])|[\xa1-\xfe]{2}")
_HALF_WIDTH = bytes(sign | 0x80 if 0x21 <= sign <= 0x5F else sign for sign in range(256))


def from_shifted(octets: bytes) -> bytes:
    """ISO-2022-JP as Shift_JIS; what is behind an escape that is not known stays as it is."""
    pieces: list[bytes] = []
    end, form = 0, b"(B"
    for escape in _ESCAPE.finditer(octets):
        pieces.append(_out_of(form, octets[end : escape.start()]))
        end, form = escape.end(), escape[1]
    return b"".join([*pieces, _out_of(form, octets[end:])])


def from_extended(octets: bytes) -> bytes:
    """EUC-JP as Shift_JIS."""
    return _EXTENDED.sub(lambda found: found[1] or _pair(found[0][0] & 0x7F, found[0][1] & 0x7F), octets)


def _out_of(form: bytes, octets: bytes) -> bytes:
    match form:
        case b"$B" | b"$@":
            return _TWO_SIGNS.sub(lambda found: _pair(*found[0]), octets)
        case b"(I":
            return octets.translate(_HALF_WIDTH)
        case _:
            return octets


def _pair(row: int, cell: int) -> bytes:
    lead = (row - 0x21) // 2 + 0x81
    trail = cell + (0x1F if cell < 0x60 else 0x20) if row % 2 else cell + 0x7E
    return bytes((lead if lead < 0xA0 else lead + 0x40, trail))
