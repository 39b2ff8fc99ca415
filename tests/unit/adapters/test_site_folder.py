"""The built web app in its folder: served by the names that are there, and clearly missing where it is."""

from pathlib import Path

import pytest

from popfetch.adapters.site_folder import Asset, SiteFolder
from popfetch.domain.errors import AssetNotFound, ConsoleNotBuilt
from tests.builders.site import PNG, a_site


@pytest.fixture
def site(tmp_path: Path) -> SiteFolder:
    return SiteFolder(a_site(tmp_path))


@pytest.mark.parametrize(
    ("url", "base"),
    [
        (
            "https://ab12.execute-api.eu-central-1.amazonaws.com/v1",
            "https://ab12.execute-api.eu-central-1.amazonaws.com/v1/",
        ),
        ("https://mail.example.com", "https://mail.example.com/"),
        ("http://127.0.0.1:4566/_aws/execute-api/x/v1", "http://127.0.0.1:4566/_aws/execute-api/x/v1/"),
        ('https://x.example/"><script>', "https://x.example/&quot;&gt;&lt;script&gt;/"),
    ],
)
def test_the_page_says_where_it_is_reached(site: SiteFolder, url: str, base: str) -> None:
    assert f'<base href="{base}">' in site.page(url)


def test_text_is_text_and_an_image_is_octets(site: SiteFolder) -> None:
    assert site.asset("app-1a2b.js") == Asset("text/javascript; charset=utf-8", "console.log('Xin chào');\n")
    assert site.asset("app-1a2b.css").content_type == "text/css; charset=utf-8"
    assert site.asset("popfetch.svg").content_type == "image/svg+xml; charset=utf-8"
    assert site.asset("popfetch.webmanifest").content_type == "application/manifest+json; charset=utf-8"
    assert site.asset("icon.png") == Asset("image/png", PNG)


@pytest.mark.parametrize(
    "name",
    [
        "../index.html",
        "..",
        ".",
        "",
        "assets/app-1a2b.js",
        "/etc/passwd",
        "app-1a2b.js\0",
        "APP-1A2B.JS",
        "app-1a2b.js.map",
    ],
)
def test_nothing_but_the_names_that_are_there_is_served(site: SiteFolder, name: str) -> None:
    with pytest.raises(AssetNotFound):
        site.asset(name)


def test_a_site_that_was_not_built_is_told(tmp_path: Path) -> None:
    site = SiteFolder(tmp_path / "nothing")
    with pytest.raises(ConsoleNotBuilt):
        site.page("https://x.example")
    with pytest.raises(ConsoleNotBuilt):
        site.asset("app-1a2b.js")


def test_a_page_that_has_no_place_for_its_address_is_none(tmp_path: Path) -> None:
    folder = a_site(tmp_path)
    (folder / "index.html").write_text("<!doctype html><html><head></head></html>")
    with pytest.raises(ConsoleNotBuilt):
        SiteFolder(folder).page("https://x.example")
