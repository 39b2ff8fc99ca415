"""How long functions take to come up: what they import, in fresh processes, from a copy of the layer.

Each is measured twice: with bytecode, and without, as Lambda has it. ``sam build`` ships none that holds: pip's is of
sources with other times than those in the archive, and Lambda's disk cannot be written, so that every cold start
compiles anew what it imports. All are measured in turns, so that whatever else goes on is in all of them.
"""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.layer_copy import (
    bare_python,
    build_layer,
    compile_all,
    copy_functions,
    octets_of,
    zipped_octets,
)
from tests.bench.prices import PRICES, SECONDS_A_MONTH
from tests.bench.processes import ROOT
from tests.bench.report import Report, Table, Target

RUNS = 7
MOST_TIMES_THE_BASELINE = 1.5
LAMBDA_MB = 250
MB = 1_000_000
TOP = 10
RESTORES_A_DAY = 100
"""How often a function of the API is assumed to come up anew."""

_WHEN_TO_IMPORT = (
    "Lambda's initialisation has a whole processor and more, whatever a function's memory; what is imported only when"
    " it is used, is imported by the part of one that its memory buys. So what every invocation uses is better imported"
    " at once, and only the rest is put off."
)

IMPORTS = "boto3 and Powertools' Logger"
CLIENTS = "the same, and fetch's clients"
BASELINES = {
    IMPORTS: "import boto3; from aws_lambda_powertools import Logger",
    CLIENTS: (
        "import boto3; from aws_lambda_powertools import Logger\n"
        "for service in ('dynamodb', 's3', 'sqs', 'events', 'kms'): boto3.client(service)"
    ),
}
FETCH_WITH_CLIENTS = "fetch, and its clients"
_WITH_CLIENTS = "import handler\nfrom popfetch.runtime.wiring_fetch import cycle_parts\ncycle_parts(handler.journal)"

_ENVIRONMENT = {
    "AWS_LAMBDA_FUNCTION_NAME": "popfetch",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_EC2_METADATA_DISABLED": "true",
    "POWERTOOLS_METRICS_NAMESPACE": "popfetch",
    "POWERTOOLS_SERVICE_NAME": "popfetch",
    **{
        f"POPFETCH_{name}": "x"
        for name in (
            "TABLE_NAME",
            "MAIL_BUCKET_NAME",
            "FETCH_QUEUE_URL",
            "DEAD_LETTER_QUEUE_URL",
            "EVENT_BUS_NAME",
            "CREDENTIALS_KEY_ID",
            "OAUTH_CLIENTS_PARAMETER",
            "USER_POOL_ID",
            "USER_POOL_CLIENT_ID",
        )
    },
}
_END = "import os; os._exit(0)"
"""Taking the modules apart again takes a sixth of the time, and Lambda never does it."""

_IMPORTTIME = re.compile(r"^import time:\s*(\d+) \|\s*(\d+) \|( +)(\S+)$", re.MULTILINE)


@dataclass
class Started:
    """What one thing took to come up, in seconds of the clock: with bytecode, and without.

    Whatever else a machine does only adds to that, so that the quickest run says most.
    """

    code: str
    folder: str = ""
    compiled: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)


def functions() -> list[str]:
    """The functions, by their folders."""
    return sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py"))


