"""What is counted of some cycles."""

from collections import Counter
from dataclasses import dataclass, field, fields


@dataclass
class Counted:
    """What some cycles took: ``units`` by the names of prices, and what the time of the function is made of.

    ``waits`` are a session's round trips in which nobody could do anything else, those of the longest session of
    each invocation added up; ``steps`` are requests to AWS one after another, likewise.
    """

    cycles: int = 0
    messages: int = 0
    invocations: int = 0
    units: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    item_octets: dict[str, int] = field(default_factory=dict)
    cpu: float = 0.0
    waits: int = 0
    steps: float = 0.0
    octets: int = 0
    log_lines: int = 0
    log_octets: int = 0
    log: list[str] = field(default_factory=list)

    def as_figures(self) -> dict[str, object]:
        """As a report keeps it: of the log, its first two lines."""
        found = {each.name: getattr(self, each.name) for each in fields(self)}
        return found | {"units": dict(self.units), "requests": dict(self.requests), "log": self.log[:2]}
