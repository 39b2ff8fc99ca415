"""Entity tags: an account's version, as HTTP carries it (RFC 9110, sections 8.8.3 and 13.1.1)."""

import re
from collections.abc import Collection
from http import HTTPStatus

from popfetch.api.errors import BadRequest

_TAG = r'(W/)?"[\x21\x23-\x7e\x80-\xff]*"'
TAGS = rf"^(\*|{_TAG}( *, *{_TAG})*)$"
"""What ``If-Match`` may hold: any, or a list of entity tags."""

_TAGS = re.compile(TAGS)
_VERSION = re.compile(r'(?<!W/)"(\d{1,15})"')


def etag_of(version: int) -> str:
    """The tag of a version."""
    return f'"{version}"'


def versions_of(if_match: str) -> Collection[int] | None:
    """The versions that ``If-Match`` names, one of which must be the present one; ``None`` where any will do.

    A weak tag never matches, nor does one that is no version. Raises BadRequest for what is no list of tags.
    """
    if not _TAGS.fullmatch(if_match.strip()):
        raise BadRequest(
            HTTPStatus.BAD_REQUEST, "malformed_header", 'If-Match must be * or entity tags such as "3", in quotes.'
        )
    return None if if_match.strip() == "*" else frozenset(map(int, _VERSION.findall(if_match)))
