"""The layer and the functions as they lie on Lambda's disk, put together from what is installed here.

The versions are those of the layer's lock, which the development environment shares; each package's files are those of
its own record. What only develops or tests is not there, as it would not be on Lambda.
"""

import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

from tests.bench.processes import ROOT

LAYER_LOCK = ROOT / "shared" / "requirements.txt"
FETCH_LOCK = ROOT / "functions" / "fetch" / "requirements.txt"
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+?)(?:\s*;.*?)?\s*\\?$", re.MULTILINE)
_NEVER_SHIPPED = ("pycparser",)
"""Installed with the layer, and needed only where C is compiled."""


def locked(lock: Path) -> dict[str, str]:
    """A lock's packages and their versions."""
    return dict(_LOCKED.findall(lock.read_text()))


def build_layer(folder: Path) -> dict[str, int]:
    """Put the layer into a folder; returns the octets of each package, popfetch's own among them."""
    sizes = copy_locked(LAYER_LOCK, folder)
    shutil.copytree(ROOT / "shared" / "popfetch", folder / "popfetch", ignore=shutil.ignore_patterns("__pycache__"))
    sizes["popfetch"] = octets_of(folder / "popfetch")
    return sizes


def copy_locked(lock: Path, folder: Path) -> dict[str, int]:
    """Put a lock's packages into a folder; returns the octets of each."""
    sizes = {}
    for name, version in locked(lock).items():
        found = _installed(name)
        if found is None:
            continue
        if found.version != version:
            raise RuntimeError(f"{name} {found.version} is installed, {lock} has {version}; run make setup.")
        sizes[name] = sum(_copy(found, str(file), folder) for file in found.files or ())
    return sizes


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except ModuleNotFoundError as error:
        if name in _NEVER_SHIPPED:
            return None
        raise RuntimeError(f"{name} is locked and not installed; run make setup.") from error


def _copy(package: Distribution, file: str, folder: Path) -> int:
    if file.startswith("..") or "__pycache__" in file:
        return 0
    source, target = Path(str(package.locate_file(file))), folder / file
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
    return source.stat().st_size


def copy_functions(folder: Path) -> None:
    """Put the functions into a folder, each into one of its own with what only it takes along, as on Lambda's disk."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "functions", folder, ignore=ignored, dirs_exist_ok=True)
    copy_locked(FETCH_LOCK, folder / "fetch")


def compile_all(folder: Path) -> None:
    """Compile everything below a folder, for a Python that trusts what it finds."""
    mode = "unchecked-hash"
    command = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", mode, str(folder)]
    subprocess.run(command, check=False)  # some packages bring files of other Pythons, which do not compile


def octets_of(folder: Path) -> int:
    """The octets of all files below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def zipped_octets(folder: Path, archive: Path) -> int:
    """The octets of a folder as a zip, as it is uploaded."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                packed.write(file, file.relative_to(folder))
    return archive.stat().st_size


def bare_python() -> str:
    """The interpreter without the packages that are installed beside it."""
    return str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}")
