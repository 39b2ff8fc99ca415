"""The built web app as files of a folder: its page, and what the page loads.

The folder is read once. A name that is asked for is looked up among those that are there and never becomes a path.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from types import MappingProxyType

from popfetch.domain.errors import AssetNotFound, ConsoleNotBuilt

PAGE, ASSETS = "index.html", "assets"

BASE = '<base href="/">'
"""What the built page has where the address of the API belongs."""

_TEXT: Mapping[str, str] = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain",
}
_BINARY: Mapping[str, str] = {
    ".png": "image/png",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is served: text where it is text, as the API passes nothing but images as octets."""

    content_type: str
    content: str | bytes


class SiteFolder:
    """The web app in a folder, which may not be there: it is built, and a deployment may lack it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def page(self, public_url: str) -> str:
        """The page, for where it is reached; its addresses are relative to that. Raises ConsoleNotBuilt."""
        return self._page.replace(BASE, f'<base href="{escape(public_url)}/">', 1)

    def asset(self, name: str) -> Asset:
        """One of the files that the page loads. Raises AssetNotFound and ConsoleNotBuilt."""
        if name not in self._assets:
            raise AssetNotFound
        return self._assets[name]

    @cached_property
    def _page(self) -> str:
        try:
            html = (self._folder / PAGE).read_text(encoding="utf-8")
        except OSError as error:
            raise ConsoleNotBuilt from error
        if BASE not in html:
            raise ConsoleNotBuilt
        return html

    @cached_property
    def _assets(self) -> Mapping[str, Asset]:
        try:
            files = [file for file in (self._folder / ASSETS).iterdir() if file.is_file()]
        except OSError as error:
            raise ConsoleNotBuilt from error
        return MappingProxyType({file.name: asset for file in files if (asset := _asset(file))})


def _asset(file: Path) -> Asset | None:
    """A file of a kind that is served; others, such as source maps, are not."""
    suffix = file.suffix.lower()
    if suffix in _TEXT:
        return Asset(f"{_TEXT[suffix]}; charset=utf-8", file.read_text(encoding="utf-8"))
    return Asset(_BINARY[suffix], file.read_bytes()) if suffix in _BINARY else None
