"""Python's garbage collector: off while a function imports, and on in every function that has done so."""

import ast
import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from popfetch.runtime.observability import new_journal

ROOT = Path(__file__).resolve().parents[3]
HANDLERS = sorted((ROOT / "functions").glob("*/handler.py"))


def collects_after_importing(**environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", "import gc, popfetch; print(gc.isenabled())"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "shared"), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_on_lambda_nothing_is_collected_while_modules_are_imported() -> None:
    assert collects_after_importing(AWS_LAMBDA_FUNCTION_NAME="fetch") == "False"


def test_elsewhere_the_collector_is_left_alone() -> None:
    assert collects_after_importing() == "True"


def test_a_journal_turns_the_collector_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "popfetch")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "fetch")
    gc.disable()
    try:
        new_journal()
        assert gc.isenabled()
    finally:
        gc.enable()
        gc.unfreeze()


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda path: path.parent.name)
def test_every_function_makes_a_journal_when_it_has_imported_everything(handler: Path) -> None:
    body = ast.parse(handler.read_text()).body
    made = [
        number
        for number, node in enumerate(body)
        if isinstance(node, ast.Assign) and ast.unparse(node.value) == "new_journal()"
    ]
    imports = [number for number, node in enumerate(body) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert made
    assert min(made) > max(imports)
