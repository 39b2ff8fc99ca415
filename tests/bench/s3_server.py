"""S3 servers of this machine, over a folder in memory where there is one.

rclone's is a real one. nginx only takes PUTs, and looks neither at signatures nor at checksums, at a tenth of rclone's
processor time: what a client can do that shares no processor with its S3, as nobody does with Amazon's.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tests.real.dovecot import free_ports

_READY_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class S3Server:
    """A running server; a bucket is a folder."""

    port: int
    pid: int
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What makes AWS clients store here."""
        return {"AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{self.port}"}

    def digests(self, bucket: str) -> tuple[bytes, ...]:
        """The SHA-256 of every object, sorted."""
        files = [path for path in (self.folder / bucket).rglob("*") if path.is_file()]
        return tuple(sorted(sha256(path.read_bytes()).digest() for path in files))

    def remove(self, bucket: str, prefix: str) -> None:
        """Forget what lies below a prefix."""
        shutil.rmtree(self.folder / bucket / prefix)

    def empty(self, bucket: str) -> None:
        """Forget every object."""
        for path in (self.folder / bucket).iterdir():
            shutil.rmtree(path)


_MODULES = Path("/usr/lib/nginx/modules")
_NGINX = """\
load_module {modules}/ndk_http_module.so;
load_module {modules}/ngx_http_lua_module.so;
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_max_body_size 0;
  client_body_temp_path {folder}/incoming;
  keepalive_requests 1000000;
  server {{
    listen 127.0.0.1:{port};
    root {folder};
    dav_methods PUT;
    create_full_put_path on;
    # what is new is 201 to nginx, and 200 to S3
    header_filter_by_lua_block {{ if ngx.status == 201 then ngx.status = 200 end }}
  }}
}}
"""


def nginx() -> str | None:
    """Where nginx is, if it is installed with its Lua."""
    if not (_MODULES / "ngx_http_lua_module.so").exists():
        return None
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextmanager
def put_server(folder: Path, bucket: str) -> Iterator[S3Server | None]:
    """Take whatever is put, with one bucket; ``None`` where nginx is not installed."""
    program = nginx()
    if program is None:
        yield None
        return
    (folder / bucket).mkdir(parents=True)
    (port,) = free_ports(1)
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=port, modules=_MODULES))
    with _serving([program, "-c", str(folder / "nginx.conf"), "-p", str(folder), "-e", "stderr"], port) as pid:
        yield S3Server(port, pid, folder)


@contextmanager
def s3_server(folder: Path, bucket: str, *, access_key: str, secret_key: str) -> Iterator[S3Server]:
    """Serve ``folder`` by rclone, with one bucket."""
    (folder / bucket).mkdir(parents=True)
    (port,) = free_ports(1)
    command = [str(Path(sys.executable).with_name("rclone")), "serve", "s3", str(folder)]
    command += ["--addr", f"127.0.0.1:{port}", "--auth-key", f"{access_key},{secret_key}", "--log-level", "ERROR"]
    with _serving(command, port) as pid:
        yield S3Server(port, pid, folder)


@contextmanager
def _serving(command: list[str], port: int) -> Iterator[int]:
    process = subprocess.Popen(command, env={**os.environ, "RCLONE_CONFIG": ""}, stdin=subprocess.DEVNULL)
    try:
        _await(port, process)
        yield process.pid
    finally:
        process.kill()
        process.wait()


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _READY_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 2):
            return
        time.sleep(0.05)
    raise AssertionError("the S3 server did not start")
