"""A seed names a campaign: whatever is asked, in whatever order, and by whichever process."""

import subprocess
import sys
from pathlib import Path

from tests.chaos.dice import Dice

ROOT = Path(__file__).parents[3]


def drawn(dice: Dice) -> list[float]:
    return [dice.about("weather", 1).random(), dice.within("fetch", 2).within("second").about("aws", 3).random()]


def test_one_seed_draws_the_same_in_another_process() -> None:
    program = "from tests.unit.chaos.test_dice import *; print(drawn(Dice(7)))"
    other = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert other.stdout.strip() == str(drawn(Dice(7)))


def test_another_seed_draws_something_else() -> None:
    assert not {*drawn(Dice(7))} & {*drawn(Dice(8))}


def test_dice_within_are_their_own() -> None:
    assert Dice(7).about("fetch").random() != Dice(7).within("first").about("fetch").random()
