"""Owners as users of the Cognito user pool: an owner's id is the user's ``sub``."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from popfetch.adapters.dynamodb_items import error_code, translated
from popfetch.ports.owners import OwnerContact

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient


class UserPoolOwners:
    """``OwnerDirectory`` on a user pool whose users sign in by e-mail, so that their user name is their ``sub``."""

    def __init__(self, client: "CognitoIdentityProviderClient", user_pool_id: str) -> None:
        self._client = client
        self._user_pool_id = user_pool_id

    def contact(self, owner_id: str) -> OwnerContact | None:
        """How to reach an owner; ``None`` when they are gone, disabled or have no verified address.

        Raises StorageUnavailable.
        """
        with translated("Looking the owner up"):
            try:
                user = self._client.admin_get_user(UserPoolId=self._user_pool_id, Username=owner_id)
            except ClientError as error:
                if error_code(error) != "UserNotFoundException":
                    raise
                return None
        attributes = {attribute["Name"]: attribute.get("Value", "") for attribute in user.get("UserAttributes", [])}
        # an alias could lead to someone else's user; only the subject says whose it is
        is_theirs = attributes.get("sub") == owner_id and user.get("Enabled", False)
        if not is_theirs or attributes.get("email_verified") != "true" or not attributes.get("email"):
            return None
        return OwnerContact(attributes["email"], attributes.get("locale", ""))
