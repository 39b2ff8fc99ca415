"""The functions in processes that are killed and fed with faults, and in a hurry.

Thousands of cycles are to run in minutes: whoever waits for a server that says nothing waits half a second here, and
what is tried again is tried again at once. How often it is tried, and all else, is as it ships.
"""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import botocore.endpoint
import cryptography.hazmat.primitives.ciphers.aead
import opendal.layers

from popfetch.adapters import opendal_mail_store
from popfetch.adapters.pop3_dialer import Pop3Dialer
from popfetch.pop3.limits import DEFAULT_LIMITS
from popfetch.runtime import aws_clients
from tests.real.fetch_process import main

AT_HAND = (cryptography.hazmat.primitives.ciphers.aead, opendal.layers)
"""What functions import when they first need it: here, once for all processes."""

MODULE = "tests.chaos.function_process"

PATIENCE = 0.6
"""Seconds that an answer is waited for, whoever is asked."""


def hurry() -> None:
    """Shorten what a process waits."""
    cast(Any, aws_clients.aws_client).__wrapped__.__kwdefaults__["read_seconds"] = PATIENCE
    cast(Any, botocore.endpoint).time = SimpleNamespace(sleep=lambda _: None)
    opendal_mail_store.ATTEMPT_SECONDS = PATIENCE
    opendal_mail_store.FIRST_PAUSE, opendal_mail_store.LONGEST_PAUSE = 0.01, 0.05
    limits = replace(
        DEFAULT_LIMITS, greeting_seconds=PATIENCE, reply_seconds=PATIENCE, idle_seconds=PATIENCE, quit_seconds=PATIENCE
    )
    cast(Any, Pop3Dialer.__init__).__kwdefaults__["limits"] = limits


if __name__ == "__main__":
    hurry()
    main()
