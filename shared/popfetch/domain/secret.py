"""A secret that does not show itself."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Secret:
    """A password or token; ``repr``, ``str`` and logs show nothing of it, only ``reveal`` does."""

    _value: str = field(repr=False)

    def reveal(self) -> str:
        """Return the secret itself; call this only where it goes onto the wire or under the seal."""
        return self._value

    def __str__(self) -> str:
        return "Secret(…)"
