"""What holds for all tests: sockets reach this machine and no other, and no example fails for a busy machine."""

import pytest
from hypothesis import settings
from pytest_socket import socket_allow_hosts

settings.register_profile("popfetch", deadline=None)
settings.load_profile("popfetch")


@pytest.hookimpl(trylast=True)
def pytest_runtest_setup() -> None:
    socket_allow_hosts(["127.0.0.1", "127.0.0.2", "::1"], allow_unix_socket=True)
