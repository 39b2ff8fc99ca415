"""The demo mailbox's server: POP3 over TLS, from a folder, in a process of its own.

Each file of the folder is a message as it goes over the wire, without dot-stuffing; its name without the ending is its
UID, and the names' order is the messages' order. A session sees the folder as it was when it signed in, so that mail
can be put in at any time.

``DemoServer`` starts it as ``python -m infra.local.pop3_server FOLDER CERTIFICATE PORT USERNAME``, with the password in
the environment.
"""

# ruff: noqa: N802, N803, ARG002 - the names and the arguments are Twisted's
# mypy: disable-error-code="arg-type, assignment, import-untyped, list-item, misc, no-untyped-call"
# mypy: disable-error-code="override, union-attr"
# Twisted's POP3 and zope's interfaces have no types that mypy could follow.

import os
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import IRealm, Portal
from twisted.internet import reactor, ssl
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory
from twisted.mail import pop3
from zope.interface import implementer

from infra.local.mailbox import ENDING, PASSWORD_VARIABLE


@implementer(pop3.IMailbox)
class FolderMailbox:
    """One session's view of a folder."""

    def __init__(self, folder: Path) -> None:
        self._files = sorted(folder.glob(f"*{ENDING}"))
        self._deleted: set[int] = set()

    def listMessages(self, i: int | None = None) -> int | list[int]:
        """The sizes of all messages, or of one; a deleted one has 0."""
        if i is None:
            return [self._size(index) for index in range(len(self._files))]
        if not 0 <= i < len(self._files):
            raise ValueError(i)
        return self._size(i)

    def getMessage(self, i: int) -> BytesIO:
        """A message, dot-stuffed already."""
        return BytesIO(dot_stuffed(self._files[i].read_bytes()))

    def getUidl(self, i: int) -> bytes:
        """The UID of a message."""
        return self._files[i].stem.encode()

    def deleteMessage(self, i: int) -> None:
        """Mark a message; it goes at ``sync``."""
        self._deleted.add(i)

    def undeleteMessages(self) -> None:
        """Forget the marks."""
        self._deleted.clear()

    def sync(self) -> None:
        """Delete what is marked."""
        for index in self._deleted:
            self._files[index].unlink(missing_ok=True)

    def _size(self, index: int) -> int:
        return 0 if index in self._deleted else self._files[index].stat().st_size


class Pop3(pop3.POP3):
    """Twisted's POP3, sending messages as they are instead of guessing at their line ends."""

    def listCapabilities(self) -> list[bytes]:
        """What RFC 2449 clients are told."""
        return [b"TOP", b"USER", b"UIDL", b"PIPELINING", b"IMPLEMENTATION popfetch-demo"]

    def transformChunk(self, chunk: bytes) -> bytes:
        """The octets as they are: the mailbox has stuffed them."""
        return chunk

    def do_UIDL(self, i: bytes | None = None) -> object:
        """All UIDs, or number and UID of one message (RFC 1939, section 7): Twisted leaves out the number."""
        if i is None:
            return super().do_UIDL()
        size = self.mbox.listMessages()[int(i) - 1 :][:1] if i.isdigit() and int(i) else []
        if not any(size):
            return self.failResponse(b"No such message")
        return self.successResponse(b"%d %s" % (int(i), self.mbox.getUidl(int(i) - 1)))

    def do_TOP(self, i: bytes, size: bytes) -> object:
        """The header block and the first lines of a message."""
        if not size.isdigit():
            return self.failResponse(b"Bad line count argument")
        return self._sendMessageContent(i, lambda file: _top(file, int(size)), lambda _: "Top of message follows")


@implementer(IRealm)
class FolderRealm:
    """Whoever signs in gets the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def requestAvatar(
        self, avatarId: object, mind: object, *interfaces: object
    ) -> tuple[object, FolderMailbox, Callable[[], None]]:
        """A new view of the folder."""
        return pop3.IMailbox, FolderMailbox(self._folder), lambda: None


class Pop3Factory(Factory):
    """Makes a protocol for each connection."""

    protocol = Pop3
    noisy = False

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    def buildProtocol(self, addr: object) -> Pop3:
        """A protocol that asks our portal."""
        protocol = Pop3()
        protocol.factory = self
        protocol.portal = self._portal
        return protocol


def dot_stuffed(message: bytes) -> bytes:
    """A message as RFC 1939, section 3, sends it: each line that begins with a dot begins with two."""
    stuffed = message.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed


def _top(file: BytesIO, lines: int) -> BytesIO:
    head, _, body = file.getvalue().partition(b"\r\n\r\n")
    first = body.split(b"\r\n")[:lines]
    return BytesIO(head + b"\r\n\r\n" + b"".join(line + b"\r\n" for line in first))


def main() -> None:
    """Serve until ended."""
    folder, certificate, port, username = sys.argv[1:]
    password = os.environ[PASSWORD_VARIABLE]
    checker = InMemoryUsernamePasswordDatabaseDontUse()
    checker.addUser(username.encode(), password.encode())
    factory = Pop3Factory(Portal(FolderRealm(Path(folder)), [checker]))
    context = ssl.PrivateCertificate.loadPEM(Path(certificate).read_text()).options()
    for interface in ("127.0.0.1", "::1"):
        try:
            reactor.listenSSL(int(port), factory, context, interface=interface)
        except CannotListenError:
            if interface == "127.0.0.1":
                raise
    reactor.run()


if __name__ == "__main__":
    main()
