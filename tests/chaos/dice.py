"""Chance that can be repeated: every decision of a campaign is drawn from its seed and from what is decided."""

from collections.abc import Sequence
from random import Random


class Dice:
    """Streams of chance, one for each name; what one of them is asked for changes none of the others."""

    def __init__(self, *seed: object) -> None:
        self._seed = seed

    def within(self, *names: object) -> "Dice":
        """Dice of their own for whatever the names say, which may be asked about as much as these."""
        return Dice(*self._seed, *names)

    def about(self, *names: object) -> Random:
        """A stream of its own for whatever the names say: the same at each campaign of this seed."""
        return Random(repr((*self._seed, *names)))


def one_in(random: Random, turns: float) -> bool:
    """True once in so many turns."""
    return random.random() * turns < 1


def chosen[Choice](random: Random, choices: Sequence[tuple[float, Choice]]) -> Choice:
    """One of the choices, by their weights."""
    (value,) = random.choices([value for _, value in choices], [weight for weight, _ in choices])
    return value
