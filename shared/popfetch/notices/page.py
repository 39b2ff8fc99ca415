"""A page that a link in a mail opens: words in their order, at most one button, and the policy it is served with.

A page answers to the address it was opened at: its form has no address of its own. It sets nothing and asks for
nothing else, and ``CONTENT_SECURITY_POLICY`` lets it do no more than that.
"""

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256

from popfetch.notices.document import STYLE, document, facts_list, marked_up, paragraphs

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
"""The value of the header of that name (CSP Level 3) that fits every page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is said, in this order; ``facts`` are labels with their values, ``button`` is empty where there is none."""

    language: str
    title: str
    heading: str
    opening: str
    facts: tuple[tuple[str, str], ...] = ()
    button: str = ""
    closing: tuple[str, ...] = ()

    def to_html(self) -> str:
        """The page as a complete document."""
        said = [f"<h1>{marked_up(self.heading)}</h1>", paragraphs((self.opening,))]
        if self.facts:
            said += [facts_list(self.facts)]
        if self.button:
            button = f'<button class="button" type="submit">{marked_up(self.button)}</button>'
            said += [f'<form class="action" method="post">{button}</form>']
        if self.closing:
            said += [f'<div class="closing">\n{paragraphs(self.closing)}\n</div>']
        return document(self.language, self.title, "\n".join(said))
