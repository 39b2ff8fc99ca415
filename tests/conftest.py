"""What holds for all tests.

Sockets reach this machine and no other, no example fails for a busy machine, and a run that is ended takes the servers
that it has started with it. A run in several processes is dealt out as ``processes`` says.
"""

import os
import signal
from contextlib import suppress
from types import FrameType

import pytest
from execnet import Gateway
from hypothesis import settings
from pytest_socket import socket_allow_hosts
from xdist.remote import Producer

from tests.processes import ByShares, begin_with_what_takes_long

settings.register_profile("popfetch", deadline=None)
settings.register_profile("long", deadline=None, max_examples=20_000, stateful_step_count=60)
settings.load_profile("popfetch")

_workers: list[int] = []
"""The processes that the tests of this run were dealt out to, where it has several."""


@pytest.hookimpl(trylast=True)
def pytest_runtest_setup() -> None:
    socket_allow_hosts(["127.0.0.1", "127.0.0.2", "::1"], allow_unix_socket=True)


def pytest_configure(config: pytest.Config) -> None:
    signal.signal(signal.SIGTERM, _end)
    if hasattr(config, "workerinput"):
        signal.signal(signal.SIGINT, _end)


def pytest_xdist_newgateway(gateway: Gateway) -> None:
    _workers.append(gateway._rinfo().pid)


def _end(_number: int, _frame: FrameType | None) -> None:
    """End the run in each of its processes; as xdist interrupts them twice, the second time finds them deaf."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    for worker in _workers:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGTERM)
    raise KeyboardInterrupt


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    begin_with_what_takes_long(items)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByShares:
    config.option.loadscopereorder = False  # xdist would begin with the files of many tests, which are quick
    return ByShares(config, log)
