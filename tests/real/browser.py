"""Debian's Chromium, headless, as a person's browser; it reaches this machine's loopback and nothing else.

Playwright drives it, in the form that refuses to run inside an event loop: tests that use it are plain functions. What
a person does at the provider's pages is here too; the redirect back to the client is followed::

    with Browser() as browser:
        page = browser.page()                # nobody is signed in
        page.goto(url)
        allow(page, "anna")                  # the provider's pages, one after the other
        assert page.url.startswith(callback)
"""

import ctypes
from pathlib import Path
from types import TracebackType
from typing import Self

from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Page, Playwright, sync_playwright

_BINARY = Path("/usr/bin/chromium")
_MILLISECONDS = 20_000
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # names of elsewhere are not even looked up
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)


def missing() -> str | None:
    """Why there is no browser here; ``None`` where there is one."""
    if not _BINARY.exists():
        return "chromium is not installed"
    try:
        ctypes.CDLL("libatomic.so.1")
    except OSError:
        return "libatomic is not installed, which playwright needs"
    return None


class Browser:
    """A running Chromium; use it as a context manager.

    It takes every certificate: the authorities of the test servers are new each time.
    """

    def __init__(self) -> None:
        self._playwright: Playwright | None = None
        self._chromium: Chromium | None = None

    def __enter__(self) -> Self:
        self._playwright = sync_playwright().start()
        try:
            self._chromium = self._playwright.chromium.launch(executable_path=_BINARY, args=_ARGUMENTS)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and self._chromium is not None:
            for page in (page for context in self._chromium.contexts for page in context.pages):
                error.add_note(f"the browser shows {page.url}")
        self._stop()

    def page(self) -> Page:
        """A page of a fresh context: no cookies, nobody signed in anywhere."""
        assert self._chromium is not None
        context: BrowserContext = self._chromium.new_context(ignore_https_errors=True)
        context.set_default_timeout(_MILLISECONDS)
        return context.new_page()

    def _stop(self) -> None:
        if self._chromium is not None:
            self._chromium.close()
        if self._playwright is not None:
            self._playwright.stop()


def allow(page: Page, user: str) -> None:
    """At the provider: sign in as ``user``, unless that is done, and allow what is asked."""
    _sign_in(page, user)
    page.click("button[value=allow]")


def deny(page: Page, user: str) -> None:
    """At the provider: sign in as ``user``, unless that is done, and allow nothing."""
    _sign_in(page, user)
    page.click("button[value=deny]")


def enter_user_code(page: Page, verification_uri: str, user_code: str) -> None:
    """At the provider: enter the code that a device shows, and say that it is the right one."""
    page.goto(verification_uri)
    page.fill("input[name=user_code]", user_code)
    page.click("button[value=continue]")
    page.click("button[value=confirm]")


def _sign_in(page: Page, user: str) -> None:
    page.wait_for_selector("body[data-page=login], body[data-page=consent]")
    if page.locator("body[data-page=login]").count():
        page.fill("input[name=login]", user)
        page.fill("input[name=password]", "any will do")
        page.click("button[value=sign-in]")
