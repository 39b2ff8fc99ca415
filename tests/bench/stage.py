"""What clients are measured on: dovecot, what stands in for AWS, and a folder for what they leave."""

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import boto3

from tests.bench.processes import cpu_of_process, cpu_of_session
from tests.bench.s3_server import S3Server, put_server, s3_server
from tests.builders.aws import BUCKET, Aws
from tests.real.dovecot import Dovecot, binary
from tests.real.moto_process import MOTO, environment, stack_on
from tests.real.server_process import ServerProcess, server_process

IN_MEMORY = Path("/dev/shm")


@dataclass
class Stage:
    """Running servers; ``environment`` is that of the fetch function, ``puts`` an S3 that costs next to nothing."""

    dovecot: Dovecot
    aws: Aws
    tables: ServerProcess
    s3: S3Server
    puts: S3Server | None
    environment: dict[str, str]
    scratch: Path
    _folders: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """An empty folder for one run, open to users that peers of root run as."""
        folder = self.scratch / f"run-{next(self._folders)}"
        folder.mkdir()
        folder.chmod(0o777)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def cpu(self) -> dict[str, float]:
        """Seconds of processor that each server has had so far."""
        return {
            "dovecot": cpu_of_session(self.dovecot.pid),
            "S3": sum(cpu_of_process(server.pid) for server in (self.s3, self.puts) if server),
            "table": cpu_of_process(self.tables.pid),
        }


@contextmanager
def stage() -> Iterator[Stage]:
    """Set everything up, and leave nothing behind."""
    assert binary(), "dovecot is not installed; tests/bench/install_peers.sh says what is missing"
    with tempfile.TemporaryDirectory(
        prefix="popfetch-bench-", dir=IN_MEMORY if IN_MEMORY.is_dir() else None, ignore_cleanup_errors=True
    ) as folder:
        scratch = Path(folder)
        scratch.chmod(0o755)
        with (
            server_process(MOTO, quiet=True) as moto,
            stack_on(moto) as (aws, names),
            server_process("tests.bench.table_server") as tables,
            Dovecot() as dovecot,
        ):
            keys = environment(moto.port)
            names["AWS_ENDPOINT_URL_DYNAMODB"] = f"http://127.0.0.1:{tables.port}"
            aws = replace(aws, dynamodb=boto3.client("dynamodb", endpoint_url=names["AWS_ENDPOINT_URL_DYNAMODB"]))
            access_key, secret_key = keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"]
            with (
                s3_server(scratch / "s3", BUCKET, access_key=access_key, secret_key=secret_key) as s3,
                put_server(scratch / "puts", BUCKET) as puts,
            ):
                found = {**names, **s3.environment, "POPFETCH_CA_FILE": dovecot.ca_file}
                yield Stage(dovecot, aws, tables, s3, puts, found, scratch)
