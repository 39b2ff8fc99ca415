"""How the operator's tools find a stack's resources."""

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from infra.deployed import NoSuchStack, add_arguments, deployed
from infra.local.workspace import Workspace

REGION = "eu-central-1"


def chosen(*arguments: str) -> Namespace:
    parser = ArgumentParser()
    add_arguments(parser)
    return parser.parse_args([*arguments, "--region", REGION])


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")


def deploy(name: str, *queues: str) -> None:
    resources = {queue: {"Type": "AWS::SQS::Queue"} for queue in queues}
    cloudformation = boto3.client("cloudformation", region_name=REGION)
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}))


def test_resources_are_found_by_their_names_in_the_template_however_many_there_are() -> None:
    with mock_aws():
        names = ["FetchQueue", *(f"Queue{number}" for number in range(120))]
        deploy("popfetch", *names)
        found = deployed(chosen())
        assert set(found.resources) == set(names)
        assert found.named("FetchQueue").startswith("https://")


def test_another_stack_is_not_taken_for_popfetchs() -> None:
    with mock_aws():
        deploy("other", "SomeQueue")
        with pytest.raises(NoSuchStack, match="other"):
            deployed(chosen("--stack", "other"))


def test_a_stack_that_is_not_there_is_told() -> None:
    with mock_aws(), pytest.raises(ClientError, match="popfetch"):
        deployed(chosen())


def test_the_local_stack_has_to_be_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Workspace, "of_this_clone", lambda: Workspace(tmp_path, 4566))
    with pytest.raises(NoSuchStack, match="make up"):
        deployed(chosen("--local"))
