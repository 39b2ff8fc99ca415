"""What the cold start's benchmark reads: a profile of imports, the template's memory, the layer's lock."""

from pathlib import Path

from tests.bench.cold_start import functions, largest_imports, memories
from tests.bench.layer_copy import copy_functions, locked, octets_of, zipped_octets

LISTING = """\
import time: self [us] | cumulative | imported package
import time:       100 |        100 |     botocore
import time:      9000 |       9100 |   boto3
import time:        50 |       9150 | handler
something that was printed
"""


def test_the_largest_imports_stand_first() -> None:
    assert largest_imports(LISTING, top=2) == [("handler", 9150), ("boto3", 9100)]


def test_every_function_has_its_memory_in_the_template() -> None:
    assert sorted(memories()) == functions()
    assert memories()["fetch"] == 512
    assert memories()["messages"] > memories()["accounts"]


def test_the_lock_is_read_whole() -> None:
    found = locked()
    assert {"boto3", "pydantic-core", "cffi", "aws-lambda-powertools"} <= set(found)
    assert all(version[0].isdigit() for version in found.values())


def test_functions_are_copied_without_what_was_compiled(tmp_path: Path) -> None:
    copy_functions(tmp_path / "functions")
    assert (tmp_path / "functions" / "fetch" / "handler.py").is_file()
    assert not list(tmp_path.rglob("__pycache__"))
    assert 0 < zipped_octets(tmp_path / "functions", tmp_path / "all.zip") < octets_of(tmp_path / "functions")
