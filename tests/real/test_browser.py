"""A person's consent in a real Chromium, at a real provider: where it ends, and what comes along."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.real.browser import Browser, allow, deny, enter_user_code
from tests.real.oidc_provider import OidcProvider
from tests.real.token_client import AuthorizationRequest, device_codes, device_tokens

pytestmark = pytest.mark.real


class _Callback(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Back</title><link rel=icon href='data:,'>")

    def log_message(self, *_: object) -> None:
        """Nothing: the answer is read in the browser."""


@pytest.fixture
def callback() -> Iterator[str]:
    """The address of a page on loopback, as a client's callback."""
    with _served() as port:
        yield f"http://127.0.0.1:{port}/callback"


@contextmanager
def _served() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Callback) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def test_consent_ends_at_the_callback_with_a_code(oidc: OidcProvider, browser: Browser, callback: str) -> None:
    # given
    oidc.set_redirect_uris(callback)
    request = AuthorizationRequest(oidc, redirect_uri=callback)
    page = browser.page()

    # when
    page.goto(request.url)
    allow(page, "anna")

    # then it has state and issuer too, which ``redeem`` looks at
    page.wait_for_url(re.compile(re.escape(callback)))
    assert page.title() == "Back"
    assert request.redeem(page.url).scope == "mail.pop mail.smtp offline_access"


def test_whoever_is_signed_in_already_is_asked_for_consent_alone(
    oidc: OidcProvider, browser: Browser, callback: str
) -> None:
    # given
    oidc.set_redirect_uris(callback)
    page = browser.page()
    page.goto(AuthorizationRequest(oidc, redirect_uri=callback).url)
    allow(page, "anna")
    page.wait_for_url(re.compile(re.escape(callback)))

    # when
    again = AuthorizationRequest(oidc, redirect_uri=callback)
    page.goto(again.url)
    assert page.title() == "Allow access"
    allow(page, "anna")

    # then
    page.wait_for_url(re.compile(re.escape(again.state)))
    assert set(again.answer(page.url)) == {"code"}


def test_a_no_ends_at_the_callback_too(oidc: OidcProvider, browser: Browser, callback: str) -> None:
    # given
    oidc.set_redirect_uris(callback)
    request = AuthorizationRequest(oidc, redirect_uri=callback)
    page = browser.page()

    # when
    page.goto(request.url)
    deny(page, "anna")

    # then
    page.wait_for_url(re.compile(re.escape(callback)))
    assert request.answer(page.url)["error"] == "access_denied"


def test_a_devices_code_is_entered_and_allowed(oidc: OidcProvider, browser: Browser) -> None:
    # given
    codes = device_codes(oidc)
    page = browser.page()

    # when
    enter_user_code(page, codes.verification_uri, codes.user_code)
    allow(page, "anna")

    # then
    page.wait_for_selector("body[data-page=done]")
    assert device_tokens(oidc, codes).refresh_token


def test_the_browser_does_not_leave_this_machine(browser: Browser) -> None:
    page = browser.page()
    with pytest.raises(Exception, match="ERR_NAME_NOT_RESOLVED"):
        page.goto("https://popfetch.example/")
