"""Owners of mailboxes: Cognito users with a password, and the id tokens they sign in with."""

import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from infra.local.clients import Clients
from popfetch.domain.session import claims_of

OWNER_EMAIL = "owner@example.com"


@dataclass(frozen=True)
class Owner:
    """A signed-in owner; ``owner_id`` is the one that popfetch knows them by."""

    email: str
    password: str = field(repr=False)
    id_token: str = field(repr=False)

    @property
    def owner_id(self) -> str:
        """The subject of the token."""
        return str(claims_of(self.id_token)["sub"])


def sign_in(clients: Clients, outputs: Mapping[str, str], email: str, password: str) -> Owner:
    """Make the user if there is none, give it the password, and sign in with it."""
    cognito = clients.cognito()
    pool = outputs["UserPoolId"]
    with suppress(cognito.exceptions.UsernameExistsException):
        cognito.admin_create_user(
            UserPoolId=pool,
            Username=email,
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}],
        )
    cognito.admin_set_user_password(UserPoolId=pool, Username=email, Password=password, Permanent=True)
    answer = cognito.initiate_auth(
        ClientId=outputs["UserPoolClientId"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": email, "PASSWORD": password},
    )
    return Owner(email, password, answer["AuthenticationResult"]["IdToken"])


def kept_password(path: Path) -> str:
    """The password in ``path``, made at the first call; it meets the user pool's rules."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(f"Pf7-{secrets.token_urlsafe(15)}")
    return path.read_text()
