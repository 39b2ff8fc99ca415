"""Octets out of the encodings that carry them through mail (RFC 2045, section 6), however badly they were applied."""

from binascii import Error, a2b_base64, a2b_qp

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_IN_ALPHABET = bytes(sorted(set(range(256)) - set(_ALPHABET)))


def transferred(octets: bytes | memoryview, encoding: str) -> bytes:
    """The octets that were meant; an encoding that is not known is taken for none."""
    match encoding:
        case "base64":
            return from_base64(octets)
        case "quoted-printable":
            return a2b_qp(octets)
        case _:
            return bytes(octets)


def from_base64(octets: bytes | memoryview) -> bytes:
    """Whatever of base64 can be read: what is not of its alphabet is passed over, and padding is made up."""
    try:
        return a2b_base64(octets)
    except Error:
        letters = bytes(octets).translate(None, _NOT_IN_ALPHABET)
        usable = letters if len(letters) % 4 != 1 else letters[:-1]
        return a2b_base64(usable + b"=" * (-len(usable) % 4))
