"""Mail that is made to hurt its reader, in the console: each is found, opened and taken away, and none does anything.

Three things stand between a message and its reader: its HTML is made harmless at the server, the frame that shows it
has a policy, and a sandbox. The last tests here take two of them away at a time.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from popfetch.domain.message import StoredMessage
from tests.builders.hostile_html import VECTORS
from tests.builders.hostile_mail import BOMBS, BROKEN, FIELDS, FILES, HOSTILE_HTML, html_mail
from tests.real.console import Console
from tests.real.stored_mailbox import StoredMailbox

SECONDS = 300
pytestmark = pytest.mark.real

CANARY = "alert(top.pwned=1)"
"""What every vector runs, if it runs."""

ARMED = [vector.replace("alert(1)", CANARY) for vector in [*VECTORS, HOSTILE_HTML]]
MESSAGES = 10
"""So many messages have all vectors; each vector alone is tried in ``test_hostile_html``."""

WITH_TEXT = (
    "From: Bert <bert@example.org>\r\nSubject: Both\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n"
    "--b\r\n\r\nAs text: {0}\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{0}\r\n--b--\r\n"
)

SANDBOX = "allow-same-origin allow-popups allow-popups-to-escape-sandbox"
"""What the console's frame may."""


@pytest.fixture(autouse=True)
def _own_misdeeds(console: Console) -> None:
    console.misdeeds.clear()


class Reader:
    """Somebody who reads one mailbox from its newest message to its oldest."""

    def __init__(self, console: Console, mailbox: StoredMailbox) -> None:
        self._console = console
        self._page = console.page
        self._mailbox = mailbox
        self._message = console.page.get_by_role("article", name="Message")

    def reads(self, messages: Iterable[StoredMessage], look: Callable[[StoredMessage], None]) -> None:
        """Open the newest in the list and go on to each older one; ``look`` at each."""
        self._console.open(self._mailbox.place)
        order = sorted(messages, key=lambda message: message.message_id, reverse=True)
        for number, message in enumerate(order):
            row = self._page.locator(f'[data-message="{message.message_id}"]')
            if number:
                self._console.choose("Older message")
            else:
                row.click()
            expect(row).to_have_attribute("aria-current", "true")
            expect(row).to_be_in_viewport()

            look(message)

    def shown(self) -> str:
        """What the pane shows: the beginning of the text. Fails where it shows nothing, or an error."""
        expect(self._message.get_by_role("heading", level=2)).not_to_be_empty()
        assert self._page.get_by_text("Something failed on this page").count() == 0
        assert self._message.get_by_role("alert").count() == 0
        if not self._message.locator("iframe").count():
            return self._message.inner_text()[:1_000]
        body = self._console.letter().locator("body")
        body.wait_for(state="attached")
        box = self._message.locator("iframe").bounding_box()
        assert box
        assert box["height"] >= 80
        return body.inner_text()[:1_000]

    def as_text(self) -> None:
        """Show the plain text, and the other again."""
        for shape in ("Plain text", "Formatted"):
            self._message.get_by_role("radio", name=shape).check()
            self.shown()

    def with_images(self) -> None:
        """Ask for the images, where there are some."""
        button = self._message.get_by_role("button", name="Show the images")
        if button.count():
            button.click()
            expect(self._message.get_by_text("Remote images are shown")).to_be_visible()
            expect(self._message.locator("iframe")).to_have_attribute("src", re.compile("images=shown"))
            self.shown()

    def is_pwned(self) -> bool:
        """Whether a script has left something behind."""
        return bool(self._page.evaluate("'pwned' in window"))


def at_peace(console: Console, reader: Reader) -> None:
    """Nothing has run, nothing was asked for, nothing has failed."""
    console.page.wait_for_timeout(50)
    assert not reader.is_pwned()
    assert console.misdeeds == []


