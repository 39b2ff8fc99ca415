"""The web console in a real Chromium, used as a person does: by what is written on it.

Whatever a page does that it must not is kept, and is told at the end: a script that was not popfetch's, a request that
went elsewhere, an error of its own, a dialog that nobody asked for.
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Dialog, FrameLocator, Locator, Page, Request, expect

from infra.web import SOURCES
from tests.flow.conftest import LocalStack
from tests.real.browser import Browser

AXE = SOURCES / "node_modules" / "axe-core" / "axe.min.js"
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_PATIENCE_MS = 60_000
"""The engine starts a function in seconds, and one after the other."""

_PICTURES = os.environ.get("POPFETCH_SCREENSHOTS", "")
"""A folder that pictures of the pages are kept in, for people to look at; none are kept where it is not named."""

_WITHIN_THE_PAGE = ("data:", "blob:", "about:")
_EXPECTED = re.compile(r"the server responded with a status of 4\d\d")
"""What the browser itself says of an answer that the page has asked for and deals with."""

_NOBODY_THERE = "net::ERR_NAME_NOT_RESOLVED"
"""What it says of an address elsewhere, as it looks up no names."""

_NO_NETWORK = "net::ERR_INTERNET_DISCONNECTED"


class Console:
    """The console at a stack, in a browser of its own, which may go to the addresses of ``leads_to`` besides."""

    def __init__(
        self, browser: Browser, stack: LocalStack, *, language: str = "en", leads_to: Sequence[str] = ()
    ) -> None:
        self.stack = stack
        self._homes = {urlsplit(address).netloc for address in (self.url, *leads_to)}
        self.page: Page = browser.page()
        self.page.set_default_timeout(_PATIENCE_MS)
        expect.set_options(timeout=_PATIENCE_MS)
        self.misdeeds: list[str] = []
        self.images_wanted = False
        """Whether images from elsewhere were asked for; those that are then asked for are in ``images``."""
        self.images: list[str] = []
        self._is_offline = False
        self._leaves = False
        self.page.add_init_script(
            f"localStorage.getItem('popfetch.language') ?? localStorage.setItem('popfetch.language', '{language}')"
        )
        self.page.on("request", self._look_at_request)
        self.page.on("console", self._look_at_message)
        self.page.on("pageerror", lambda error: self.misdeeds.append(f"error: {error}"))
        self.page.on("dialog", self._look_at_dialog)

    @property
    def url(self) -> str:
        return self.stack.outputs["ConsoleUrl"]

    # --- Going about ------------------------------------------------------------------------------------------

    def open(self, place: str = "/mail") -> None:
        """Open a place of the console by its address."""
        self.page.goto(f"{self.url}#{place}")

    def sign_in(self) -> None:
        """Open the console, and sign in as the stack's owner."""
        self.page.goto(self.url)
        self.sign_in_here()

    def sign_in_here(self) -> None:
        """Sign in as the stack's owner where the console asks for it."""
        self.enter_password(self.stack.owner.password)
        expect(self.page.get_by_role("link", name="Settings")).to_be_visible()

    def enter_password(self, password: str) -> None:
        self.page.get_by_label("E-mail address").fill(self.stack.owner.email)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.page.get_by_role("button", name="Sign in").click()

    def main(self) -> Locator:
        return self.page.get_by_role("main")

    def button(self, name: str | re.Pattern[str]) -> Locator:
        return self.page.get_by_role("button", name=name)

    def choose(self, name: str) -> None:
        """Click the button of this very name."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def rows(self) -> Locator:
        """The messages of the list that are drawn."""
        return self.page.locator("[data-message]")

    def open_message(self, subject: str) -> None:
        """Open the first message of the list with this in its row."""
        self.rows().filter(has_text=subject).first.click()
        expect(self.heading(subject)).to_be_visible()

    def heading(self, text: str) -> Locator:
        return self.page.get_by_role("heading", name=text)

    def letter(self) -> FrameLocator:
        """The frame that holds the HTML of the message that is read."""
        return self.page.frame_locator("iframe")

    def downloaded(self, begin: Callable[[], None]) -> tuple[str, bytes]:
        """Name and octets of the file that is downloaded by ``begin``."""
        with self.page.expect_download() as download:
            begin()
        return download.value.suggested_filename, Path(download.value.path()).read_bytes()

    def told(self, text: str | re.Pattern[str]) -> None:
        """Wait for a notice, and dismiss it."""
        notice = self.page.get_by_role("status").get_by_text(text)
        expect(notice.first).to_be_visible()

    def reload_all_the_same(self) -> None:
        """Load the page anew, though the browser asks first as something would be lost by it."""
        self._leaves = True
        try:
            self.page.reload()
        finally:
            self._leaves = False

    @contextmanager
    def offline(self) -> Iterator[None]:
        """Without a network meanwhile, as the browser knows."""
        self._is_offline = True
        self.page.context.set_offline(True)
        try:
            yield
        finally:
            self.page.context.set_offline(False)
            self._is_offline = False

    # --- Looking at it ----------------------------------------------------------------------------------------

    def picture(self, name: str) -> None:
        """Keep a picture, where somebody wants to look at it."""
        if _PICTURES:
            Path(_PICTURES).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=str(Path(_PICTURES) / f"{name}.png"))

    def appear(self, language: str, theme: str, width: int, height: int) -> None:
        """Show everything in this language and theme, on a screen of this size."""
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.evaluate(
            "([language, theme]) => { localStorage.setItem('popfetch.language', language);"
            " localStorage.setItem('popfetch.theme', theme); }",
            [language, theme],
        )

    def barriers(self) -> list[str]:
        """What axe-core finds that keeps somebody out, by its rules for WCAG 2.2 AA."""
        self.page.evaluate(AXE.read_text())
        found: dict[str, Any] = self.page.evaluate(
            "tags => axe.run(document, { runOnly: { type: 'tag', values: tags }, iframes: false })", _TAGS
        )
        return [
            f"{violation['id']}: {node['html'][:160]}"
            for violation in found["violations"]
            for node in violation["nodes"]
        ]

    def overflow(self) -> int:
        """How many pixels the page is wider than the screen."""
        width: int = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return width

    # --- What it must not do ----------------------------------------------------------------------------------

    def _look_at_request(self, request: Request) -> None:
        if request.url.startswith(_WITHIN_THE_PAGE) or urlsplit(request.url).netloc in self._homes:
            return
        if self.images_wanted and request.resource_type == "image":
            self.images.append(request.url)
        else:
            self.misdeeds.append(f"request: {request.url[:200]}")

    def _look_at_dialog(self, dialog: Dialog) -> None:
        if self._leaves and dialog.type == "beforeunload":
            dialog.accept()
            return
        self.misdeeds.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _look_at_message(self, message: ConsoleMessage) -> None:
        if message.type != "error" or (self.images_wanted and _NOBODY_THERE in message.text):
            return
        if self._is_offline and _NO_NETWORK in message.text:
            return
        if not _EXPECTED.search(message.text):
            self.misdeeds.append(f"console: {message.text[:300]}")
