"""Answers that are pages for people: what they are served with, and how they are described."""

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from popfetch.notices.page import CONTENT_SECURITY_POLICY

HTML = "text/html"

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    # the address of a page holds what its link is worth
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}


def page(status: HTTPStatus, html: str) -> Response[str]:
    """A page that is kept nowhere, framed by nobody, and loads nothing."""
    return Response(status_code=status.value, content_type=f"{HTML}; charset=utf-8", headers=_HEADERS, body=html)


def html_of(status: HTTPStatus, description: str) -> dict[int, Any]:
    """What a route answers, for its description."""
    return {status.value: {"description": description, "content": {HTML: {"schema": {"type": "string"}}}}}
