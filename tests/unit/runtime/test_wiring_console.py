"""The console's wiring: owners get an answer within their request, whatever Cognito does."""

from collections.abc import Iterator

import pytest

from popfetch.adapters.owner_sessions import UserPoolSessions
from popfetch.runtime import wiring_console
from popfetch.runtime.aws_clients import aws_client
from popfetch.runtime.observability import new_journal
from popfetch.runtime.settings import SettingMissing
from tests.builders.aws import aws, template_properties
from tests.builders.wiring import forget_wiring

CLIENT_ID = "POPFETCH_USER_POOL_CLIENT_ID"


@pytest.fixture(autouse=True)
def _unwired() -> Iterator[None]:
    forget_wiring()
    with aws():
        yield
    forget_wiring()


def test_cognito_is_given_up_before_the_function_is() -> None:
    read, attempts = wiring_console.COGNITO_READ_SECONDS, wiring_console.COGNITO_ATTEMPTS
    config = aws_client("cognito-idp", read_seconds=read, attempts=attempts).meta.config
    assert (config.read_timeout, config.retries["total_max_attempts"]) == (read, attempts)
    assert (config.connect_timeout + read) * attempts < template_properties("ConsoleFunction")["Timeout"]


def test_sessions_are_those_of_the_client_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    journal = new_journal()
    monkeypatch.delenv(CLIENT_ID, raising=False)
    with pytest.raises(SettingMissing):
        wiring_console.sessions(journal)
    monkeypatch.setenv(CLIENT_ID, "the-client")
    assert isinstance(wiring_console.sessions(journal).owners, UserPoolSessions)
