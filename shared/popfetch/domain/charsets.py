"""Octets of mail as text, whatever charset they say they are in, and whether that was true.

Only charsets of text are looked up: among Python's codecs are some that transform, and one that takes a minute for a
megabyte. A charset that is not known is guessed as other mail programs do: UTF-8 where the octets are that, else
Windows-1252, which has a sign for nearly everything.
"""

import codecs
import re

from popfetch.domain.japanese import SHIFT, from_extended, from_shifted

_TRANSFORMING = frozenset(
    {"idna", "mbcs", "oem", "punycode", "raw-unicode-escape", "unicode-escape", "undefined", "raw_unicode_escape"}
)
_OTHER_NAMES = {
    # what mail says, and what it means: mostly the larger charset of which the one that is named is a part
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "iso_8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "iso-8859-9": "cp1254",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "iso-8859-6-i": "iso8859-6",
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "ksc5601": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "sjis": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "cp50220": "iso2022_jp_ext",
    "cp50221": "iso2022_jp_ext",
    "cp50222": "iso2022_jp_ext",
    "x-euc-jp": "euc_jp",
    "eucjp-ms": "euc_jp",
    "cp51932": "euc_jp",
    "big5": "cp950",
    "windows-874": "cp874",
    "unicode-1-1-utf-7": "utf-7",
    "unicode-1-1-utf-8": "utf-8",
    "utf8mb4": "utf-8",
}
_AS_SHIFT_JIS = {"iso2022_jp_ext": from_shifted, "euc_jp": from_extended}
_UNKNOWN = frozenset({"", "us-ascii", "ascii", "ansi_x3.4-1968", "default", "unknown", "unknown-8bit", "x-unknown"})
_FALLBACK = "cp1252"
_HALVES = re.compile("[\ud800-\udfff]")
_REPLACEMENT = "\ufffd"


def decoded(octets: bytes, charset: str = "", *, whole: bool = True) -> tuple[str, bool]:
    """The text, and whether every octet of it could be read; never fails.

    Where the octets are only the beginning of a text (not ``whole``), a character that is cut at their end is left out.
    """
    if not charset and octets.isascii() and not SHIFT.search(octets):
        return octets.decode("ascii"), True
    codec = _codec(charset)
    if codec is None and SHIFT.search(octets):
        codec = "iso2022_jp_ext"
    if codec is None:
        text, exact = _read(octets, "utf-8", whole=whole)
        # us-ascii that is neither that nor UTF-8 has said something wrong, but is read as it was most likely meant
        return (text, exact) if exact else (_read(octets, _FALLBACK, whole=whole)[0], not charset)
    return _read(octets, codec, whole=whole)


def guessed(octets: bytes) -> str:
    """The text of octets that say nothing of their charset."""
    return decoded(octets)[0]


def _codec(charset: str) -> str | None:
    """The codec of a charset; ``None`` where it has to be guessed."""
    name = charset.strip().strip("'\"").lower()
    if name in _UNKNOWN or len(name) > 60 or not name.isascii() or "\0" in name:
        return None
    name = _OTHER_NAMES.get(name, name)
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    is_text = getattr(found, "_is_text_encoding", False)
    return found.name if is_text and found.name not in _TRANSFORMING else None


def _read(octets: bytes, codec: str, *, whole: bool) -> tuple[str, bool]:
    try:
        text = codecs.getincrementaldecoder(codec)("strict").decode(octets, whole)
        exact = True
    except (UnicodeError, ValueError):
        if codec in _AS_SHIFT_JIS:
            return _read(_AS_SHIFT_JIS[codec](octets), "cp932", whole=whole)
        text = octets.decode(codec, "replace")
        exact = False
    return (_HALVES.sub(_REPLACEMENT, text), exact)
