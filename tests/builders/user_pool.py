"""moto's user pool with its client, made from the properties in our own template, and the owners in it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3

from tests.builders.aws import template_properties

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

EMAIL = "anna@example.com"
PASSWORD = "Canary-Password-7"
NEW_PASSWORD = "Canary-New-Password-8"


def a_pool_with_an_owner(email: str = "owner@example.com") -> tuple[str, str]:
    """The id of a pool of its own, and of the owner in it, whose address is verified."""
    cognito = boto3.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="popfetch", UsernameAttributes=["email"])["UserPool"]["Id"]
    user = cognito.admin_create_user(
        UserPoolId=pool, Username=email, UserAttributes=[{"Name": "email_verified", "Value": "true"}]
    )["User"]
    return pool, user["Username"]


@dataclass(frozen=True)
class UserPool:
    """A pool under moto. Its codes are right when they begin with anything but moto's own prefix."""

    cognito: "CognitoIdentityProviderClient"
    pool_id: str
    client_id: str

    def add_owner(self, email: str = EMAIL, *, permanent: bool = True) -> None:
        """A user with ``PASSWORD``, which is the operator's and to be changed where it is not permanent."""
        self.cognito.admin_create_user(
            UserPoolId=self.pool_id,
            Username=email,
            TemporaryPassword=PASSWORD,
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}],
        )
        if permanent:
            self.cognito.admin_set_user_password(
                UserPoolId=self.pool_id, Username=email, Password=PASSWORD, Permanent=True
            )

    def ask_for_codes(self, email: str = EMAIL) -> None:
        """Let a user sign in with the code of an authenticator app as well."""
        tokens = self.cognito.initiate_auth(
            ClientId=self.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": email, "PASSWORD": PASSWORD},
        )["AuthenticationResult"]
        self.cognito.associate_software_token(AccessToken=tokens["AccessToken"])
        self.cognito.verify_software_token(AccessToken=tokens["AccessToken"], UserCode="123456")
        self.cognito.set_user_mfa_preference(
            AccessToken=tokens["AccessToken"], SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True}
        )


def a_user_pool() -> UserPool:
    """A pool without users, for a test under moto."""
    cognito = boto3.client("cognito-idp")
    properties, client = template_properties("UserPool"), template_properties("UserPoolClient")
    of_pool = ("UsernameAttributes", "AutoVerifiedAttributes", "AccountRecoverySetting", "Policies")
    of_client = ("GenerateSecret", "ExplicitAuthFlows", "PreventUserExistenceErrors")
    pool = cognito.create_user_pool(PoolName="popfetch", **{name: properties[name] for name in of_pool})
    pool_id = pool["UserPool"]["Id"]
    made = cognito.create_user_pool_client(
        UserPoolId=pool_id, ClientName="popfetch", **{name: client[name] for name in of_client}
    )
    return UserPool(cognito, pool_id, made["UserPoolClient"]["ClientId"])
