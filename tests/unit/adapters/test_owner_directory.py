"""Owners in the user pool: found by their id alone, and only with an address that is theirs."""

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

from popfetch.adapters.owner_directory import UserPoolOwners
from popfetch.domain.errors import StorageUnavailable
from popfetch.ports.owners import OwnerContact
from tests.builders.accounts import OWNER
from tests.builders.aws import Aws, template_properties

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

ADDRESS = "owner@example.com"


@pytest.fixture
def cognito(aws: Aws) -> "CognitoIdentityProviderClient":
    return boto3.client("cognito-idp")


@pytest.fixture
def pool(cognito: "CognitoIdentityProviderClient") -> str:
    properties = template_properties("UserPool")
    wanted = ("UsernameAttributes", "AutoVerifiedAttributes")
    made = cognito.create_user_pool(PoolName="popfetch", **{name: properties[name] for name in wanted})
    return made["UserPool"]["Id"]


def add_user(cognito: "CognitoIdentityProviderClient", pool: str, **attributes: str) -> str:
    """Returns the user's sub, which is what the API knows owners by."""
    values = {"email": ADDRESS, "email_verified": "true", **attributes}
    user = cognito.admin_create_user(
        UserPoolId=pool,
        Username=ADDRESS,
        MessageAction="SUPPRESS",
        UserAttributes=[{"Name": name, "Value": value} for name, value in values.items()],
    )["User"]
    return next(attribute["Value"] for attribute in user["Attributes"] if attribute["Name"] == "sub")


def test_an_owner_is_found_by_id(cognito: "CognitoIdentityProviderClient", pool: str) -> None:
    owner_id = add_user(cognito, pool, locale="vi-VN")
    assert UserPoolOwners(cognito, pool).contact(owner_id) == OwnerContact(ADDRESS, "vi-VN")


def test_an_owner_who_said_no_language_has_none(cognito: "CognitoIdentityProviderClient", pool: str) -> None:
    assert UserPoolOwners(cognito, pool).contact(add_user(cognito, pool)) == OwnerContact(ADDRESS, "")


def test_nobody_is_found_by_an_address(cognito: "CognitoIdentityProviderClient", pool: str) -> None:
    add_user(cognito, pool)
    assert UserPoolOwners(cognito, pool).contact(ADDRESS) is None


def test_an_owner_who_is_gone_has_no_address(cognito: "CognitoIdentityProviderClient", pool: str) -> None:
    assert UserPoolOwners(cognito, pool).contact(OWNER) is None


def test_a_disabled_owner_is_left_alone(cognito: "CognitoIdentityProviderClient", pool: str) -> None:
    owner_id = add_user(cognito, pool)
    cognito.admin_disable_user(UserPoolId=pool, Username=owner_id)
    assert UserPoolOwners(cognito, pool).contact(owner_id) is None


def test_an_address_that_is_not_verified_is_not_written_to(cognito: "CognitoIdentityProviderClient", pool: str) -> None:
    owner_id = add_user(cognito, pool, email_verified="false")
    assert UserPoolOwners(cognito, pool).contact(owner_id) is None


@pytest.mark.parametrize(("code", "status"), [("TooManyRequestsException", 400), ("InternalErrorException", 500)])
def test_a_pool_that_does_not_answer_is_to_be_asked_again(
    cognito: "CognitoIdentityProviderClient", pool: str, code: str, status: int
) -> None:
    stubber = Stubber(cognito)
    expected: dict[str, Any] = {"UserPoolId": pool, "Username": OWNER}
    stubber.add_client_error("admin_get_user", code, http_status_code=status, expected_params=expected)
    with stubber, pytest.raises(StorageUnavailable, match=code):
        UserPoolOwners(cognito, pool).contact(OWNER)
