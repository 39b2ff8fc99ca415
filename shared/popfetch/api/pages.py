"""Answers that are pages for people: what they are served with, and how they are described."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from popfetch.notices.page import CONTENT_SECURITY_POLICY

HTML = "text/html"

_FOR_ANY_PAGE = {
    # the address of a page may hold what its link is worth
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


def page(status: HTTPStatus, html: str) -> Response[str]:
    """A page that is kept nowhere, framed by nobody, and loads nothing."""
    return html_answer(
        status,
        html,
        {
            "Cache-Control": "no-store",
            "Content-Security-Policy": CONTENT_SECURITY_POLICY,
            "X-Frame-Options": "DENY",
        },
    )


def html_answer(status: HTTPStatus, html: str, headers: Mapping[str, str]) -> Response[str]:
    """HTML with headers of its own beside those of any page."""
    return Response(
        status_code=status.value,
        content_type=f"{HTML}; charset=utf-8",
        headers={**_FOR_ANY_PAGE, **headers},
        body=html,
    )


def html_of(status: HTTPStatus, description: str) -> dict[int, Any]:
    """What a route answers, for its description."""
    return {status.value: {"description": description, "content": {HTML: {"schema": {"type": "string"}}}}}
