"""Entity tags: an account's version, as HTTP carries it (RFC 9110, sections 8.8.3 and 13.1.1)."""

import re
from collections.abc import Collection, Mapping
from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response

from popfetch.api.account_answers import AccountOut
from popfetch.api.errors import BadRequest
from popfetch.api.resolver import json_answer

_TAG = r'(W/)?"[\x21\x23-\x7e\x80-\xff]*"'
TAGS = rf"^(\*|{_TAG}( *, *{_TAG})*)$"
"""What ``If-Match`` may hold: any, or a list of entity tags."""

_TAGS = re.compile(TAGS)
_VERSION = re.compile(r'(?<!W/)"(\d{1,15})"')


def etag_of(version: int) -> str:
    """The tag of a version."""
    return f'"{version}"'


def tagged(
    account: AccountOut, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response[AccountOut]:
    """An account as an answer, with its version's tag."""
    return json_answer(account, status, {"ETag": etag_of(account.version), **(headers or {})})


def versions_of(if_match: str) -> Collection[int] | None:
    """The versions that ``If-Match`` names, one of which must be the present one; ``None`` where any will do.

    A weak tag never matches, nor does one that is no version. Raises BadRequest for what is no list of tags.
    """
    if not _TAGS.fullmatch(if_match.strip()):
        raise BadRequest(
            HTTPStatus.BAD_REQUEST, "malformed_header", 'If-Match must be * or entity tags such as "3", in quotes.'
        )
    return None if if_match.strip() == "*" else frozenset(map(int, _VERSION.findall(if_match)))
