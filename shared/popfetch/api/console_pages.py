"""What the web app is served with: its page, the files that it loads, and the empty document that it puts mail into."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response

from popfetch.adapters.site_folder import Asset
from popfetch.api.fields import RemoteImages
from popfetch.api.pages import html_answer

YEAR = 31_536_000
HOUR = 3_600

FRAME = (
    "<!doctype html><html><head><meta charset=utf-8><meta name=referrer content=no-referrer><base target=_blank></head>"
    "<body></body></html>"
)
"""A document without anything: the app writes a message's HTML into it, which its policy then holds."""


def app_page(html: str, mail_origins: Sequence[str]) -> Response[str]:
    """The app's page: it runs nothing but its own files, and talks to its own API and to the bucket with the mail."""
    policy = {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'", *mail_origins],
        "manifest-src": ["'self'"],
        "frame-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
    headers = {
        "Cache-Control": "no-cache",
        "Content-Security-Policy": _policy(policy),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "X-Frame-Options": "DENY",
    }
    return html_answer(HTTPStatus.OK, html, headers)


def frame_page(images: RemoteImages) -> Response[str]:
    """The document for a message: no scripts, forms or fonts, and images from elsewhere only where they are wanted."""
    policy = {
        "default-src": ["'none'"],
        "style-src": ["'unsafe-inline'"],
        "img-src": ["data:", "https:", "http:"] if images is RemoteImages.SHOWN else ["data:"],
        "font-src": ["'none'"],
        "form-action": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'self'"],
        "sandbox": ["allow-same-origin", "allow-popups", "allow-popups-to-escape-sandbox"],
    }
    headers = {
        "Cache-Control": f"private, max-age={HOUR}",
        "Content-Security-Policy": _policy(policy),
        "X-Frame-Options": "SAMEORIGIN",
    }
    return html_answer(HTTPStatus.OK, FRAME, headers)


def asset_answer(asset: Asset) -> Response[str]:
    """A file of the app, which a browser may keep: another content has another name."""
    answered = Response(
        status_code=HTTPStatus.OK.value,
        content_type=asset.content_type,
        headers={"Cache-Control": f"public, max-age={YEAR}, immutable", "X-Content-Type-Options": "nosniff"},
        body=b64encode(asset.content).decode() if isinstance(asset.content, bytes) else asset.content,
    )
    answered.base64_encoded = isinstance(asset.content, bytes)
    return answered


def _policy(directives: Mapping[str, Sequence[str]]) -> str:
    return "; ".join(f"{name} {' '.join(values)}" for name, values in directives.items())
