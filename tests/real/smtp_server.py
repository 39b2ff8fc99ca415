"""Debian's postfix as a private instance: its own folder, ports and certificate; nothing of the system's.

It takes mail from whoever signs in with a user name and the password of the dovecot beside it, or a token where that
takes them, and delivers what is for ``<user>@example.com`` into that dovecot's mailbox of ``<user>``, for the users
that it was given; recipients that are anyone else are refused::

    with Dovecot() as dovecot, SmtpServer(dovecot) as smtp:
        await dialer.sign_in(smtp.submission("anna"), Secret(PASSWORD), deadline)

Postfix can be started by root alone; it runs under its own user.
"""

import contextlib
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from popfetch.domain.account import Security, Server
from tests.real.dovecot import TOKEN_MECHANISMS, Dovecot, free_ports, write_certificate
from tests.real.real_server import RealServer

DOMAIN = "example.com"
MECHANISMS = ("plain", "login", "cram-md5")
_READY_SECONDS = 10.0
_MASTER = Path("/usr/lib/postfix/sbin/master")
_QUEUES = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace")

_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = smtp.{domain}
mydestination =
mynetworks =
alias_maps =
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {mailboxes}
virtual_mailbox_maps = texthash:{folder}/etc/mailboxes
virtual_uid_maps = static:{mail_uid}
virtual_gid_maps = static:{mail_gid}
virtual_minimum_uid = 1
mailbox_size_limit = 0
virtual_mailbox_limit = 0
message_size_limit = {largest}
smtputf8_enable = yes
# whatever happens, nothing leaves this machine
default_transport = error:this server sends nothing on
relay_transport = error:this server sends nothing on
disable_dns_lookups = yes
smtpd_peername_lookup = no
notify_classes =
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_client_connection_count_limit = 0
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{auth_port}
smtpd_sasl_security_options = noanonymous
smtpd_sasl_mechanism_filter = {mechanisms}
smtpd_tls_security_level = {tls}
smtpd_tls_auth_only = {tls_only}
smtpd_tls_cert_file = {folder}/server.pem
smtpd_tls_key_file = {folder}/server.key
"""

_MASTER_SERVICES = """\
127.0.0.1:{port} inet n - n - - smtpd
127.0.0.1:{tls_port} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


def missing() -> str | None:
    """Why this server cannot be started here; ``None`` where it can."""
    if not _MASTER.exists():
        return "postfix is not installed"
    return "postfix is started by root alone" if os.getuid() else None


class SmtpServer(RealServer):
    """A running postfix; use it as a context manager.

    ``mechanisms`` are all that its dovecot can do for it, unless they are named. ``tls`` is postfix' word for what TLS
    is on the submission port: ``none``, ``may``, or ``encrypt``, which is that nothing goes without STARTTLS.
    ``largest`` is how many octets a message may have.
    """

    name = "postfix"
    log_name = "mail.log"

    def __init__(
        self,
        dovecot: Dovecot,
        *,
        users: Sequence[str] = ("anna", "bert"),
        mechanisms: Sequence[str] | None = None,
        tls: str = "may",
        names: Sequence[str] = ("localhost", "127.0.0.1"),
        largest: int = 52_428_800,
    ) -> None:
        self._dovecot = dovecot
        self._users = users
        self._mechanisms = mechanisms or (*MECHANISMS, *(TOKEN_MECHANISMS if dovecot.takes_tokens else ()))
        self._tls = tls
        self._names = names
        self._largest = largest
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.tls_port = 0
        self.ca_file = ""

    # --- What tests ask ---------------------------------------------------------------------------------------

    def submission(self, user: str, security: Security = Security.TLS, *, port: int = 0) -> Server:
        """The settings that ``user`` sends with; ``port`` leads through a relay instead."""
        own = self.tls_port if security is Security.TLS else self.port
        return Server("localhost", port or own, security, user)

    def await_delivery(self, user: str, count: int = 1) -> None:
        """Wait until so many messages in all were delivered to ``user``."""
        self.await_log(rf"to=<{re.escape(user)}@{re.escape(DOMAIN)}>,.* status=sent", count)

    def await_log(self, pattern: str, count: int = 1) -> None:
        """Wait until so many of the log's lines match: what happened is written down a little later."""
        until = time.monotonic() + _READY_SECONDS
        while len(re.findall(pattern, self.log)) < count:
            assert time.monotonic() < until, f"the log has not {count} lines with {pattern!r}"
            time.sleep(0.02)

    # --- Running ----------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self.folder.chmod(0o755)
        self._make_folders()
        self.ca_file = write_certificate(self.folder, self._names)
        self.port, self.tls_port = free_ports(2)
        self._configure()
        with (self.folder / "output").open("wb") as output:
            self._process = subprocess.Popen(
                [str(_MASTER), "-d", "-c", str(self.folder / "etc")],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env={"MAIL_CONFIG": str(self.folder / "etc"), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            )
        self._await_greeting()

    def _make_folders(self) -> None:
        postfix = pwd.getpwnam("postfix")
        for name in ("etc", "spool", "spool/pid"):
            (self.folder / name).mkdir(mode=0o755)
        for name in ("data", *(f"spool/{queue}" for queue in _QUEUES), "spool/public", "spool/maildrop"):
            (self.folder / name).mkdir(mode=0o700)
            os.chown(self.folder / name, postfix.pw_uid, postfix.pw_gid)

    def _configure(self) -> None:
        mail_uid, mail_gid = self._dovecot.owner
        etc = self.folder / "etc"
        (etc / "mailboxes").write_text("".join(f"{user}@{DOMAIN} {user}/\n" for user in self._users))
        (etc / "master.cf").write_text(_MASTER_SERVICES.format(port=self.port, tls_port=self.tls_port))
        (etc / "main.cf").write_text(
            _MAIN.format(
                folder=self.folder,
                domain=DOMAIN,
                mailboxes=self._dovecot.folder / "mail",
                mail_uid=mail_uid,
                mail_gid=mail_gid,
                auth_port=self._dovecot.auth_port,
                mechanisms=", ".join(self._mechanisms),
                tls=self._tls,
                largest=self._largest,
                tls_only="yes" if self._tls == "encrypt" else "no",
            )
        )
        # every process of postfix' waits until its files are seconds old, for fear that they are still being written
        settled = time.time() - 60
        for file in etc.iterdir():
            os.utime(file, (settled, settled))

    def _await_greeting(self) -> None:
        assert self._process is not None
        until = time.monotonic() + _READY_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 2) as probe:
                probe.settimeout(5)
                if probe.recv(512).startswith(b"220"):
                    probe.sendall(b"QUIT\r\n")
                    return
            time.sleep(0.02)
        output = (self.folder / "output").read_text(errors="replace")
        raise AssertionError(f"postfix did not start:\n{output}\n{self.log}")

    def _stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                # its own session, and so its own group: the processes that it started go with it
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)
