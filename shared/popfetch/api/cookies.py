"""Cookies that hold what nobody else may have (RFC 6265): which attributes they carry, and how they are read.

Over https a name begins with ``__Host-``, by which browsers let no other host set the cookie; a script never sees it.
"""

from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any

from aws_lambda_powertools.shared.cookies import Cookie, SameSite

from popfetch.domain.secret import Secret

_AT_ONCE = -1


def secret_cookie(public_url: str, name: str, value: Secret, lifetime: timedelta, same_site: SameSite) -> Cookie:
    """A cookie for the API at ``public_url``; ``name`` is one of ``cookie_name``."""
    return _cookie(public_url, name, value.reveal(), int(lifetime.total_seconds()), same_site)


def removed_cookie(public_url: str, name: str, same_site: SameSite) -> Cookie:
    """The same cookie, taken away."""
    return _cookie(public_url, name, "", _AT_ONCE, same_site)


def cookie_name(public_url: str, what: str, told_apart_by: str) -> str:
    """The name of a cookie, by a hash of what tells it from others of its kind: that may be worth something itself."""
    prefix = "__Host-" if is_secure(public_url) else ""
    return f"{prefix}popfetch-{what}-{sha256(told_apart_by.encode()).hexdigest()[:16]}"


def cookie_of(event: Mapping[str, Any], name: str) -> str:
    """What the browser of a request has under a name; empty where it has nothing."""
    for header in _cookie_headers(event):
        for pair in header.split(";"):
            found, _, value = pair.strip().partition("=")
            if found == name:
                return value
    return ""


def is_secure(public_url: str) -> bool:
    """Whether an address is reached by TLS."""
    return public_url.startswith("https://")


def _cookie(public_url: str, name: str, value: str, max_age: int, same_site: SameSite) -> Cookie:
    return Cookie(
        name=name,
        value=value,
        path="/",
        secure=is_secure(public_url),
        http_only=True,
        max_age=max_age,
        same_site=same_site,
    )


def _cookie_headers(event: Mapping[str, Any]) -> list[str]:
    headers = {name.lower(): [value] for name, value in (event.get("headers") or {}).items()}
    headers |= {name.lower(): list(values) for name, values in (event.get("multiValueHeaders") or {}).items()}
    return [str(value) for value in headers.get("cookie", []) if value]
