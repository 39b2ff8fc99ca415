"""Who else may reach the stack's resources: nobody in the clear, and services only on behalf of this very stack."""

from typing import Any

import pytest

from tests.template.translated import Resource, of_type, references, translated

POLICIES = {
    name: resource
    for kind in ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy")
    for name, resource in of_type(kind).items()
}
PERMISSIONS = of_type("AWS::Lambda::Permission")
ROLES = of_type("AWS::IAM::Role")

STAR_RESOURCES = {
    "AdministeredByThisAccount": "in a key's own policy, * is the key",
    "UsedForPasswordsOnly": "in a key's own policy, * is the key",
    "Trace": "X-Ray's write actions know no resource (Service Authorization Reference)",
}
"""The statements, by their Sid, that say * for a resource, each with the reason."""

STAR_ACTIONS = {
    "AdministeredByThisAccount": "what administers a key has no shorter name in KMS, and none of it opens anything",
    "OnlyOverTls": "it denies",
}
"""The statements, by their Sid, that have an action with a star, each with the reason."""


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def all_statements(value: Any) -> list[dict[str, Any]]:
    """Every statement of every policy that stands anywhere in the template."""
    if isinstance(value, list):
        return [found for inner in value for found in all_statements(inner)]
    if not isinstance(value, dict):
        return []
    own = [value] if "Effect" in value else []
    return own + [found for inner in value.values() for found in all_statements(inner)]


STATEMENTS = all_statements(translated()["Resources"])


def test_the_walk_finds_the_statements_of_roles_keys_and_resources() -> None:
    found = {statement.get("Sid") for statement in STATEMENTS}
    assert {"StoreMail", "SendFromTheNamedSender", "UsedForPasswordsOnly", "OnlyOverTls"} <= found
    assert len(STATEMENTS) > 60


def test_no_statement_says_what_is_not_meant() -> None:
    for statement in STATEMENTS:
        assert not {"NotAction", "NotResource", "NotPrincipal"} & set(statement), statement


def test_stars_stand_where_there_is_a_reason() -> None:
    resources = {s["Sid"] for s in STATEMENTS if "*" in as_list(s.get("Resource", []))}
    assert resources == set(STAR_RESOURCES)
    actions = {s["Sid"] for s in STATEMENTS if any("*" in str(action) for action in as_list(s["Action"]))}
    assert actions == set(STAR_ACTIONS)


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda s: s.get("Sid", "trust"))
def test_whoever_is_let_in_from_outside_acts_for_this_account(statement: dict[str, Any]) -> None:
    if statement["Effect"] == "Deny" or "Principal" not in statement:
        return
    principal = statement["Principal"]
    if statement["Action"] == "sts:AssumeRole":
        # a role can be given to a function by those of this account alone who may pass it
        assert principal == {"Service": "lambda.amazonaws.com"}
    elif "Service" in principal:
        (source,) = [found["aws:SourceArn"] for found in statement["Condition"].values() if "aws:SourceArn" in found]
        assert references(source) & {"AWS::AccountId", *of_type("AWS::Events::Rule")}, "an ARN of this account"
    else:
        assert references(principal) <= {"AWS::Partition", "AWS::AccountId"}


@pytest.mark.parametrize("name", sorted(PERMISSIONS))
def test_functions_are_invoked_for_their_own_rules_and_routes_only(name: str) -> None:
    permission = PERMISSIONS[name]["Properties"]
    assert permission["Action"] == "lambda:InvokeFunction"
    assert permission["Principal"] in {"events.amazonaws.com", "apigateway.amazonaws.com"}
    (source,) = references(permission["SourceArn"]) - {"AWS::Region", "AWS::AccountId", "__ApiId__", "__Stage__"}
    assert source == "Api" or source in of_type("AWS::Events::Rule")
    if source == "Api":
        pattern, _ = permission["SourceArn"]["Fn::Sub"]
        assert pattern.partition("${__Stage__}/")[2].partition("/")[0] in {"GET", "POST", "PUT", "PATCH", "DELETE"}


def protected_by(policy: Resource) -> set[str]:
    properties = policy["Properties"]
    return references([properties.get(name, []) for name in ("Bucket", "Queues", "Topics")])


def test_nothing_is_reached_in_the_clear() -> None:
    holding = {name for kind in ("AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::SNS::Topic") for name in of_type(kind)}
    refusing = set()
    for policy in POLICIES.values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Deny":
                assert statement["Principal"] == "*"
                assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
                refusing |= references(statement["Resource"])
        assert protected_by(policy) <= refusing
    assert refusing == holding


def test_a_policy_goes_with_its_topic() -> None:
    (topic,), (policy,) = of_type("AWS::SNS::Topic").values(), of_type("AWS::SNS::TopicPolicy").values()
    assert topic["Condition"] == policy["Condition"]


@pytest.mark.parametrize("name", sorted(ROLES))
def test_a_role_is_one_functions_and_nobody_elses(name: str) -> None:
    (trust,) = ROLES[name]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert (trust["Principal"], trust["Action"]) == ({"Service": "lambda.amazonaws.com"}, "sts:AssumeRole")
    (policy,) = ROLES[name]["Properties"]["Policies"]
    sids = [s.get("Sid") or s["Fn::If"][1]["Sid"] for s in policy["PolicyDocument"]["Statement"]]
    assert len(set(sids)) == len(sids), "each statement has a name of its own"
