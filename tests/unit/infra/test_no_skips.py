"""Nothing is skipped where that is forbidden, whichever process runs it."""

import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.workspace import ROOT

SKIPPED = "import pytest\npytestmark = pytest.mark.skip(reason='no server')\ndef test_it(): pass\n"
SKIPS = "import pytest\ndef test_it(): pytest.skip('no server')\n"
SKIPS_AT_SETUP = "import pytest\n@pytest.fixture\ndef server(): pytest.skip('no server')\ndef test_it(server): pass\n"
SKIPS_ALL_OF_ITSELF = "import pytest\npytest.skip('no server', allow_module_level=True)\n"
FAILS_AS_KNOWN = "import pytest\n@pytest.mark.xfail\ndef test_it(): assert False\n"
PASSES = "def test_it(): pass\n"


def run(folder: Path, processes: int, *files: str) -> tuple[int, str]:
    """Run files of tests as CI does, without plugins that they do not need; returns the exit code, and what is said."""
    (folder / "pytest.ini").touch()
    for number, text in enumerate(files):
        (folder / f"test_{number}.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "infra.no_skips", "-p", "xdist", "-n", str(processes)],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("processes", [0, 2])
def test_each_skipped_test_fails(processes: int, tmp_path: Path) -> None:
    code, said = run(tmp_path, processes, PASSES, SKIPPED, SKIPS, SKIPS_AT_SETUP)
    assert code == 1
    assert said.count("Nothing may be skipped here, but this was: Skipped: no server") == 3
    assert "1 passed" in said
    assert "skipped" not in said.splitlines()[-1]


@pytest.mark.parametrize("processes", [0, 2])
def test_a_file_that_is_skipped_whole_fails_the_run(processes: int, tmp_path: Path) -> None:
    code, said = run(tmp_path, processes, PASSES, SKIPS_ALL_OF_ITSELF)
    assert code != 0
    assert "Nothing may be skipped here, but this was: Skipped: no server" in said


@pytest.mark.parametrize("processes", [0, 2])
def test_what_fails_as_is_known_fails_no_run(processes: int, tmp_path: Path) -> None:
    code, said = run(tmp_path, processes, PASSES, FAILS_AS_KNOWN)
    assert code == 0
    assert "1 passed, 1 xfailed" in said
