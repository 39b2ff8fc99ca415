from collections.abc import Iterator

import pytest

from popfetch.adapters.host_guard import HostGuard
from popfetch.adapters.pop3_dialer import Pop3Dialer
from tests.builders import aws as stack
from tests.builders.aws import Aws
from tests.builders.pop3_sessions import QUICK
from tests.builders.scripted_pop3_server import authority_file


@pytest.fixture
def aws() -> Iterator[Aws]:
    with stack.aws() as built:
        yield built


@pytest.fixture(scope="module")
def ca_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    return authority_file(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def dialer(ca_file: str) -> Pop3Dialer:
    return Pop3Dialer(HostGuard(allow_private=True), ca_file=ca_file)


@pytest.fixture
def quick_dialer(ca_file: str) -> Pop3Dialer:
    return Pop3Dialer(HostGuard(allow_private=True), ca_file=ca_file, limits=QUICK)
