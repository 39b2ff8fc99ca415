"""The wiring of what owners are written to with: who they are, and what sends mail in popfetch's own name."""

from functools import cache
from typing import TYPE_CHECKING

from popfetch.runtime.aws_clients import aws_client
from popfetch.runtime.settings import Settings

if TYPE_CHECKING:
    from popfetch.adapters.mailer import SesMailer
    from popfetch.adapters.owner_directory import UserPoolOwners


@cache
def owner_directory() -> "UserPoolOwners":
    """The stack's owners."""
    from popfetch.adapters.owner_directory import UserPoolOwners

    return UserPoolOwners(aws_client("cognito-idp"), Settings.from_environment().require("user_pool_id"))


@cache
def own_mailer() -> "SesMailer | None":
    """What sends mail; ``None`` where the operator has named no sender."""
    from popfetch.adapters.mailer import SesMailer

    sender = Settings.from_environment().sender_address
    return SesMailer(aws_client("sesv2"), sender) if sender else None
