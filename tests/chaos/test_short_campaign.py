"""A campaign of a few minutes of everything: the long ones are ``make chaos``."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_nothing_is_lost_and_nothing_is_stored_twice() -> None:
    campaign = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--seed", "1996", "--cycles", "150", "--worlds", "1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert campaign.returncode == 0, campaign.stdout + campaign.stderr[-2000:]
    assert "lost: 0; doubled: 0; deleted from a server and not stored: 0; changed: 0" in campaign.stdout
