"""How an account's outgoing side does: refused sign-ins are remembered there, and collecting goes on beside them."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class OutgoingFailure:
    """The outgoing server has let popfetch not in, ``refusals`` times in a row, the last one at ``at`` (UTC).

    ``explicit`` of them said plainly that user name or password is wrong.
    """

    code: str
    message: str
    at: datetime
    refusals: int = 1
    explicit: int = 0
