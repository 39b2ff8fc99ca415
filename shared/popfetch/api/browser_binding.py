"""The secret that stays with the browser in which a sign-in began, as a cookie (RFC 6265).

Each sign-in has a cookie of its own, so that two may be under way at once. Over https its name begins with ``__Host-``,
by which browsers let no other host set it; a script never sees it; and it travels with the browser's way back, which is
a top-level navigation from another site, but with no other request from there.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from aws_lambda_powertools.shared.cookies import Cookie, SameSite

from popfetch.domain.oauth import FLOW_LIFETIME
from popfetch.domain.secret import Secret

_AT_ONCE = -1


def binding_cookie(public_url: str, state: str, browser_secret: Secret) -> Cookie:
    """The cookie that a sign-in begins with."""
    return _cookie(public_url, state, browser_secret.reveal(), int(FLOW_LIFETIME.total_seconds()))


def removed_cookie(public_url: str, state: str) -> Cookie:
    """The same cookie, taken away."""
    return _cookie(public_url, state, "", _AT_ONCE)


def browser_secret_of(event: Mapping[str, Any], public_url: str, state: str) -> str:
    """What the browser of a request has of a sign-in; empty where it has nothing."""
    wanted = _name(public_url, state)
    for header in _cookie_headers(event):
        for pair in header.split(";"):
            name, _, value = pair.strip().partition("=")
            if name == wanted:
                return value
    return ""


def _cookie(public_url: str, state: str, value: str, max_age: int) -> Cookie:
    return Cookie(
        name=_name(public_url, state),
        value=value,
        path="/",
        secure=_is_secure(public_url),
        http_only=True,
        max_age=max_age,
        same_site=SameSite.LAX_MODE,
    )


def _name(public_url: str, state: str) -> str:
    """The cookie's name, by a hash of the state, for the state itself is in addresses that others may see."""
    prefix = "__Host-" if _is_secure(public_url) else ""
    return f"{prefix}popfetch-consent-{sha256(state.encode()).hexdigest()[:16]}"


def _is_secure(public_url: str) -> bool:
    return public_url.startswith("https://")


def _cookie_headers(event: Mapping[str, Any]) -> list[str]:
    headers = {name.lower(): [value] for name, value in (event.get("headers") or {}).items()}
    headers |= {name.lower(): list(values) for name, values in (event.get("multiValueHeaders") or {}).items()}
    return [str(value) for value in headers.get("cookie", []) if value]
