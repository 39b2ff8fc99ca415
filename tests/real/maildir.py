"""Maildirs, seeded by writing files: fast, in a fixed order, and without a delivery agent."""

import itertools
import os
from pathlib import Path


class Maildir:
    """One mailbox; messages are numbered in the order they were delivered.

    What is delivered lies on disk as it was given; dovecot sends a bare LF as CRLF and ends the last line.
    """

    _counter = itertools.count(1)

    def __init__(self, folder: Path, owner: tuple[int, int]) -> None:
        self.folder = folder
        self._owner = owner

    def make(self) -> None:
        """Make the mailbox, where it is not there."""
        for folder in (self.folder, *(self.folder / name for name in ("tmp", "new", "cur"))):
            if not folder.exists():
                folder.mkdir()
                os.chown(folder, *self._owner)

    def deliver(self, content: bytes) -> Path:
        """Deliver one message, all of it at once."""
        name = self._name()
        draft = self.folder / "tmp" / name
        draft.write_bytes(content)
        os.chown(draft, *self._owner)
        return draft.rename(self.folder / "new" / name)

    def fill(self, content: bytes, count: int) -> None:
        """Deliver ``count`` messages of the same content quickly, as links to a few files.

        Their sizes stand in their names, so that the server need not open them.
        """
        assert content.endswith(b"\r\n")
        sizes = f",S={len(content)},W={len(content)}"
        original = Path()
        for link in range(count):
            target = self.folder / "cur" / f"{self._name()}{sizes}:2,"
            if link % 20_000:
                os.link(original, target)
            else:
                original = target
                target.write_bytes(content)
                os.chown(target, *self._owner)

    def files(self) -> list[Path]:
        """What is in the mailbox, in the order of delivery."""
        found = [*(self.folder / "new").iterdir(), *(self.folder / "cur").iterdir()]
        return sorted(found, key=lambda path: path.name)

    def _name(self) -> str:
        number = next(self._counter)
        return f"{1_700_000_000 + number}.M{number:06d}P1Q{number:08d}.localhost"
