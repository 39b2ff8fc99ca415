"""A letter: words in their order, and the two forms in which they are sent.

Everything in a letter is plain text, and both forms say the same. There is no link in it but its action's, which only
a letter has that asks for an answer: whoever else reads one knows the way to popfetch.
"""

from dataclasses import dataclass
from html import escape

from popfetch.domain.notice import Mail
from popfetch.notices.document import document, facts_list, marked_up, paragraphs


@dataclass(frozen=True, slots=True)
class Action:
    """The one thing to press: what it says, and the link that it opens."""

    label: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is said, in this order; ``facts`` are labels with their values."""

    language: str
    subject: str
    heading: str
    opening: str
    facts: tuple[tuple[str, str], ...]
    action: Action | None = None
    steps_heading: str = ""
    steps: tuple[str, ...] = ()
    closing: tuple[str, ...]

    def to_mail(self) -> Mail:
        """The letter as a mail."""
        return Mail(
            subject=self.subject,
            text=_as_text(self),
            html=_as_html(self),
            language=self.language,
        )


def _as_text(letter: Letter) -> str:
    said = [letter.heading, letter.opening, "\n".join(f"{label}: {value}" for label, value in letter.facts)]
    if letter.action:
        # a line of its own, so that no program takes the next word for a part of the link
        said += [f"{letter.action.label}:\n{letter.action.link}"]
    if letter.steps:
        said += [letter.steps_heading, *(f"{number}. {step}" for number, step in enumerate(letter.steps, 1))]
    return "\n\n".join([*said, *letter.closing]) + "\n"


def _as_html(letter: Letter) -> str:
    said = [f"<h1>{marked_up(letter.heading)}</h1>", paragraphs((letter.opening,)), facts_list(letter.facts)]
    if letter.action:
        link = escape(letter.action.link)
        said += [
            f'<p class="action"><a class="button" href="{link}">{marked_up(letter.action.label)}</a></p>',
            f'<p class="beneath">{link}</p>',
        ]
    if letter.steps:
        steps = "\n".join(f"<li>{marked_up(step)}</li>" for step in letter.steps)
        said += [f"<h2>{marked_up(letter.steps_heading)}</h2>", f"<ol>\n{steps}\n</ol>"]
    said += [f'<div class="closing">\n{paragraphs(letter.closing)}\n</div>']
    return document(letter.language, letter.subject, "\n".join(said))
