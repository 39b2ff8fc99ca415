"""AWS clients that talk to the engine."""

from typing import TYPE_CHECKING

import boto3

from infra.local.workspace import REGION, Workspace

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_dynamodb import DynamoDBServiceResource
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient


class Clients:
    """One session for all clients of a workspace's engine."""

    def __init__(self, workspace: Workspace) -> None:
        self._endpoint_url = workspace.endpoint_url
        self._session = boto3.Session("test", "test", region_name=REGION)

    def apigateway(self) -> "APIGatewayClient":
        """APIs."""
        return self._session.client("apigateway", endpoint_url=self._endpoint_url)

    def cloudformation(self) -> "CloudFormationClient":
        """Stacks."""
        return self._session.client("cloudformation", endpoint_url=self._endpoint_url)

    def cognito(self) -> "CognitoIdentityProviderClient":
        """Owners."""
        return self._session.client("cognito-idp", endpoint_url=self._endpoint_url)

    def dynamodb(self) -> "DynamoDBServiceResource":
        """Tables."""
        return self._session.resource("dynamodb", endpoint_url=self._endpoint_url)

    def events(self) -> "EventBridgeClient":
        """Event buses."""
        return self._session.client("events", endpoint_url=self._endpoint_url)

    def functions(self) -> "LambdaClient":
        """Functions."""
        return self._session.client("lambda", endpoint_url=self._endpoint_url)

    def iam(self) -> "IAMClient":
        """Roles."""
        return self._session.client("iam", endpoint_url=self._endpoint_url)

    def kms(self) -> "KMSClient":
        """Keys."""
        return self._session.client("kms", endpoint_url=self._endpoint_url)

    def logs(self) -> "CloudWatchLogsClient":
        """What functions logged."""
        return self._session.client("logs", endpoint_url=self._endpoint_url)

    def s3(self) -> "S3Client":
        """Stored mail."""
        return self._session.client("s3", endpoint_url=self._endpoint_url)

    def sesv2(self) -> "SESV2Client":
        """Sent mail."""
        return self._session.client("sesv2", endpoint_url=self._endpoint_url)

    def ssm(self) -> "SSMClient":
        """Parameters, such as the registrations at providers."""
        return self._session.client("ssm", endpoint_url=self._endpoint_url)

    def sqs(self) -> "SQSClient":
        """Queues."""
        return self._session.client("sqs", endpoint_url=self._endpoint_url)
