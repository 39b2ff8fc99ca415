"""A small web app, as it is built: a page, and files whose names carry a hash."""

from pathlib import Path

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")

_PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><base href="/"><title>popfetch</title>'
    '<script type="module" src="assets/app-1a2b.js"></script></head><body></body></html>\n'
)


def a_site(folder: Path) -> Path:
    """The app in ``folder / site``."""
    site = folder / "site"
    (site / "assets").mkdir(parents=True)
    (site / "index.html").write_text(_PAGE)
    for name, text in {
        "app-1a2b.js": "console.log('Xin chào');\n",
        "app-1a2b.js.map": "{}",
        "app-1a2b.css": "body { margin: 0 }\n",
        "popfetch.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
        "popfetch.webmanifest": '{"name": "popfetch"}',
        "words.json": '{"hello": "xin chào"}',
    }.items():
        (site / "assets" / name).write_text(text)
    (site / "assets" / "icon.png").write_bytes(PNG)
    return site
