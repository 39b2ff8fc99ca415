"""The parts of the local run that need no engine."""

import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.local import stack, trust
from infra.local.background import BackgroundProcess
from infra.local.demo_server import DemoServer
from infra.local.errors import LocalRunError
from infra.local.owner import kept_password
from infra.local.pop3_server import dot_stuffed
from infra.local.up import write_outputs
from infra.local.workspace import DEFAULT_PORT, Workspace, port_from
from popfetch.domain.session import claims_of


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path, 4999)


def test_port_is_the_default_or_what_was_said() -> None:
    assert port_from("") == DEFAULT_PORT
    assert port_from("4600") == 4600


@pytest.mark.parametrize("text", ["80", "ninety", "-4566", "70000"])
def test_port_that_cannot_be_is_refused_in_words(text: str) -> None:
    with pytest.raises(LocalRunError, match="POPFETCH_PORT"):
        port_from(text)


def test_api_url_takes_the_path_form() -> None:
    deployed = "https://ab12cd34.execute-api.us-east-1.amazonaws.com/v1"
    local = stack.local_api_url(deployed, "http://127.0.0.1:4566")
    assert local == "http://127.0.0.1:4566/_aws/execute-api/ab12cd34/v1"


def shipped(root: Path) -> Path:
    for name in ("functions/fetch", "shared/popfetch"):
        (root / name).mkdir(parents=True)
    (root / "template.yaml").write_text("Resources: {}")
    (root / "functions/fetch/handler.py").write_text("x = 1")
    return root


def test_digest_changes_with_what_ships_and_with_nothing_else(tmp_path: Path) -> None:
    root = shipped(tmp_path)
    before = stack.digest_of_sources(root)
    (root / "README.md").write_text("words")
    cache = root / "shared" / "__pycache__"
    cache.mkdir()
    (cache / "x.pyc").write_bytes(b"")
    os.utime(root / "template.yaml", (0, 0))
    assert stack.digest_of_sources(root) == before
    (root / "functions/fetch/handler.py").write_text("x = 2")
    assert stack.digest_of_sources(root) != before


def test_digest_tells_a_renamed_file(tmp_path: Path) -> None:
    root = shipped(tmp_path)
    before = stack.digest_of_sources(root)
    (root / "functions/fetch/handler.py").rename(root / "functions/fetch/other.py")
    assert stack.digest_of_sources(root) != before


def test_bytecode_counts_wherever_it_is_unpacked(tmp_path: Path) -> None:
    built, unpacked = tmp_path / "built", tmp_path / "unpacked"
    built.mkdir()
    (built / "compiled.py").write_text("print('from bytecode')")
    (built / "for_another_python.py").write_text("print 'no'")
    stack.compile_modules(built)
    shutil.copytree(built, unpacked, copy_function=shutil.copyfile)
    (unpacked / "compiled.py").write_text("print('compiled anew')")
    said = subprocess.run([sys.executable, "-c", "import compiled"], cwd=unpacked, capture_output=True, check=True)
    assert said.stdout == b"from bytecode\n"


def test_password_is_kept_and_private(tmp_path: Path) -> None:
    path = tmp_path / "password"
    password = kept_password(path)
    assert kept_password(path) == password
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(password) >= 12


def test_claims_are_read_whatever_the_padding() -> None:
    assert claims_of("e30.eyJzdWIiOiJhIn0.c2ln") == {"sub": "a"}


def test_outputs_are_private(tmp_path: Path) -> None:
    path = tmp_path / "outputs.json"
    write_outputs(path, {"OwnerPassword": "x"})
    write_outputs(path, {"OwnerPassword": "y"})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert '"y"' in path.read_text()
    assert [file.name for file in tmp_path.iterdir()] == ["outputs.json"]


def test_bundle_has_the_demo_authority_and_the_one_that_was_named(workspace: Workspace, tmp_path: Path) -> None:
    alone = trust.write_bundle(workspace, "").read_text()
    assert alone.count("BEGIN CERTIFICATE") == 1
    extra = tmp_path / "extra.pem"
    extra.write_text(alone)
    both = trust.write_bundle(workspace, str(extra)).read_text()
    assert both.count("BEGIN CERTIFICATE") == 2


def test_bundle_refuses_what_is_no_pem(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(LocalRunError, match="cannot be read"):
        trust.write_bundle(workspace, str(tmp_path / "nowhere.pem"))
    words = tmp_path / "words.pem"
    words.write_text("hello")
    with pytest.raises(LocalRunError, match="no PEM certificate"):
        trust.write_bundle(workspace, str(words))


def test_mailbox_keeps_its_order_over_deliveries(workspace: Workspace) -> None:
    server = DemoServer(workspace)
    server.deliver([b"one\r\n", b"two\r\n"])
    server.deliver([b"one\r\n"])
    assert server.messages() == [b"one\r\n", b"two\r\n", b"one\r\n"]
    assert server.delivered == 3


@pytest.mark.parametrize(
    ("message", "on_the_wire"),
    [(b".\r\n", b"..\r\n"), (b"a\r\n.b\r\n", b"a\r\n..b\r\n"), (b"a.\r\n", b"a.\r\n"), (b"..\r\n", b"...\r\n")],
)
def test_dots_are_stuffed(message: bytes, on_the_wire: bytes) -> None:
    assert dot_stuffed(message) == on_the_wire


def test_process_is_found_again_and_ended(tmp_path: Path) -> None:
    process = BackgroundProcess(tmp_path / "process", mark="time.sleep(60)")
    process.start([sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"], os.environ, tmp_path)
    give_up_at = time.monotonic() + 10
    while "up" not in process.last_lines() and time.monotonic() < give_up_at:
        time.sleep(0.02)
    found = BackgroundProcess(tmp_path / "process", mark="time.sleep(60)")
    assert found.pid() is not None
    assert found.last_lines() == "up"
    assert found.stop()
    assert found.pid() is None
    assert not found.stop()


def test_number_that_passed_to_a_stranger_is_not_ours(tmp_path: Path) -> None:
    folder = tmp_path / "process"
    folder.mkdir()
    (folder / "pid").write_text(str(os.getpid()))
    assert BackgroundProcess(folder, mark="no such thing in this command line").pid() is None
