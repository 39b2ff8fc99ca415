"""What tests with real servers share, and a bound on every test's time.

A dovecot, a postfix, a provider of tokens and a Chromium of their own, and moto.
"""

import signal
from collections.abc import Iterator
from types import FrameType

import pytest

from tests.builders.aws import Aws, aws
from tests.flow.conftest import LocalStack
from tests.real import browser as chromium
from tests.real import dovecot as dovecot_server
from tests.real import oidc_provider, smtp_server
from tests.real.console import Console
from tests.real.deployed import deployed

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
def oidc_installed() -> None:
    """Skips a test where the provider of tokens is missing; for tests that start it with settings of their own."""
    if why := oidc_provider.missing():
        pytest.skip(why)


@pytest.fixture
def oidc(oidc_installed: None) -> Iterator[oidc_provider.OidcProvider]:
    with oidc_provider.OidcProvider() as provider:
        yield provider


@pytest.fixture
def dovecot_with_tokens(dovecot_installed: None, oidc: oidc_provider.OidcProvider) -> Iterator[dovecot_server.Dovecot]:
    """A dovecot that takes passwords and the tokens of ``oidc``."""
    with dovecot_server.Dovecot(oauth2=oidc) as server:
        yield server


@pytest.fixture
def smtp_with_tokens(
    smtp_server_installed: None, dovecot_with_tokens: dovecot_server.Dovecot
) -> Iterator[smtp_server.SmtpServer]:
    """A postfix that takes passwords and the tokens of ``oidc``."""
    with smtp_server.SmtpServer(dovecot_with_tokens) as server:
        yield server


@pytest.fixture
def browser() -> Iterator[chromium.Browser]:
    """A Chromium; for tests that are plain functions."""
    if why := chromium.missing():
        pytest.skip(why)
    with chromium.Browser() as running:
        yield running


@pytest.fixture(scope="session")
def stack_without_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The deployed stack, for tests of the console that bring their mail themselves; one for all of them."""
    if why := chromium.missing():
        pytest.skip(why)
    with deployed([], tmp_path_factory.mktemp("trust")) as stack:
        yield stack


@pytest.fixture(scope="module")
def console(stack_without_servers: LocalStack) -> Iterator[Console]:
    """The console in a browser, and somebody signed in there."""
    with chromium.Browser() as running:
        console = Console(running, stack_without_servers)
        console.sign_in()
        yield console


@pytest.fixture
def cloud() -> Iterator[Aws]:
    with aws() as stack:
        yield stack
