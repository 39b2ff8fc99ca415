"""Names for files that came by mail: whatever a sender wrote, a name that is only a name on every system.

No path, no control or direction character, nothing that a system keeps for itself; its extension stays, as it says what
opens the file.
"""

import re
import unicodedata
from urllib.parse import quote

from popfetch.domain.marks import without_marks

LONGEST_NAME = 150
_LONGEST_EXTENSION = 20

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_NOT_IN_NAMES = re.compile(r'[<>:"|?*]')
_SPACES = re.compile(r"\s+")
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)

_EXTENSIONS = {
    "application/gzip": "gz",
    "application/json": "json",
    "application/msword": "doc",
    "application/octet-stream": "bin",
    "application/pdf": "pdf",
    "application/pgp-encrypted": "asc",
    "application/pgp-keys": "asc",
    "application/pgp-signature": "asc",
    "application/pkcs7-mime": "p7m",
    "application/pkcs7-signature": "p7s",
    "application/rtf": "rtf",
    "application/vnd.ms-excel": "xls",
    "application/vnd.ms-powerpoint": "ppt",
    "application/vnd.ms-tnef": "dat",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/xml": "xml",
    "application/zip": "zip",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "image/bmp": "bmp",
    "image/gif": "gif",
    "image/heic": "heic",
    "image/jpeg": "jpg",
    "image/jpg": "jpg",
    "image/png": "png",
    "image/svg+xml": "svg",
    "image/tiff": "tif",
    "image/webp": "webp",
    "message/delivery-status": "txt",
    "message/disposition-notification": "txt",
    "message/global": "eml",
    "message/partial": "eml",
    "message/rfc822": "eml",
    "text/calendar": "ics",
    "text/css": "css",
    "text/csv": "csv",
    "text/html": "html",
    "text/markdown": "md",
    "text/plain": "txt",
    "text/rfc822-headers": "txt",
    "text/vcard": "vcf",
    "text/x-amp-html": "html",
    "text/x-vcard": "vcf",
    "text/xml": "xml",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
}


def file_name(written: str, content_type: str, otherwise: str = "attachment") -> str:
    """A name for a file that a sender has named so; where it has no name, one with the type's extension is made."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", written[:2000]))[-1]
    visible = "".join(character if unicodedata.category(character) not in _INVISIBLE else " " for character in last)
    name = _SPACES.sub(" ", _NOT_IN_NAMES.sub("_", visible)).strip(". ")
    if not name:
        return f"{otherwise}.{_EXTENSIONS.get(content_type, 'bin')}"
    return _shortened(f"_{name}" if _DEVICES.fullmatch(name) else name)


def message_file_name(subject: str, otherwise: str = "message") -> str:
    """The name of a whole message as a file."""
    name = file_name(re.sub(r"[/\\]", "-", subject), "message/rfc822", otherwise)
    return name if name.endswith(".eml") else f"{name[: LONGEST_NAME - 4].rstrip('. ')}.eml"


def _shortened(name: str) -> str:
    if len(name) <= LONGEST_NAME:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > _LONGEST_EXTENSION:
        return name[:LONGEST_NAME].rstrip(". ")
    return f"{stem[: LONGEST_NAME - len(extension) - 1].rstrip('. ')}.{extension}"


def as_attachment(name: str) -> str:
    """The Content-Disposition by which a browser keeps a file under this name (RFC 6266, RFC 8187)."""
    plain = "".join(
        character if character.isascii() and (character.isalnum() or character in " ._-()") else "_"
        for character in without_marks(name)
    )
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
