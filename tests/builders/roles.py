"""The roles of the template as IAM judges them: which requests a function makes of AWS, and what its role lets it do.

The judge is MiniStack's, given the condition keys that AWS sends along; the engine itself does not send them all.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.model import OperationModel
from ministack.core.iam_evaluator import (  # type: ignore[import-untyped]
    EvalContext,
    ParsedStatement,
    evaluate,
    parse_policy_document,
)

from tests.builders.aws import BUCKET, REGION, TABLE
from tests.template.translated import of_type, translated

ACCOUNT = "123456789012"
"""moto's AWS account."""

STACK = "popfetch"
SENDER = "popfetch@example.com"
BUS = "popfetch-bus"
LETTERS = "letters.fifo"
POOL_ID = "eu-central-1_aBcDeF123"

_QUERIED = re.compile(r"(?:#\w+|\w+) = (:\w+)")
_AS_ONE = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:UploadPart": "s3:PutObject",
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:DeleteObjects": "s3:DeleteObject",
}
"""Operations that are permitted by the action of another (Service Authorization Reference)."""

_ASKS_FOR_NO_PERMISSION = frozenset(
    {
        "cognito-idp:InitiateAuth",
        "cognito-idp:RespondToAuthChallenge",
        "cognito-idp:RevokeToken",
        "cognito-idp:ForgotPassword",
        "cognito-idp:ConfirmForgotPassword",
    }
)
_WRITTEN = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}


@dataclass(frozen=True)
class Asked:
    """One thing that is asked of AWS, as IAM sees it."""

    action: str
    resource: str
    context: Mapping[str, Any] = field(default_factory=dict)


def value_of(value: Any, **others: str) -> Any:
    """A value of the template with what the stack has in place of its references; ``others`` are values by name."""
    known = {**_values(), **others}
    match value:
        case {"Ref": name}:
            return known[name]
        case {"Fn::GetAtt": [name, attribute]}:
            return known[f"{name}.{attribute}"]
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([^}]+)\}", lambda found: str(known[found[1]]), text)
        case {"Fn::If": [_, chosen, _]}:
            return value_of(chosen, **others)
        case dict():
            return {key: value_of(inner, **others) for key, inner in value.items()}
        case list():
            return [value_of(inner, **others) for inner in value]
        case _:
            return value


@cache
def _values() -> dict[str, str]:
    def arn(service: str, what: str) -> str:
        return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{what}"

    values = {
        "AWS::Partition": "aws",
        "AWS::Region": REGION,
        "AWS::AccountId": ACCOUNT,
        "AWS::StackName": STACK,
        "Table": TABLE,
        "Table.Arn": arn("dynamodb", f"table/{TABLE}"),
        "MailBucket": BUCKET,
        "MailBucket.Arn": f"arn:aws:s3:::{BUCKET}",
        "FetchQueue.Arn": arn("sqs", "popfetch.fifo"),
        "FetchDeadLetters.Arn": arn("sqs", LETTERS),
        "EventBus": BUS,
        "EventBus.Arn": arn("events", f"event-bus/{BUS}"),
        "UserPool": POOL_ID,
        "UserPool.Arn": arn("cognito-idp", f"userpool/{POOL_ID}"),
        "CredentialsKey.Arn": arn("kms", "key/0b7d5ad2-5f8c-4d1b-9a55-1d1f5c5a7e01"),
        "SenderAddress": SENDER,
    }
    values |= {name: str(given["Default"]) for name, given in translated()["Parameters"].items() if name not in values}
    for name in translated()["Resources"]:
        if name.endswith("LogGroup"):
            values[f"{name}.Arn"] = arn("logs", f"log-group:{name}")
        elif name.endswith("DeadLetters"):
            values.setdefault(f"{name}.Arn", arn("sqs", name))
    return values


def granted(role: str, **others: str) -> list[ParsedStatement]:
    """The statements of a role, those that depend on a parameter among them."""
    (policy,) = of_type("AWS::IAM::Role")[role]["Properties"]["Policies"]
    statements: list[ParsedStatement] = parse_policy_document(value_of(policy["PolicyDocument"], **others))
    return statements


def sid_that_allows(statements: list[ParsedStatement], asked: Asked) -> str:
    """The statement by which something may be done; empty where nothing allows it."""
    context = EvalContext(
        principal_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/role/function",
        principal_type="AssumedRole",
        principal_account=ACCOUNT,
        action=asked.action,
        resource_arn=asked.resource,
        region=REGION,
        secure_transport=True,
        service_context={name.lower(): value for name, value in asked.context.items()},
    )
    result = evaluate(context, [statements])
    return result.matched_sid if result.decision == "Allow" else ""