def read_and_take_away(console: Console, mailbox: StoredMailbox, contents: Sequence[bytes]) -> None:
    """Store messages and read each: shown, downloaded octet for octet."""
    stored = mailbox.store(contents)
    octets = {message.message_id: content for message, content in zip(stored, contents, strict=True)}
    assert len(octets) == len(contents)
    reader = Reader(console, mailbox)

    def look(message: StoredMessage) -> None:
        reader.shown()
        name, content = console.downloaded(lambda: console.choose("Download (.eml)"))
        assert name.endswith(".eml")
        assert content == octets[message.message_id]
        at_peace(console, reader)

    reader.reads(stored, look)


@pytest.mark.parametrize("kind", ["broken", "fields"])
def test_what_is_malformed_is_shown_and_taken_away_as_it_is(console: Console, kind: str) -> None:
    contents = {"broken": BROKEN, "fields": FIELDS}[kind]
    read_and_take_away(console, StoredMailbox(console.stack, kind), list(contents.values()))


def test_what_is_made_to_take_time_and_memory_is_shown_and_taken_away(console: Console) -> None:
    read_and_take_away(console, StoredMailbox(console.stack, "bombs"), [bomb() for bomb in BOMBS.values()])


def test_a_file_leads_nowhere_whatever_it_is_called_and_whatever_it_is(console: Console) -> None:
    # given
    mailbox = StoredMailbox(console.stack, "files")
    stored = mailbox.store(FILES.values())
    reader = Reader(console, mailbox)

    # then
    def look(message: StoredMessage) -> None:
        reader.shown()
        file = console.main().get_by_role("button", name=re.compile("^Download (?!.eml)"))
        before = console.page.url
        name, content = console.downloaded(file.first.click)
        assert content
        assert not re.search(r"[/\\\x00-\x1f\u202a-\u202e\u2066-\u2069]", name), name
        assert name not in {"", ".", ".."}
        assert len(name.encode()) <= 255
        assert console.page.url == before
        at_peace(console, reader)

    reader.reads(stored, look)


def test_no_vector_runs_asks_or_loads_as_html_as_text_or_with_its_images(console: Console) -> None:
    # given
    mailbox = StoredMailbox(console.stack, "vectors")
    together = ["".join(f"<div>{vector}</div>" for vector in ARMED[start::MESSAGES]) for start in range(MESSAGES)]
    reader = Reader(console, mailbox)

    # then
    def look(_: StoredMessage) -> None:
        reader.shown()
        reader.as_text()
        at_peace(console, reader)
        console.images_wanted = True
        reader.with_images()
        at_peace(console, reader)
        console.images_wanted = False

    reader.reads(mailbox.store(WITH_TEXT.format(html).encode() for html in together), look)
    assert console.images
    assert all("evil.example" in address for address in console.images)


# --- Each layer alone -------------------------------------------------------------------------------------------------


class Frame:
    """A page of the console's origin with a frame in it, into which HTML is put as it came, as the console puts it."""

    def __init__(self, console: Console, *, sandbox: str | None, policy: bool) -> None:
        self._page: Page = console.page.context.new_page()
        self._page.on("dialog", self._asks)
        self._page.on("request", self._begins)
        self._page.on("requestfinished", lambda request: self._under_way.remove(request))
        self._page.on("requestfailed", self._fails)
        self._under_way: list[Any] = []
        self._asked: list[str] = []
        self._blocked: list[str] = []
        self._ran = False
        self._page.route("**/frame?*", lambda route: _without(route, sandbox=sandbox is None, policy=not policy))
        self._page.route("**/empty", lambda route: _empty(route, policy=policy))
        self._page.goto(f"{console.url}empty")
        self._new = [f"{console.url}frame?images=blocked", sandbox]

    def close(self) -> None:
        self._page.close()

    def shows(self, html: str) -> tuple[bool, list[str]]:
        """Whether anything runs of it, and which requests leave; in a new frame, as it may take one elsewhere."""
        self._page.evaluate(
            """([address, sandbox]) => new Promise(done => {
                const frame = document.createElement("iframe");
                if (sandbox !== null) frame.setAttribute("sandbox", sandbox);
                frame.onload = done;
                frame.src = address;
                document.body.replaceChildren(frame);
            })""",
            self._new,
        )
        self._ran = False
        self._asked.clear()
        self._blocked.clear()
        clicks = not any(part in html for part in ("href", "<form", "<input", "<button"))
        # In one task, as a vector may take the frame to where nothing of it can be reached.
        self._page.evaluate(
            """([html, clicks]) => {
                const letter = frames[0].document;
                letter.body.innerHTML = html;
                for (const one of letter.querySelectorAll("*")) {
                    one.focus?.();
                    if (clicks) one.click?.();
                }
            }""",
            [html, clicks],
        )
        self._page.wait_for_timeout(15)
        while self._under_way:
            self._page.wait_for_timeout(5)
        left = [url for url in self._asked if not url.startswith(("data:", "about:")) and url not in self._blocked]
        return self._ran or bool(self._page.evaluate("'pwned' in window")), left

    def _asks(self, dialog: Any) -> None:
        self._ran = True
        dialog.dismiss()

    def _begins(self, request: Any) -> None:
        self._under_way.append(request)
        self._asked.append(request.url)

    def _fails(self, request: Any) -> None:
        self._under_way.remove(request)
        if request.failure == "csp":
            self._blocked.append(request.url)


