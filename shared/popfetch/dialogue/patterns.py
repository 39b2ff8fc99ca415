"""Patterns that most processes never need."""

import re
from functools import cached_property


class Pattern:
    """A pattern, whatever the case, that is compiled when something is first looked for by it.

    There are some hundred of them, for what servers say when they refuse, and compiling takes longer than anything
    else of the protocols at the start of a process.
    """

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern, re.IGNORECASE)

    def search(self, text: str) -> re.Match[str] | None:
        """The first place where the pattern matches."""
        return self._compiled.search(text)
