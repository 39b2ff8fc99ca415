"""Debian's dovecot as a private instance: its own folder, ports, users and certificate; nothing of the system's.

As root it runs under dovecot's own users, otherwise under whoever runs the tests. Every user name exists and has
the one password, unless users are to have ``own_passwords``; a user's mailbox is a Maildir that tests seed by writing
files::

    with Dovecot() as server:
        server.maildir("anna").deliver(b"Subject: one\\r\\n\\r\\nHello\\r\\n")
        collection = collection_of(aws, server.mailbox("anna"))

Beside a provider it takes that provider's access tokens too, of the user who signs in and with the scope of what is
asked for, ``mail.pop`` or ``mail.smtp``; it asks the provider about each::

    with OidcProvider() as provider, Dovecot(oauth2=provider) as server: ...
"""

import contextlib
import getpass
import grp
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import trustme

from popfetch.domain.account import Security, Server
from tests.real.mailbox import Mailbox, PlainReader
from tests.real.maildir import Maildir
from tests.real.real_server import RealServer

if TYPE_CHECKING:
    from tests.real.oidc_provider import OidcProvider

PASSWORD = "tr0ub4dor&drei"
MECHANISMS = ("plain", "login", "cram-md5", "apop")
TOKEN_MECHANISMS = ("xoauth2", "oauthbearer")
_READY_SECONDS = 10.0
# dovecot's clock is that of its last event, a little behind
_CLOCK_SECONDS = 0.05
_SEARCHED = "/usr/sbin:/usr/local/sbin:/usr/lib/dovecot"

_CONFIGURATION = """\
protocols = pop3
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
auth_verbose = yes
instance_name = popfetch-test-{name}
default_internal_user = {internal_user}
default_internal_group = {internal_group}
default_login_user = {login_user}
default_process_limit = 50
ssl = {ssl}
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.key
disable_plaintext_auth = {tls_only}
auth_mechanisms = {mechanisms}
auth_failure_delay = {failure_seconds} secs
auth_cache_size = 0
mail_location = maildir:{folder}/mail/%u
mail_max_userip_connections = 1000
mail_fsync = never
first_valid_uid = 1
pop3_uidl_format = {uidl_format}
pop3_lock_session = {lock_session}
passdb {{
  # a token that was refused is not tried as a password
  mechanisms = plain login cram-md5 apop
{passdb}
}}
userdb {{
  driver = static
  args = uid={mail_uid} gid={mail_gid} home={folder}/mail/%u
}}
{token_passdbs}
service auth {{
  inet_listener {{
    port = {auth_port}
  }}
}}
service anvil {{
  chroot =
  # otherwise an address that was refused waits ever longer, 15 seconds in the end
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {pop3_port}
  }}
  inet_listener pop3s {{
    port = {pop3s_port}
    ssl = yes
  }}
}}
"""


_ONE_PASSWORD = f"""\
  driver = static
  args = password={PASSWORD}"""
_OWN_PASSWORDS = """\
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/passwords"""

# each protocol looks for a scope of its own; postfix asks as smtp
_TOKENS_OF_A_PROTOCOL = """\
protocol {protocol} {{
  passdb {{
    driver = oauth2
    mechanisms = xoauth2 oauthbearer
    args = {file}
  }}
}}
"""
_TOKEN_CHECK = """\
introspection_mode = post
introspection_url = {url}
force_introspection = yes
username_attribute = sub
active_attribute = active
active_value = true
scope = {scope}
tls_ca_cert_file = {ca_file}
timeout_msecs = 5000
"""
_SCOPES = {"pop3": "mail.pop", "smtp": "mail.smtp"}


def binary() -> str | None:
    """Where dovecot is, if it is installed with its POP3 part."""
    if not Path("/usr/lib/dovecot/pop3").exists():
        return None
    return shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:{_SEARCHED}")


