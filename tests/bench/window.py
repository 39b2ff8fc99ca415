"""What popfetch lets be on the way at once: read from the product, for the floor that is to have the same."""

from dataclasses import dataclass

from popfetch.adapters import pop3_dialer, pop3_maildrop


@dataclass(frozen=True, slots=True)
class Window:
    """So many commands, and so many octets; 0 is no bound."""

    commands: int
    octets: int

    def __str__(self) -> str:
        parts = [f"{self.commands} messages"] if self.commands else []
        parts += [f"{self.octets / 2**20:.0f} MB"] if self.octets else []
        return " and ".join(parts) or "everything at once"


PRODUCT = Window(pop3_dialer.WINDOW, pop3_maildrop.OCTETS_AHEAD)
EVERYTHING = Window(0, 0)
