"""Debian's GNU mailutils pop3d as a private instance: own folder, port and users; mail lies in mbox files.

It is unlike dovecot where that hurts: it writes ``X-UIDL``, ``X-IMAPbase``, ``X-UID`` and ``Status`` into the
messages after the first session, so that sizes and octets change under one's feet, and STAT and LIST disagree.
"""

import contextlib
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path

from popfetch.domain.account import Security, Server
from tests.real.dovecot import free_ports, write_certificate
from tests.real.mailbox import Mailbox, PlainReader
from tests.real.real_server import RealServer

PASSWORD = "secret"
_HASH = "$6$popfetch$4DB8fAKIAGf6g/kXKt20VVdL9yFgonRbwL1kHQQojEZ21c416bEsCTxmCRsMsSZQKaQ7F3V1RNONBScxbOavE1"
_DOMAIN = "example.test"
_READY_SECONDS = 10.0

_CONFIGURATION = """\
mode daemon;
foreground yes;
pidfile {folder}/pid;
tls {{
  ssl-certificate-file {folder}/server.pem;
  ssl-key-file {folder}/server.key;
}};
server 127.0.0.1:{port} {{
  transcript no;
  tls-mode connection;
}};
logging {{
  syslog no;
  severity info;
}};
auth {{
  authentication clear;
  authentication generic;
  authorization clear;
  authorization virtdomain;
}};
virtdomain {{
  passwd-dir {folder}/users;
}};
tcp-wrappers {{
  enable no;
}};
"""


def binary() -> str | None:
    """Where GNU mailutils' pop3d is, if it is installed."""
    return shutil.which("pop3d", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


class Mailutils(RealServer):
    """A running pop3d; use it as a context manager. It needs root, to become the mail's owner."""

    name = "mailutils"
    log_name = "log"

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.ca_file = ""

    def mailbox(self, user: str) -> Mailbox:
        """The mailbox of ``user`` as clients see it."""
        server = Server("localhost", self.port, Security.TLS, f"{user}@{_DOMAIN}")
        return Mailbox(server, PASSWORD, self.ca_file)

    def reader(self, user: str) -> PlainReader:
        """A second client, signed in as ``user``."""
        return PlainReader(
            self.port, f"{user}@{_DOMAIN}", PASSWORD, tls=ssl.create_default_context(cafile=self.ca_file)
        )

    def deliver(self, user: str, *contents: bytes) -> None:
        """Append messages to the user's mbox, as a delivery agent would."""
        with (self._home(user) / "INBOX").open("ab") as mbox:
            for content in contents:
                lines = content.replace(b"\r\n", b"\n").split(b"\n")
                quoted = [b">" + line if line.lstrip(b">").startswith(b"From ") else line for line in lines]
                mbox.write(b"From ben@example.net Sun Nov  1 08:00:00 2026\n" + b"\n".join(quoted) + b"\n")

    def _home(self, user: str) -> Path:
        """The home of ``user``, who comes to be by being named."""
        home = self.folder / user
        if not home.exists():
            nobody = pwd.getpwnam("nobody")
            home.mkdir()
            (home / "INBOX").touch()
            for path in (home, home / "INBOX"):
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
            with (self.folder / "users" / _DOMAIN).open("a") as users:
                users.write(f"{user}:{_HASH}:{nobody.pw_uid}:{nobody.pw_gid}:{user}:{home}:/bin/false\n")
        return home

    def _start(self) -> None:
        self.folder.chmod(0o755)
        (self.folder / "users").mkdir()
        (self.port,) = free_ports(1)
        self.ca_file = write_certificate(self.folder, ("localhost", "127.0.0.1"))
        configuration = self.folder / "pop3d.conf"
        configuration.write_text(_CONFIGURATION.format(folder=self.folder, port=self.port))
        command = binary()
        assert command, "mailutils-pop3d is not installed"
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [command, f"--config-file={configuration}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + _READY_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 2):
                return
            time.sleep(0.02)
        raise AssertionError(f"pop3d did not start:\n{self.log}")

    def _stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)
