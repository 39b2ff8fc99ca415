"""What a reader, and a browser, find in an HTML document that popfetch wrote."""

import re
from html.parser import HTMLParser

ELEMENTS = {"html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "p", "dl", "dt", "dd", "ol", "li"}
ELEMENTS |= {"div", "bdi"}
ATTRIBUTES = {"lang", "dir", "charset", "name", "content", "class"}
"""What a document without link and form is made of."""


class Shown(HTMLParser):
    """The visible text of a document, its elements in their order, and all of their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self._hidden = False
        self._words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self._hidden = tag in {"style", "title"}

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self._words).split())

    @property
    def elements(self) -> set[str]:
        return set(self.tags)

    @property
    def attribute_names(self) -> set[str]:
        return {name for name, _ in self.attributes}

    def values_of(self, attribute: str) -> list[str | None]:
        return [value for name, value in self.attributes if name == attribute]


def loads_nothing(html: str) -> bool:
    """Whether a document asks nothing of anybody while it is shown."""
    return not re.search(r"url\(|@import|\bsrc\b|<link|<script|\son\w+=|<base", html.partition("<body>")[0])
