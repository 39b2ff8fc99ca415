"""What each peer keeps of a mailbox that it has fetched, as a first run leaves it: a line for every UID.

A first run of some of them takes an hour on 100,000 messages, so their files are written here. Whoever reads its file
otherwise than it was meant fetches, and the benchmark fails.
"""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench.peers import FDM, FETCHMAIL, GETMAIL, MPOP, Peer, Place

_FETCHED_AT = 1_795_000_000


def _mpop(place: Place, uids: Sequence[str]) -> str:
    return f" {len(uids)} localhost {place.user}\n" + "".join(f"{uid}\n" for uid in sorted(uids))


def _fetchmail(place: Place, uids: Sequence[str]) -> str:
    return "".join(f"{place.user}@localhost {uid}\n" for uid in uids)


def _fdm(place: Place, uids: Sequence[str]) -> str:
    return "".join(f"{len(uid)} {uid}\n" for uid in uids)


def _getmail(place: Place, uids: Sequence[str]) -> str:
    return "".join(f"{uid}\0{_FETCHED_AT}\n" for uid in uids)


_FORMS: dict[str, Callable[[Place, Sequence[str]], str]] = {
    MPOP.name: _mpop,
    FETCHMAIL.name: _fetchmail,
    FDM.name: _fdm,
    GETMAIL.name: _getmail,
}


def keep(peer: Peer, folder: Path, place: Place, uids: Sequence[str]) -> None:
    """Let ``peer``, when it is run in ``folder``, know the messages with these UIDs."""
    path = state_file(peer, folder, place)
    path.write_text(_FORMS[peer.name](place, uids))
    # root's fdm reads mail as a user of its own; fetchmail takes nothing that others may read
    path.chmod(0o666 if peer is FDM else 0o600)


def state_file(peer: Peer, folder: Path, place: Place) -> Path:
    """Where ``peer`` keeps what it knows."""
    return folder / peer.state.format(port=place.port, user=place.user)


def octets_kept(peer: Peer, folder: Path, place: Place) -> int:
    """How much it keeps."""
    return state_file(peer, folder, place).stat().st_size


def forget_mail(folder: Path) -> None:
    """Make room for another run: what is not there cannot be counted twice."""
    shutil.rmtree(folder / "maildir", ignore_errors=True)