def started(layer: Path, functions_folder: Path, what: Started, *options: str) -> tuple[float, str]:
    """Start a process that imports, and wait for it; returns how long it took, and what it said of it."""
    path = f"{layer}:{functions_folder / what.folder}" if what.folder else str(layer)
    environment = {**_ENVIRONMENT, "PATH": os.environ["PATH"], "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    began = time.perf_counter()
    done = subprocess.run(
        [bare_python(), "-S", *options, "-c", f"{what.code}\n{_END}"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return time.perf_counter() - began, done.stderr


def largest_imports(listing: str, top: int = TOP) -> list[tuple[str, int]]:
    """The modules that took longest with all that they import, in microseconds, from ``-X importtime``."""
    found = {name: int(cumulative) for _, cumulative, _, name in _IMPORTTIME.findall(listing)}
    return sorted(found.items(), key=lambda row: -row[1])[:top]


def measure(*, runs: int = RUNS) -> Report:
    """Build the layer, start everything in turns, and weigh it."""
    everything = {name: Started(code) for name, code in BASELINES.items()}
    everything |= {name: Started("import handler", name) for name in functions()}
    everything[FETCH_WITH_CLIENTS] = Started(_WITH_CLIENTS, "fetch")
    with TemporaryDirectory() as folder:
        home = Path(folder)
        sizes = build_layer(home / "layer")
        copy_functions(home / "functions")
        unpacked, zipped = octets_of(home / "layer"), zipped_octets(home / "layer", home / "layer.zip")
        for name in ("layer", "functions"):
            shutil.copytree(home / name, home / f"{name}-compiled")
            compile_all(home / f"{name}-compiled")
        compiled_zip = zipped_octets(home / "layer-compiled", home / "compiled.zip")
        compiled_octets = octets_of(home / "layer-compiled")
        for _ in range(runs):
            for what in everything.values():
                what.compiled.append(started(home / "layer-compiled", home / "functions-compiled", what)[0])
                what.bare.append(started(home / "layer", home / "functions", what)[0])
        profiles = {
            name: largest_imports(
                started(home / "layer-compiled", home / "functions-compiled", what, "-X", "importtime")[1]
            )
            for name, what in everything.items()
            if what.folder
        }
    ratio = _ratio(everything["fetch"], everything[IMPORTS], lambda what: what.compiled)
    report = Report("cold_start", "How functions come up")
    report.targets = [
        Target("fetch's import, by what boto3 and a logger take", ratio, MOST_TIMES_THE_BASELINE, "x", at_most=True),
        Target("the layer, unpacked", unpacked / MB, LAMBDA_MB, " MB", at_most=True),
    ]
    report.tables = [
        _times(everything),
        _packages(sizes, unpacked, zipped, compiled_octets, compiled_zip),
        _profile(profiles),
        _snapshots(),
    ]
    report.notes = [
        f"The quickest of {runs} runs in turns, from the start of the interpreter until everything is imported.",
        _WHEN_TO_IMPORT,
    ]
    report.figures = {
        "seconds": {name: {"compiled": what.compiled, "bare": what.bare} for name, what in everything.items()},
        "octets": sizes,
        "profiles": profiles,
    }
    return report


def _ratio(one: Started, other: Started, of: Callable[[Started], list[float]]) -> float:
    return min(of(one)) / min(of(other))


def _times(everything: dict[str, Started]) -> Table:
    baseline = everything[IMPORTS]
    rows = []
    for name, what in everything.items():
        compiled, bare = (1000 * min(took) for took in (what.compiled, what.bare))
        rows.append(
            [
                name,
                f"{compiled:.0f}",
                f"{_ratio(what, baseline, lambda each: each.compiled):.2f}",
                f"{bare:.0f}",
                f"{_ratio(what, baseline, lambda each: each.bare):.2f}",
                f"{bare - compiled:.0f}",
            ]
        )
    columns = ["what", "with bytecode, ms", "times the first", "without, ms", "times the first", "bytecode saves, ms"]
    return Table("Start of a process that imports the handler", columns, rows)


def _packages(sizes: dict[str, int], unpacked: int, zipped: int, compiled: int, compiled_zip: int) -> Table:
    rows = [[name, f"{octets / MB:.1f}"] for name, octets in sorted(sizes.items(), key=lambda row: -row[1])[:TOP]]
    rows += [
        ["all of the layer", f"{unpacked / MB:.1f}"],
        ["the same, zipped", f"{zipped / MB:.1f}"],
        ["with bytecode", f"{compiled / MB:.1f}"],
        ["the same, zipped", f"{compiled_zip / MB:.1f}"],
        ["Lambda's limit, unpacked, functions included", f"{LAMBDA_MB}"],
    ]
    return Table("What the layer weighs", ["package", "MB"], rows)


def _profile(profiles: dict[str, list[tuple[str, int]]]) -> Table:
    rows = [
        [name, ", ".join(f"{module} {microseconds / 1000:.0f}" for module, microseconds in found)]
        for name, found in profiles.items()
    ]
    return Table(
        "What takes longest to import, with all that it imports, ms under -X importtime", ["function", ""], rows
    )


def _snapshots() -> Table:
    """What SnapStart costs for each function that has it, by the memory that the template gives it."""
    rows: list[list[str | int]] = []
    for name, memory in memories().items():
        kept = memory / 1024 * SECONDS_A_MONTH * PRICES["snapstart.cached"].each
        restored = memory / 1024 * PRICES["snapstart.restored"].each * RESTORES_A_DAY * 30
        rows.append([name, memory, f"{kept:.2f}", f"{restored:.2f}", f"{kept + restored:.2f}"])
    columns = ["function", "MB", "kept, USD a month", f"restored {RESTORES_A_DAY} times a day, USD", "USD a month"]
    return Table("SnapStart, for one published version", columns, rows)


def memories() -> dict[str, int]:
    """The memory of each function, as the template has it by default."""
    found = {}
    template = (ROOT / "template.yaml").read_text()
    defaults = dict(re.findall(r"\n  (\w+):\n    Type: Number\n    Default: (\d+)\n", template))
    for resource in re.split(r"\n  (?=\w+:\n)", template):
        code = re.search(r"CodeUri: functions/(\w+)/", resource)
        memory = re.search(r"MemorySize: (?:(\d+)|!Ref (\w+))", resource)
        if code and memory:
            found[code[1]] = int(memory[1] or defaults[memory[2]])
    return found
