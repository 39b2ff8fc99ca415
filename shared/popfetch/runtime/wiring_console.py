"""The wiring of the console: each piece is built once, on first use. Pages need nothing of AWS."""

from functools import cache
from pathlib import Path

from popfetch.adapters.site_folder import SiteFolder
from popfetch.ports.invocation import Journal
from popfetch.runtime.aws_clients import bucket_place
from popfetch.runtime.settings import Settings
from popfetch.services.sessions import Sessions

COGNITO_READ_SECONDS, COGNITO_ATTEMPTS = 8, 2
"""With five seconds to connect that ends before the function does, so that owners get an answer."""


@cache
def sessions(journal: Journal) -> Sessions:
    """The verbs over sessions, on the stack's user pool."""
    from popfetch.adapters.owner_sessions import UserPoolSessions
    from popfetch.runtime.aws_clients import aws_client

    client_id = Settings.from_environment().require("user_pool_client_id")
    client = aws_client("cognito-idp", read_seconds=COGNITO_READ_SECONDS, attempts=COGNITO_ATTEMPTS)
    return Sessions(UserPoolSessions(client, client_id), journal)


@cache
def site(folder: Path) -> SiteFolder:
    """The built web app in a folder."""
    return SiteFolder(folder)


@cache
def mail_origins() -> tuple[str, ...]:
    """Where presigned addresses of the bucket lead: its hosts in S3, or an engine that stands in for it."""
    place = bucket_place(Settings.from_environment().require("mail_bucket_name"))
    if place.endpoint:
        return (place.origin,)
    return place.origin, f"https://{place.bucket}.s3.{place.suffix}"
