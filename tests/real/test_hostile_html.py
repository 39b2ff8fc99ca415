"""HTML that was made harmless, in a real browser without any sandbox or policy: nothing happens all the same."""

import pytest
from playwright.sync_api import Dialog, Page, Request

from popfetch.adapters.sanitised_html import sanitised
from tests.builders.hostile_html import VECTORS
from tests.builders.hostile_mail import HOSTILE_HTML
from tests.real.browser import Browser

pytestmark = pytest.mark.real

DOCUMENT = "<!doctype html><html><head></head><body>{}</body></html>"


class Watched:
    """A page, and whatever it does that a message must not do."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._did: list[str] = []
        page.on("request", self._loads)
        page.on("dialog", self._asks)
        page.on("popup", lambda popup: self._did.append(f"popup {popup.url}"))

    def _loads(self, request: Request) -> None:
        if not request.url.startswith(("data:", "about:")):
            self._did.append(f"{request.resource_type} {request.url}")

    def _asks(self, dialog: Dialog) -> None:
        self._did.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def shows(self, html: str) -> list[str]:
        """What the page does with a document: as one of its own, and put into another as text."""
        self._did.clear()
        self._page.set_content(DOCUMENT.format(html))
        self._wait()
        self._page.set_content(DOCUMENT.format("<div id=here></div>"))
        self._page.evaluate("html => { document.getElementById('here').innerHTML = html }", html)
        self._wait()
        return list(self._did)

    def _wait(self) -> None:
        self._page.evaluate("() => document.querySelectorAll('*').forEach(one => one.focus && one.focus())")
        # What a document begins is begun once it was drawn.
        self._page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.fixture
def watched(browser: Browser) -> Watched:
    return Watched(browser.page())


def test_the_browser_would_do_it(watched: Watched) -> None:
    assert "dialog 1" in watched.shows("<img src=x onerror=alert(1)>")
    assert any("evil.example" in did for did in watched.shows("<p style='background:url(https://evil.example)'>x"))


def test_nothing_runs_asks_or_loads(watched: Watched) -> None:
    did = {}
    for vector in [*VECTORS, HOSTILE_HTML, "".join(VECTORS)]:
        html = sanitised(vector, {}, remote_images=False).html
        if found := watched.shows(html):
            did[vector] = (html, found)
    assert did == {}


def test_nothing_but_images_is_loaded_where_those_are_wanted(watched: Watched) -> None:
    for vector in [*VECTORS, HOSTILE_HTML]:
        html = sanitised(vector, {}, remote_images=True).html
        assert all(did.startswith("image https://evil.example") for did in watched.shows(html)), html