def _empty(route: Route, *, policy: bool) -> None:
    """A page that may have the frames that the console's may have."""
    headers = {"content-security-policy": "frame-src 'self'"} if policy else {}
    route.fulfill(content_type="text/html", headers=headers, body="<!doctype html>")


def _without(route: Route, *, sandbox: bool, policy: bool) -> None:
    """The frame's document, with parts of its policy taken away."""
    answer = route.fetch()
    headers = dict(answer.headers)
    directives = headers.pop("content-security-policy").split("; ")
    kept = [one for one in directives if not policy and not (sandbox and one.startswith("sandbox"))]
    route.fulfill(
        response=answer, headers={**headers, **({"content-security-policy": "; ".join(kept)} if kept else {})}
    )


def done_by(frame: Frame) -> dict[str, tuple[bool, list[str]]]:
    """What each vector does that does something."""
    done = {vector: frame.shows(vector) for vector in ARMED}
    frame.close()
    return {vector: did for vector, did in done.items() if did != (False, [])}


def test_without_any_layer_the_browser_would_run_and_load(console: Console) -> None:
    frame = Frame(console, sandbox=None, policy=False)
    assert frame.shows(f"<img src=x onerror={CANARY}>")[0]
    frame.close()
    frame = Frame(console, sandbox=None, policy=False)
    assert frame.shows("<p style='background:url(https://evil.example/)'>x") == (False, ["https://evil.example/"])
    frame.close()


def test_policy_and_sandbox_hold_html_that_nobody_made_harmless(console: Console) -> None:
    assert done_by(Frame(console, sandbox=SANDBOX, policy=True)) == {}


def test_the_policy_alone_runs_and_loads_nothing(console: Console) -> None:
    assert done_by(Frame(console, sandbox=None, policy=True)) == {}


def test_the_sandbox_alone_runs_nothing(console: Console) -> None:
    assert not any(ran for ran, _ in done_by(Frame(console, sandbox=SANDBOX, policy=False)).values())


def test_the_console_itself_holds_html_that_nobody_made_harmless(console: Console) -> None:
    # given
    mailbox = StoredMailbox(console.stack, "raw")
    [stored] = mailbox.store([html_mail("<p>harmless</p>")])
    raw = "".join(f"<div>{vector}</div>" for vector in ARMED if "plaintext" not in vector and "<!--" not in vector)
    left: list[str] = []
    console.page.on("requestfinished", lambda request: left.append(request.url))

    def unsanitised(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "html": raw})

    console.page.route(re.compile(rf"/messages/{stored.message_id}\?"), unsanitised)
    console.misdeeds.clear()

    # when
    reader = Reader(console, mailbox)
    reader.reads([stored], lambda _: None)
    reader.shown()
    console.page.wait_for_timeout(500)

    # then
    assert console.letter().locator("[onerror]").count()
    expect(console.page.locator("iframe").first).to_have_attribute("sandbox", SANDBOX)
    assert not reader.is_pwned()
    assert not any(misdeed.startswith(("dialog", "error")) for misdeed in console.misdeeds)
    assert not any("evil.example" in address for address in left)
