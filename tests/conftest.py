"""What holds for all tests.

Sockets reach this machine and no other, no example fails for a busy machine, and a run that is ended takes the servers
that it has started with it.
"""

import signal

import pytest
from hypothesis import settings
from pytest_socket import socket_allow_hosts

settings.register_profile("popfetch", deadline=None)
settings.load_profile("popfetch")


@pytest.hookimpl(trylast=True)
def pytest_runtest_setup() -> None:
    socket_allow_hosts(["127.0.0.1", "127.0.0.2", "::1"], allow_unix_socket=True)


def pytest_configure() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
