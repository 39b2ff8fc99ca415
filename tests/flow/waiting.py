"""Waiting for what the stack does by itself."""

import time
from collections.abc import Callable

import pytest

from infra.local.stored import last_log_lines
from infra.local.workspace import STACK_NAME
from tests.flow.conftest import LocalStack

PATIENCE_SECONDS = 180


def wait_for(what: str, done: Callable[[], bool], stack: LocalStack) -> None:
    """Wait until ``done``; fail with what the functions logged when it takes too long."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not done():
        if time.monotonic() > give_up_at:
            pytest.fail(f"{what} did not happen.\n{last_log_lines(stack.clients, STACK_NAME)}")
        time.sleep(1)