class Dovecot(RealServer):
    """A running dovecot; use it as a context manager.

    ``mechanisms`` are all that it can do, unless they are named. ``auth_port`` answers other servers that ask whether a
    password or a token is right.
    """

    name = "dovecot"
    log_name = "dovecot.log"

    def __init__(
        self,
        *,
        mechanisms: Sequence[str] | None = None,
        oauth2: "OidcProvider | None" = None,
        uidl_format: str = "%08Xu%08Xv",
        tls: str = "yes",
        lock_session: bool = False,
        failure_seconds: int = 0,
        names: Sequence[str] = ("localhost", "127.0.0.1"),
        own_passwords: bool = False,
    ) -> None:
        self._names = names
        self._own_passwords = own_passwords
        self._passwords: dict[str, str] = {}
        self._oauth2 = oauth2
        self._mechanisms = mechanisms or (*MECHANISMS, *(TOKEN_MECHANISMS if oauth2 else ()))
        self._uidl_format = uidl_format
        self._tls = tls
        self._lock_session = lock_session
        self._failure_seconds = failure_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.tls_port = 0
        self.auth_port = 0
        self.ca_file = ""

    # --- What tests ask ---------------------------------------------------------------------------------------

    def mailbox(self, user: str, security: Security = Security.TLS, *, port: int = 0) -> Mailbox:
        """The mailbox of ``user`` as clients see it; ``port`` leads through a relay instead."""
        own = self.tls_port if security is Security.TLS else self.port
        return Mailbox(Server("localhost", port or own, security, user), PASSWORD, self.ca_file)

    def reader(self, user: str, *, port: int = 0) -> PlainReader:
        """A second client, signed in as ``user``; ``port`` leads through a relay to the one without TLS."""
        tls = None if port else ssl.create_default_context(cafile=self.ca_file)
        return PlainReader(port or self.tls_port, user, PASSWORD, tls=tls)

    def maildir(self, user: str) -> Maildir:
        """The mailbox of ``user``, made if it is not there."""
        maildir = Maildir(self.folder / "mail" / user, self.owner)
        maildir.make()
        return maildir

    def set_password(self, user: str, password: str) -> None:
        """Give ``user`` a password, in place of the one it had; for servers with ``own_passwords``.

        Returns once the server goes by it: dovecot looks at the file at most once in each second of its clock.
        """
        assert self._own_passwords
        self._passwords[user] = password
        lines = [f"{name}:{{PLAIN}}{secret}::::::\n" for name, secret in self._passwords.items()]
        unfinished = self.folder / "passwords.unfinished"
        unfinished.write_text("".join(lines))
        unfinished.chmod(0o644)
        unfinished.replace(self.folder / "passwords")
        if self._process is not None:
            next_second = int(time.time()) + 1
            while time.time() < next_second + _CLOCK_SECONDS:
                time.sleep(0.02)

    @property
    def pid(self) -> int:
        """The process that leads the session of all of dovecot's."""
        assert self._process is not None
        return self._process.pid

    @property
    def takes_tokens(self) -> bool:
        """Whether it knows a provider that it can ask about access tokens."""
        return self._oauth2 is not None

    @property
    def owner(self) -> tuple[int, int]:
        """Whom mail belongs to: as root nobody in particular, for dovecot refuses to serve root's mail."""
        if os.getuid():
            return os.getuid(), os.getgid()
        nobody = pwd.getpwnam("nobody")
        return nobody.pw_uid, nobody.pw_gid

    def _start(self) -> None:
        self.folder.chmod(0o755)
        (self.folder / "mail").mkdir()
        os.chown(self.folder / "mail", *self.owner)
        self.ca_file = write_certificate(self.folder, self._names)
        self.port, self.tls_port, self.auth_port = free_ports(3)
        if self._oauth2 is not None:
            self._write_token_checks(self._oauth2)
        configuration = self.folder / "dovecot.conf"
        configuration.write_text(self._configuration())
        command = binary()
        assert command, "dovecot is not installed"
        with (self.folder / "output").open("wb") as output:
            self._process = subprocess.Popen(
                [command, "-F", "-c", str(configuration)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._await_greeting()

    def _configuration(self) -> str:
        me = getpass.getuser() if os.getuid() else ""
        mail_uid, mail_gid = self.owner
        return _CONFIGURATION.format(
            folder=self.folder,
            name=self.port,
            internal_user=me or "dovecot",
            internal_group=grp.getgrgid(os.getgid()).gr_name if me else "dovecot",
            login_user=me or "dovenull",
            ssl=self._tls,
            tls_only="yes" if self._tls == "required" else "no",
            mechanisms=" ".join(self._mechanisms),
            failure_seconds=self._failure_seconds,
            uidl_format=self._uidl_format,
            lock_session="yes" if self._lock_session else "no",
            passdb=_OWN_PASSWORDS.format(folder=self.folder) if self._own_passwords else _ONE_PASSWORD,
            token_passdbs="".join(
                _TOKENS_OF_A_PROTOCOL.format(protocol=protocol, file=self.folder / f"tokens.{protocol}")
                for protocol in (_SCOPES if self._oauth2 else ())
            ),
            mail_uid=mail_uid,
            mail_gid=mail_gid,
            pop3_port=self.port,
            pop3s_port=self.tls_port,
            auth_port=self.auth_port,
        )

    def _write_token_checks(self, provider: "OidcProvider") -> None:
        url = urlsplit(provider.introspection_url)
        client = f"{provider.introspection_id}:{provider.introspection_secret}"
        for protocol, scope in _SCOPES.items():
            (self.folder / f"tokens.{protocol}").write_text(
                _TOKEN_CHECK.format(
                    url=url._replace(netloc=f"{client}@{url.netloc}").geturl(), scope=scope, ca_file=provider.ca_file
                )
            )

    def _await_greeting(self) -> None:
        assert self._process is not None
        until = time.monotonic() + _READY_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 2) as probe:
                probe.settimeout(5)
                if probe.recv(512).startswith(b"+OK"):
                    return
            time.sleep(0.02)
        output = (self.folder / "output").read_text(errors="replace")
        raise AssertionError(f"dovecot did not start:\n{output}\n{self.log}")

    def _stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [int(held.getsockname()[1]) for held in sockets]
    finally:
        for held in sockets:
            held.close()


def write_certificate(folder: Path, names: Sequence[str]) -> str:
    """Write ``server.pem`` and ``server.key`` for ``names``; returns the file of their authority."""
    authority = trustme.CA()
    # some clients look for the host's name in the subject too
    certificate = authority.issue_cert(*names, common_name=names[0])
    certificate.cert_chain_pems[0].write_to_path(str(folder / "server.pem"))
    certificate.private_key_pem.write_to_path(str(folder / "server.key"))
    (folder / "server.key").chmod(0o600)
    ca_file = str(folder / "authority.pem")
    authority.cert_pem.write_to_path(ca_file)
    return ca_file
