"""The locks: fresh, hashed, of one mind, and naming no address."""

from pathlib import Path

import pytest

from infra.locks import DEVELOPMENT, LAYER, LOCKS, Lock, complaints, pins

LOCK = Lock("lock.txt", ("lock.in",), ("other.txt",))
BODY = "six==1.17.0 \\\n    --hash=sha256:00\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "lock.in").write_text("six\n")
    (tmp_path / "other.txt").write_text("six==1.17.0\n")
    (tmp_path / "lock.txt").write_text(f"{LOCK.first_line(tmp_path)}\n{BODY}")
    return tmp_path


def test_our_locks_are_good() -> None:
    assert [complaint for lock in LOCKS for complaint in complaints(lock)] == []


def test_layer_ships_what_was_tested() -> None:
    root = Path(__file__).parents[3]
    layer, development = (pins((root / lock.path).read_text()) for lock in (LAYER, DEVELOPMENT))
    assert layer.items() <= development.items()


def test_good_lock_has_no_complaints(root: Path) -> None:
    assert complaints(LOCK, root) == []


def test_changed_source_makes_it_stale(root: Path) -> None:
    (root / "lock.in").write_text("six\nseven\n")
    assert "make lock" in complaints(LOCK, root)[0]


@pytest.mark.parametrize(
    "line",
    [
        "--index-url somewhere",
        "six @ https://host/six.whl",
        "# from http://host/simple",
        "six @ /home/someone/six",
        "./file:///wheels",
    ],
)
def test_addresses_are_found(root: Path, line: str) -> None:
    path = root / "lock.txt"
    path.write_text(path.read_text() + line + "\n")
    assert any("names an address" in complaint for complaint in complaints(LOCK, root))


def test_missing_hash_is_found(root: Path) -> None:
    (root / "lock.txt").write_text(f"{LOCK.first_line(root)}\nsix==1.17.0\n")
    assert complaints(LOCK, root) == ["lock.txt: six has no hash."]


def test_disagreement_is_found(root: Path) -> None:
    (root / "other.txt").write_text("six==1.16.0\n")
    assert "other.txt has 1.16.0" in complaints(LOCK, root)[0]


def test_missing_lock_is_found(root: Path) -> None:
    (root / "lock.txt").unlink()
    assert complaints(LOCK, root) == ["lock.txt is missing; say `make lock`."]
