"""A deployed stack as the operator's tools reach it: its resources by their names in the template."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3

from infra.local.workspace import STACK_NAME, Workspace

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient


class NoSuchStack(Exception):
    """There is no such stack where it was looked for; the message says where that was."""


@dataclass(frozen=True)
class Deployed:
    """The clients, and what a resource of the template is called in reality."""

    sqs: "SQSClient"
    functions: "LambdaClient"
    dynamodb: "DynamoDBClient"
    s3: "S3Client"
    events: "EventBridgeClient"
    resources: Mapping[str, str]

    def named(self, logical_id: str) -> str:
        """The physical name of a resource: of a queue its URL."""
        return self.resources[logical_id]


def add_arguments(parser: ArgumentParser) -> None:
    """Let the caller say which stack is meant."""
    parser.add_argument("--stack", default=STACK_NAME, help="the stack's name (%(default)s)")
    parser.add_argument("--region", help="the stack's region; otherwise that of the profile")
    parser.add_argument("--profile", help="the profile to sign in with; otherwise that of the environment")
    parser.add_argument("--endpoint-url", help="an engine to ask in place of AWS")
    parser.add_argument("--local", action="store_true", help="the stack that `make up` runs on this machine")


def deployed(chosen: Namespace) -> Deployed:
    """The stack that was chosen. Raises NoSuchStack, and botocore's errors for AWS that does not answer."""
    options: dict[str, Any] = {"profile_name": chosen.profile, "region_name": chosen.region}
    endpoint = chosen.endpoint_url
    if chosen.local:
        file = Workspace.of_this_clone().outputs_file
        if not file.exists():
            raise NoSuchStack("Nothing runs on this machine; say `make up`.")
        outputs = json.loads(file.read_text())
        endpoint = outputs["EndpointUrl"]
        options["region_name"] = outputs["Region"]
    if endpoint and not chosen.profile:
        options |= {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    session = boto3.Session(**options)
    pages = (
        session.client("cloudformation", endpoint_url=endpoint)
        .get_paginator("list_stack_resources")
        .paginate(StackName=chosen.stack)
    )
    resources = {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource.get("PhysicalResourceId")
    }
    if "FetchQueue" not in resources:
        raise NoSuchStack(f"{chosen.stack} is no stack of popfetch's.")
    return Deployed(
        sqs=session.client("sqs", endpoint_url=endpoint),
        functions=session.client("lambda", endpoint_url=endpoint),
        dynamodb=session.client("dynamodb", endpoint_url=endpoint),
        s3=session.client("s3", endpoint_url=endpoint),
        events=session.client("events", endpoint_url=endpoint),
        resources=resources,
    )
