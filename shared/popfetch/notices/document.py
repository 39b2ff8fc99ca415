"""What letters and pages have in common as HTML: one frame and one look.

All that is said is plain text and is escaped here. Nothing is loaded from anywhere, there is no script, and no element
has a style of its own, so that a page's policy can name the one stylesheet by its hash.
"""

from html import escape

from popfetch.notices.strangers import AGAIN, APART


def document(language: str, title: str, body: str) -> str:
    """A whole document around ``body``, which is HTML; ``title`` is text."""
    return f"""<!doctype html>
<html lang="{escape(language)}" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def marked_up(text: str) -> str:
    """A text as HTML; what was set apart stays so."""
    return escape(text).replace(APART, "<bdi>").replace(AGAIN, "</bdi>")


def paragraphs(texts: tuple[str, ...]) -> str:
    """Texts as paragraphs, one below the other."""
    return "\n".join(f"<p>{marked_up(text)}</p>" for text in texts)


def facts_list(facts: tuple[tuple[str, str], ...]) -> str:
    """Labels with their values; nothing at all where there are none."""
    rows = "\n".join(f"<dt>{marked_up(label)}</dt><dd>{marked_up(value)}</dd>" for label, value in facts)
    return f"<dl>\n{rows}\n</dl>" if facts else ""


# The button has the same colours on light and on dark: 5:1 for its words, more than 3:1 against either ground. Its
# border is what shows where it is on systems that force colours of their own.
STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; padding: 24px 16px; background: #ffffff; color: #1c1e21;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 560px; margin: 0 auto; overflow-wrap: anywhere; }
h1 { margin: 0 0 16px; font-size: 22px; line-height: 1.3; }
h2 { margin: 24px 0 8px; font-size: 17px; }
p { margin: 0 0 12px; }
dl { margin: 16px 0; padding: 12px 16px; border-left: 4px solid #b45309; background: #f5f5f4; }
dt { font-size: 14px; color: #57534e; }
dd { margin: 0 0 8px; }
dd:last-child { margin-bottom: 0; }
ol { margin: 0; padding-left: 24px; }
li { margin: 0 0 8px; }
.action { margin: 24px 0 12px; }
.button { display: inline-block; box-sizing: border-box; min-height: 48px; padding: 10px 22px;
  border: 2px solid transparent; border-radius: 6px; background: #b45309; color: #ffffff; cursor: pointer;
  font: inherit; font-weight: 600; text-align: center; text-decoration: none; }
.button:hover { background: #92400e; }
.button:focus-visible { outline: 3px solid #1c1e21; outline-offset: 3px; }
.beneath { font-size: 14px; color: #57534e; }
.closing { margin-top: 24px; padding-top: 16px; border-top: 1px solid #d6d3d1; }
@media (prefers-color-scheme: dark) {
  body { background: #1c1e21; color: #e7e5e4; }
  dl { border-left-color: #f59e0b; background: #292b2f; }
  dt, .beneath { color: #a8a29e; }
  .button:focus-visible { outline-color: #e7e5e4; }
  .closing { border-top-color: #44474d; }
}
"""
"""The one stylesheet, of letters and pages alike."""