@contextmanager
def recording(patch: pytest.MonkeyPatch, asked: list[Asked]) -> Iterator[None]:
    """Add to ``asked`` what is asked of AWS meanwhile, by boto3 and by whoever gets an address that is signed."""
    emit = BaseClient._emit_api_params  # type: ignore[attr-defined]

    def note(client: Any, api_params: Any, operation_model: OperationModel, context: Any) -> Any:
        asked.extend(requests_of(client.meta.service_model.service_name, operation_model.name, api_params))
        return emit(client, api_params=api_params, operation_model=operation_model, context=context)

    with patch.context() as patched:
        patched.setattr(BaseClient, "_emit_api_params", note)
        yield


def requests_of(service: str, operation: str, parameters: Mapping[str, Any]) -> list[Asked]:
    """A call of boto3 as what IAM is asked."""
    name = _AS_ONE.get(f"{service}:{operation}", f"{service}:{operation}")
    match service:
        case "dynamodb":
            return list(_of_table(operation, parameters))
        case "sqs":
            queue = parameters["QueueUrl"].rpartition("/")[2]
            return [Asked(name, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}")]
        case "s3":
            return _of_bucket(name, parameters)
        case "kms":
            given = {f"kms:EncryptionContext:{key}": value for key, value in parameters["EncryptionContext"].items()}
            given["kms:EncryptionContextKeys"] = list(parameters["EncryptionContext"])
            return [Asked(name, parameters["KeyId"], given)]
        case "sesv2":
            identity = f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/{parameters['FromEmailAddress'].rpartition('@')[2]}"
            sender = {"ses:FromAddress": parameters["FromEmailAddress"]}
            actions = ["ses:SendEmail", *(["ses:SendRawEmail"] if "Raw" in parameters["Content"] else [])]
            return [Asked(action, identity, sender) for action in actions]
        case "ssm":
            return [Asked(name, f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{parameters['Name']}")]
        case "events":
            bus = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{{}}"
            return [
                Asked(name, bus.format(entry["EventBusName"]), {"events:source": entry["Source"]})
                for entry in parameters["Entries"]
            ]
        case "cognito-idp" if name in _ASKS_FOR_NO_PERMISSION:
            return []
        case "cognito-idp":
            return [Asked(name, f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{parameters['UserPoolId']}")]
        case _:
            raise AssertionError(f"Nothing here knows what IAM is asked for {service}:{operation}.")


def _of_table(operation: str, parameters: Mapping[str, Any]) -> Iterator[Asked]:
    def about(action: str, table: str, keys: list[str], index: str = "") -> Asked:
        resource = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}{f'/index/{index}' if index else ''}"
        return Asked(f"dynamodb:{action}", resource, {"dynamodb:LeadingKeys": keys})

    match operation:
        case "TransactWriteItems":
            # What IAM is shown of a transaction's partitions is written nowhere: each write's own, all, or none.
            enclosing = {"dynamodb:EnclosingOperation": [operation]}
            writes = [next(iter(write.items())) for write in parameters["TransactItems"]]
            together = [_partition(what) for _, what in writes]
            for kind, what in writes:
                one = about(_WRITTEN[kind], what["TableName"], [])
                yield replace(one, context=enclosing)
                yield replace(one, context={"dynamodb:LeadingKeys": [_partition(what)], **enclosing})
                yield replace(one, context={"dynamodb:LeadingKeys": together, **enclosing})
        case "BatchGetItem":
            for table, read in parameters["RequestItems"].items():
                yield about(operation, table, [key["pk"]["S"] for key in read["Keys"]])
        case "BatchWriteItem":
            for table, writes in parameters["RequestItems"].items():
                yield about(operation, table, [_partition(next(iter(write.values()))) for write in writes])
        case "Query":
            found = _QUERIED.search(parameters["KeyConditionExpression"])
            assert found, parameters
            value = parameters["ExpressionAttributeValues"][found[1]]["S"]
            yield about(operation, parameters["TableName"], [value], parameters.get("IndexName", ""))
        case _:
            yield about(operation, parameters["TableName"], [_partition(parameters)])


def _partition(write: Mapping[str, Any]) -> str:
    key = write.get("Key") or write["Item"]
    partition: str = key["pk"]["S"]
    return partition


def _of_bucket(action: str, parameters: Mapping[str, Any]) -> list[Asked]:
    bucket = f"arn:aws:s3:::{parameters['Bucket']}"
    if action == "s3:ListBucket":
        return [Asked(action, bucket, {"s3:prefix": parameters["Prefix"]} if "Prefix" in parameters else {})]
    if "Delete" in parameters:
        return [Asked(action, f"{bucket}/{found['Key']}") for found in parameters["Delete"]["Objects"]]
    return [Asked(action, f"{bucket}/{parameters['Key']}")]
