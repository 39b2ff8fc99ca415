"""What tests with real servers share: a dovecot and a postfix of their own, moto, and a bound on every test's time."""

import signal
from collections.abc import Iterator
from types import FrameType

import pytest

from tests.builders.aws import Aws, aws
from tests.real import dovecot as dovecot_server
from tests.real import smtp_server

SECONDS = 60
"""What a test may take, unless its module sets ``SECONDS`` itself."""


@pytest.fixture(autouse=True)
def _own_time(request: pytest.FixtureRequest) -> Iterator[None]:
    seconds = getattr(request.module, "SECONDS", SECONDS)

    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"The test took more than {seconds} seconds.")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def dovecot_installed() -> None:
    """Skips a test where dovecot is missing; for tests that start it with settings of their own."""
    if dovecot_server.binary() is None:
        pytest.skip("dovecot-pop3d is not installed")


@pytest.fixture
def dovecot(dovecot_installed: None) -> Iterator[dovecot_server.Dovecot]:
    with dovecot_server.Dovecot() as server:
        yield server


@pytest.fixture
def smtp_server_installed(dovecot_installed: None) -> None:
    """Skips a test where postfix is missing; for tests that start it with settings of their own."""
    if why := smtp_server.missing():
        pytest.skip(why)


@pytest.fixture
def smtp(smtp_server_installed: None, dovecot: dovecot_server.Dovecot) -> Iterator[smtp_server.SmtpServer]:
    with smtp_server.SmtpServer(dovecot) as server:
        yield server


@pytest.fixture
def cloud() -> Iterator[Aws]:
    with aws() as stack:
        yield stack
