"""A stack is updated under load: nothing that holds something is ever replaced by an update."""

import re
from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]

from tests.template.translated import of_type, references, source, translated

HOLDING = (
    *("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::KMS::Key"),
    *("AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient", "AWS::Events::EventBus", "AWS::Logs::LogGroup"),
)
RESOURCES = {name: body for kind in HOLDING for name, body in of_type(kind).items()}

KEY_SCHEMA = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
FIFO = {"FifoQueue": True}
NAMED_BY_THE_STACK = {"Name": {"Ref": "AWS::StackName"}}

REPLACED_IF_CHANGED: dict[str, dict[str, Any]] = {
    "Table": {"KeySchema": KEY_SCHEMA},
    "FetchQueue": FIFO,
    "FetchDeadLetters": FIFO,
    "UserPoolClient": {"GenerateSecret": False, "UserPoolId": {"Ref": "UserPool"}},
    "EventBus": NAMED_BY_THE_STACK,
}
"""The properties whose change would make CloudFormation replace a resource, as stacks in use have them: never to be
changed, and none to be added. Log groups, whose name is all that they have of this kind, are named by the stack."""


def properties_that_replace(kind: str) -> set[str]:
    """What AWS says of a kind: the first names of the properties that no update can change."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    paths = [*schema.get("createOnlyProperties", []), *schema.get("conditionalCreateOnlyProperties", [])]
    return {path.split("/")[2] for path in paths}


@pytest.mark.parametrize("name", sorted(RESOURCES))
def test_an_update_replaces_nothing_that_holds_something(name: str) -> None:
    kind, properties = RESOURCES[name]["Type"], RESOURCES[name]["Properties"]
    found = {key: properties[key] for key in properties_that_replace(kind) & set(properties)}
    if kind == "AWS::Logs::LogGroup":
        assert found["LogGroupName"]["Fn::Sub"].startswith("/aws/lambda/${AWS::StackName}-")
    else:
        assert found == REPLACED_IF_CHANGED.get(name, {})


@pytest.mark.parametrize("kind", ["AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Cognito::UserPool"])
def test_what_cannot_be_had_again_would_be_kept_even_then(kind: str) -> None:
    for name, body in of_type(kind).items():
        assert body["UpdateReplacePolicy"] == "Retain", name


def test_callers_come_by_an_alias_so_that_a_running_invocation_ends_on_its_version() -> None:
    for name, mapping in of_type("AWS::Lambda::EventSourceMapping").items():
        assert "Alias" in str(mapping["Properties"]["FunctionName"]), name
    for name, rule in of_type("AWS::Events::Rule").items():
        for target in rule["Properties"]["Targets"]:
            assert "Alias" in str(target["Arn"]), name


def test_versions_stay_so_that_the_alias_can_be_turned_back() -> None:
    assert {version["DeletionPolicy"] for version in of_type("AWS::Lambda::Version").values()} == {"Retain"}


FUNCTIONS = of_type("AWS::Lambda::Function")
ONLY_WHETHER = {"ExtraCaFile": "IsExtraCaGiven", "OwnAutoconfigFile": "IsOwnAutoconfigGiven"}
"""Of a path it is told only whether there is one: descriptions are short, and another file comes with other code."""


def depends_on(value: Any) -> set[str]:
    """The parameters and conditions that decide a value."""
    if isinstance(value, list):
        return {found for inner in value for found in depends_on(inner)}
    if not isinstance(value, dict):
        return set()
    conditions = {value["Fn::If"][0]} if "Fn::If" in value else set()
    return (references(value) & set(translated()["Parameters"])) | conditions | depends_on(list(value.values()))


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_another_value_of_a_parameter_publishes_a_version_of_just_the_functions_that_are_made_with_it(
    name: str,
) -> None:
    (version,) = [
        body["Properties"]
        for body in of_type("AWS::Lambda::Version").values()
        if references(body["Properties"]["FunctionName"]) == {name}
    ]
    made_with = {ONLY_WHETHER.get(found, found) for found in depends_on(FUNCTIONS[name]["Properties"])}
    template, values = version["Description"]["Fn::Sub"]
    told = {found for found in re.findall(r"\$\{(\w+)\}", template) if found not in values} | depends_on(values)
    # which lines the platform lets through follows from LogLevel, which is told
    assert told == made_with - {"AreDebugLinesWanted"}


def test_a_description_has_room_for_the_longest_values() -> None:
    assert (
        source()["Parameters"]["SenderAddress"]["MaxLength"] + len("x86_64 PassThrough WARNING false 1000 snapshot ca")
        < 256
    )


@pytest.mark.parametrize("version", sorted(of_type("AWS::Lambda::Version")))
def test_a_version_that_gives_way_to_another_stays_for_whoever_still_runs_it(version: str) -> None:
    assert translated()["Resources"][version]["UpdateReplacePolicy"] == "Retain"


def test_an_update_leaves_the_rule_in_the_state_that_an_operator_gave_it() -> None:
    # CloudFormation writes a rule only where the template's has changed; no version's number may stand in it
    (rule,) = [body for name, body in of_type("AWS::Events::Rule").items() if name.startswith("DispatchFunction")]
    assert "Version" not in str(rule["Properties"])
    assert translated()["Outputs"]["ScheduleRuleName"]["Value"] == {"Ref": "DispatchFunctionEveryMinute"}
