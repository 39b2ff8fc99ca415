"""A letter: words in their order, and the two forms in which they are sent.

Everything in a letter is plain text; the HTML form escapes all of it. What comes from people and servers is cleaned of
whatever is no visible character, and set apart so that its direction of writing does not spill over. Nothing is
loaded from anywhere, and there is no link in it: whoever reads it knows the way to popfetch.
"""

import re
import unicodedata
from dataclasses import dataclass
from html import escape

from popfetch.domain.notice import Mail

LONGEST_QUOTE = 300
"""Characters of a server's answer that are shown at most."""

_APART, _AGAIN = "\u2068", "\u2069"
"""First strong isolate, and its end: what lies between is written in its own direction."""

_PAUSE = "\u200b"
"""A space without width: no program takes what holds one for a link."""

_JOINERS = frozenset("\u200c\u200d")
"""Format characters that words and emoji are made of."""

_FLAG_TAGS = range(0xE0020, 0xE0080)
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_LINK_PARTS = re.compile(r"(?<=[.:/@])(?=\S)")


@dataclass(frozen=True, slots=True)
class Letter:
    """What is said, in this order; ``facts`` are labels with their values."""

    language: str
    subject: str
    heading: str
    opening: str
    facts: tuple[tuple[str, str], ...]
    steps_heading: str
    steps: tuple[str, ...]
    closing: tuple[str, ...]

    def to_mail(self) -> Mail:
        """The letter as a mail."""
        return Mail(
            subject=self.subject,
            text=_as_text(self),
            html=_as_html(self),
            language=self.language,
        )


def one_line(text: str, longest: int | None = None) -> str:
    """One line of visible characters: no control, no line break, nothing that turns the direction of writing."""
    shown = "".join(character if _is_visible(character) else " " for character in text)
    line = " ".join(shown.split())
    return line if longest is None or len(line) <= longest else f"{line[: longest - 1]}…"


def foreign(text: str) -> str:
    """A name or address that popfetch did not write, fit to stand within a sentence."""
    return _apart(one_line(text))


def quoted(text: str) -> str:
    """What a server said: at most 300 characters, of which none becomes a link."""
    return _apart(_LINK_PARTS.sub(_PAUSE, one_line(text, LONGEST_QUOTE)))


def _is_visible(character: str) -> bool:
    category = unicodedata.category(character)
    if category == "Cf":
        return character in _JOINERS or ord(character) in _FLAG_TAGS
    return not category.startswith("C") and category not in {"Zl", "Zp"}


def _apart(text: str) -> str:
    if any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in text):
        return f"{_APART}{text}{_AGAIN}"
    return text


def _as_text(letter: Letter) -> str:
    paragraphs = [
        letter.heading,
        letter.opening,
        "\n".join(f"{label}: {value}" for label, value in letter.facts),
        letter.steps_heading,
        *(f"{number}. {step}" for number, step in enumerate(letter.steps, 1)),
        *letter.closing,
    ]
    return "\n\n".join(paragraphs) + "\n"


def _as_html(letter: Letter) -> str:
    facts = "\n".join(f"<dt>{_html(label)}</dt><dd>{_html(value)}</dd>" for label, value in letter.facts)
    steps = "\n".join(f"<li>{_html(step)}</li>" for step in letter.steps)
    closing = "\n".join(f"<p>{_html(paragraph)}</p>" for paragraph in letter.closing)
    return f"""<!doctype html>
<html lang="{escape(letter.language)}" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<title>{escape(letter.subject)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{_html(letter.heading)}</h1>
<p>{_html(letter.opening)}</p>
<dl>
{facts}
</dl>
<h2>{_html(letter.steps_heading)}</h2>
<ol>
{steps}
</ol>
<div class="closing">
{closing}
</div>
</main>
</body>
</html>
"""


def _html(text: str) -> str:
    return escape(text).replace(_APART, "<bdi>").replace(_AGAIN, "</bdi>")


_STYLE = """
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
.closing { margin-top: 24px; padding-top: 16px; border-top: 1px solid #d6d3d1; }
@media (prefers-color-scheme: dark) {
  body { background: #1c1e21; color: #e7e5e4; }
  dl { border-left-color: #f59e0b; background: #292b2f; }
  dt { color: #a8a29e; }
  .closing { border-top-color: #44474d; }
}
"""
