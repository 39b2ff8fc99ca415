"""The secret that stays with the browser in which a sign-in began, as a cookie.

Each sign-in has a cookie of its own, so that two may be under way at once. It travels with the browser's way back,
which is a top-level navigation from another site, but with no other request from there.
"""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.shared.cookies import Cookie, SameSite

from popfetch.api import cookies
from popfetch.domain.oauth import FLOW_LIFETIME
from popfetch.domain.secret import Secret


def binding_cookie(public_url: str, state: str, browser_secret: Secret) -> Cookie:
    """The cookie that a sign-in begins with."""
    return cookies.secret_cookie(public_url, _name(public_url, state), browser_secret, FLOW_LIFETIME, SameSite.LAX_MODE)


def removed_cookie(public_url: str, state: str) -> Cookie:
    """The same cookie, taken away."""
    return cookies.removed_cookie(public_url, _name(public_url, state), SameSite.LAX_MODE)


def browser_secret_of(event: Mapping[str, Any], public_url: str, state: str) -> str:
    """What the browser of a request has of a sign-in; empty where it has nothing."""
    return cookies.cookie_of(event, _name(public_url, state))


def _name(public_url: str, state: str) -> str:
    # by a hash, for the state itself is in addresses that others may see
    return cookies.cookie_name(public_url, "consent", state)
