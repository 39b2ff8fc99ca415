"""The refresh token of a session, as a cookie: it goes to the API that gave it, from its own pages, and nowhere else.

No other site's request carries it (SameSite=Strict), not even a link that leads here. Its name tells stacks apart that
are reached at one host, for cookies know no ports.
"""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.shared.cookies import Cookie, SameSite

from popfetch.api import cookies
from popfetch.domain.secret import Secret
from popfetch.domain.session import SESSION_LIFETIME


def session_cookie(public_url: str, refresh_token: Secret) -> Cookie:
    """The cookie that keeps an owner signed in."""
    return cookies.secret_cookie(public_url, _name(public_url), refresh_token, SESSION_LIFETIME, SameSite.STRICT_MODE)


def removed_session_cookie(public_url: str) -> Cookie:
    """The same cookie, taken away."""
    return cookies.removed_cookie(public_url, _name(public_url), SameSite.STRICT_MODE)


def refresh_token_of(event: Mapping[str, Any], public_url: str) -> Secret | None:
    """The refresh token that a request's browser has; ``None`` where it has none."""
    value = cookies.cookie_of(event, _name(public_url))
    return Secret(value) if value else None


def _name(public_url: str) -> str:
    return cookies.cookie_name(public_url, "session", public_url)
