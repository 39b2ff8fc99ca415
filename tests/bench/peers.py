"""The other fetchers: how each is told to take everything, to keep it on the server, and to know it the next time."""

import os
import shutil
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.window import Window
from tests.real.dovecot import PASSWORD

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Place:
    """A mailbox as a client reaches it; with TLS where there is a ``ca_file``."""

    port: int
    user: str
    ca_file: str = ""

    @property
    def password_environment(self) -> dict[str, str]:
        return {"POP3_PASSWORD": PASSWORD}


@dataclass(frozen=True, slots=True)
class Peer:
    """A fetcher that is run in a folder of its own, where its settings, its state and the mail lie.

    ``command`` writes the settings and returns how it is started; ``delivered`` counts the messages in the folder.
    ``state`` is the file that it knows the next time by. ``serial`` ones wait a round trip for each message.
    """

    name: str
    program: str
    command: Callable[[Path, Place], list[str]]
    delivered: Callable[[Path], int]
    state: str = ""
    serial: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)
    good: Collection[int] = (0,)

    @property
    def installed(self) -> bool:
        return shutil.which(self.program) is not None


def _settings(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


def _beginnings(folder: Path, name: str, line: bytes) -> int:
    """How many lines of a file begin so."""
    path = folder / name
    if not path.exists():
        return 0
    content = path.read_bytes()
    return content.startswith(line) + content.count(b"\n" + line)


def _in_mbox(folder: Path) -> int:
    return _beginnings(folder, "mbox", b"From ")


def _in_bsmtp(folder: Path) -> int:
    return _beginnings(folder, "bsmtp", b"MAIL FROM:")


# --- mpop ---------------------------------------------------------------------------------------------------------


def _mpop(*, pipelining: bool) -> Callable[[Path, Place], list[str]]:
    def command(folder: Path, place: Place) -> list[str]:
        tls = (
            f"tls on\ntls_starttls off\ntls_trust_file {place.ca_file}\n" if place.ca_file else "tls off\nauth plain\n"
        )
        text = (
            f"account bench\nhost localhost\nport {place.port}\nuser {place.user}\npassword {PASSWORD}\n{tls}"
            f"pipelining {'on' if pipelining else 'off'}\nkeep on\nreceived_header off\n"
            f"uidls_file {folder}/uidls\ndelivery mbox {folder}/mbox\n"
        )
        return ["mpop", "--quiet", "-C", _settings(folder, "mpoprc", text), "bench"]

    return command


# --- fetchmail ----------------------------------------------------------------------------------------------------


def _fetchmail(folder: Path, place: Place) -> list[str]:
    tls = f"ssl sslcertck sslcertfile {place.ca_file}" if place.ca_file else "sslproto ''"
    user = f'user "{place.user}" password "{PASSWORD}" is "{place.user}" here'
    text = f"poll localhost protocol pop3 port {place.port} uidl:\n  {user} keep {tls} bsmtp {folder}/bsmtp\n"
    state, lock = ["--idfile", f"{folder}/ids"], ["--pidfile", f"{folder}/pid"]
    return ["fetchmail", "--nodetach", "--silent", "-f", _settings(folder, "fetchmailrc", text), *state, *lock]


# --- fdm ----------------------------------------------------------------------------------------------------------


def _fdm(folder: Path, place: Place) -> list[str]:
    kind = "pop3s" if place.ca_file else "pop3"
    # root's fdm reads mail as one user and delivers it as another
    runs_as = "" if os.getuid() else 'set default-user "nobody"\n'
    text = (
        f'set lock-file "{folder}/lock"\nset verify-certificates\n{runs_as}action "keep" mbox "{folder}/mbox"\n'
        f'account "bench" {kind} server "localhost" port {place.port} user "{place.user}" pass "{PASSWORD}"'
        f' new-only cache "{folder}/cache" keep\nmatch all action "keep"\n'
    )
    trust = [f"SSL_CERT_FILE={place.ca_file}"] if place.ca_file else []
    return ["env", *trust, "fdm", "-q", "-f", _settings(folder, "fdm.conf", text), "fetch"]


# --- getmail ------------------------------------------------------------------------------------------------------


def _getmail(folder: Path, place: Place) -> list[str]:
    kind = "SimplePOP3SSLRetriever" if place.ca_file else "SimplePOP3Retriever"
    tls = f"ca_certs = {place.ca_file}\n" if place.ca_file else ""
    maildir = folder / "maildir"
    for part in (maildir, *(maildir / name for name in ("tmp", "new", "cur"))):
        part.mkdir()
        if not os.getuid():
            # it never delivers as root, but as whom the mail belongs to
            shutil.chown(part, "nobody")
    text = (
        f"[retriever]\ntype = {kind}\nserver = localhost\nport = {place.port}\nusername = {place.user}\n"
        f"password = {PASSWORD}\ntimeout = 30\n{tls}[destination]\ntype = Maildir\npath = {maildir}/\n"
        + ("" if os.getuid() else "user = nobody\n")
        + "[options]\nread_all = false\ndelete = false\nverbose = 0\n"
    )
    return ["getmail", "--getmaildir", str(folder), "--rcfile", _settings(folder, "getmailrc", text)]


def _in_maildir(folder: Path) -> int:
    return sum(1 for _ in (folder / "maildir" / "new").iterdir())


# --- poplib, and the floors ---------------------------------------------------------------------------------------


def _poplib(folder: Path, place: Place) -> list[str]:
    where = ["localhost", str(place.port), place.user, place.ca_file]
    return [sys.executable, str(_HERE / "poplib_loop.py"), *where, str(folder / "mbox")]


def floor(name: str, window: Window) -> Peer:
    """A client that keeps nothing, with a window."""

    def command(folder: Path, place: Place) -> list[str]:
        where = ["localhost", str(place.port), place.user, place.ca_file]
        return [sys.executable, str(_HERE / "floor.py"), *where, str(window.commands), str(window.octets)]

    return Peer(
        name,
        sys.executable,
        command,
        lambda folder: int((folder / "output").read_text()),
        serial=False,
        environment={"POP3_PASSWORD": PASSWORD},
    )


MPOP = Peer("mpop", "mpop", _mpop(pipelining=True), _in_mbox, "uidls", serial=False)
MPOP_SERIAL = Peer("mpop-serial", "mpop", _mpop(pipelining=False), _in_mbox, "uidls")
FETCHMAIL = Peer("fetchmail", "fetchmail", _fetchmail, _in_bsmtp, "ids", good=(0, 1))
FDM = Peer("fdm", "fdm", _fdm, _in_mbox, "cache")
GETMAIL = Peer("getmail6", "getmail", _getmail, _in_maildir, "oldmail-localhost-{port}-{user}")
POPLIB = Peer("poplib", sys.executable, _poplib, _in_mbox, environment={"POP3_PASSWORD": PASSWORD})
