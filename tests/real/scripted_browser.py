"""A person at the provider's pages, by its forms alone: what a browser does without scripts or pictures.

Nobody is signed in at first. The redirect back to the client is not followed: where it leads is the answer::

    with ScriptedBrowser(provider.issuer, provider.ca_file) as person:
        callback = person.consent(url, "anna")
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Self
from urllib.parse import urljoin

import requests

_MOST_STEPS = 20
_SECONDS = 20


class ScriptedBrowser:
    """One person's browser, with cookies of its own; use it as a context manager."""

    def __init__(self, issuer: str, ca_file: str) -> None:
        self._issuer = issuer
        self._session = requests.Session()
        # otherwise the environment's bundle is used in place of ours
        self._session.trust_env = False
        self._session.verify = ca_file

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def consent(self, url: str, user: str, *, without: Collection[str] = ()) -> str:
        """Sign in as ``user`` and allow what is asked, except the scopes in ``without``; returns the callback."""
        return self._callback(self._walk(self._get(url), user, "allow", without))

    def deny(self, url: str, user: str) -> str:
        """Sign in as ``user`` and allow nothing; returns the callback."""
        return self._callback(self._walk(self._get(url), user, "deny"))

    def approve_device(self, verification_uri: str, user_code: str, user: str) -> None:
        """Enter the code that a device shows, and allow what it asks."""
        last = self._walk(self._device(verification_uri, user_code), user, "allow")
        assert last.name == "done", last

    def deny_device(self, verification_uri: str, user_code: str, user: str) -> None:
        """Enter the code that a device shows, and allow nothing."""
        last = self._walk(self._device(verification_uri, user_code), user, "deny")
        assert last.name == "user-code", last

    def _device(self, verification_uri: str, user_code: str) -> "_Page":
        entered = self._press(self._get(verification_uri), "continue", user_code=user_code)
        assert entered.name == "confirm", entered
        return self._press(entered, "confirm")

    def _walk(self, page: "_Page", user: str, decision: str, without: Collection[str] = ()) -> "_Page":
        """Answer one page after the other, until there is none that asks."""
        while page.name in {"login", "consent"}:
            if page.name == "login":
                page = self._press(page, "sign-in", login=user, password="any will do")
            else:
                page = self._press(page, decision, leave_out=without)
        return page

    def _callback(self, page: "_Page") -> str:
        assert page.left_for, page
        return page.left_for

    def _press(self, page: "_Page", button: str, leave_out: Collection[str] = (), **entered: str) -> "_Page":
        name = page.buttons[button]
        sent = [(key, entered.pop(key, value)) for key, value in page.fields if value not in leave_out]
        assert not entered, f"{page} does not ask for {', '.join(entered)}"
        if name:
            sent.append((name, button))
        return self._follow("POST", urljoin(page.url, page.action), sent)

    def _get(self, url: str) -> "_Page":
        return self._follow("GET", url)

    def _follow(self, method: str, url: str, form: list[tuple[str, str]] | None = None) -> "_Page":
        for _ in range(_MOST_STEPS):
            if not url.startswith(f"{self._issuer}/"):
                return _Page(url, left_for=url)
            answer = self._session.request(method, url, data=form, allow_redirects=False, timeout=_SECONDS)
            if not answer.is_redirect:
                assert answer.status_code < 400, f"{answer.status_code} at {url}:\n{answer.text}"
                return _read(url, answer.text)
            method, url, form = "GET", urljoin(url, answer.headers["location"]), None
        raise AssertionError(f"the provider redirects without end, at last to {url}")


@dataclass
class _Page:
    """A page: its one form, or where it was left for; ``buttons`` are names by value."""

    url: str
    name: str = ""
    left_for: str = ""
    text: str = field(default="", repr=False)
    action: str = ""
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: dict[str, str] = field(default_factory=dict)


def _read(url: str, text: str) -> _Page:
    page = _Page(url, text=text)
    _Reader(page).feed(text)
    return page


class _Reader(HTMLParser):
    def __init__(self, page: _Page) -> None:
        super().__init__()
        self._page = page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given: Mapping[str, str] = {name: value or "" for name, value in attrs}
        if tag == "body":
            self._page.name = given.get("data-page", "")
        elif tag == "form":
            self._page.action = given.get("action", "")
        elif tag == "input" and "name" in given and (given.get("type") != "checkbox" or "checked" in given):
            self._page.fields.append((given["name"], given.get("value", "")))
        elif tag == "button":
            self._page.buttons[given.get("value", "")] = given.get("name", "")
