"""What a server said: a code of three digits, and text that may begin with an enhanced status code (RFC 2034)."""

import re
from dataclasses import dataclass

_STATUS = re.compile(rb"^[ #]*([245]\.\d{1,3}\.\d{1,3})(?![\d.])|\(#([245]\.\d{1,3}\.\d{1,3})\)")
_REPEATED = re.compile(rb"\n[ #]*[245]\.\d{1,3}\.\d{1,3}(?![\d.]) *")


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply; ``text`` is that of all its lines, joined by LF."""

    code: int
    text: bytes = b""

    @property
    def known(self) -> bool:
        """Whether the code is one that SMTP can have (RFC 5321, section 4.2.1)."""
        return 200 <= self.code < 600

    @property
    def refuses(self) -> bool:
        """Whether this is a refusal, for now (4xx) or for good (5xx)."""
        return 400 <= self.code < 600

    @property
    def status(self) -> str:
        """The enhanced status code (RFC 3463), also where qmail has it, in brackets; empty where there is none."""
        found = _STATUS.search(self.text)
        return (found[1] or found[2]).decode("ascii") if found else ""

    @property
    def words(self) -> bytes:
        """The text as one line that does not repeat the status code where the reply had a line end."""
        return _REPEATED.sub(b" ", self.text).replace(b"\n", b" ")

    @property
    def temporary(self) -> bool:
        """Whether code or status says that this will pass; where they disagree, the milder one is believed."""
        return 400 <= self.code < 500 or (self.refuses and self.status.startswith("4."))
