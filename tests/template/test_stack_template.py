"""The promises of the template, asserted on what CloudFormation is given."""

import re
from dataclasses import fields
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

import pytest

from popfetch.adapters import keys
from popfetch.adapters.event_bus import SOURCE
from popfetch.api.event_models import AccountAuthFailed, AccountConnectionFailed
from popfetch.api.public_url import STAGE_VARIABLE
from popfetch.api.resolver import PUBLIC
from popfetch.domain.session import SESSION_LIFETIME
from popfetch.ports.metrics import COUNTED_BY, WHOLE
from popfetch.runtime.settings import Settings
from popfetch.services.reply_to import BY_ACCOUNT, BY_ADDRESS
from tests.template.translated import of_type, references, routes, source, translated

FUNCTIONS = of_type("AWS::Lambda::Function")
QUEUES = of_type("AWS::SQS::Queue")
ROLES = of_type("AWS::IAM::Role")
ALARMS = of_type("AWS::CloudWatch::Alarm")
DEAD_LETTERS = {name for name in QUEUES if name.endswith("DeadLetters")}

FIXED_OUTPUTS = {
    *("ApiUrl", "MailBucketName", "TableName", "FetchQueueUrl", "DeadLetterQueueUrl", "EventBusName", "UserPoolId"),
    *("UserPoolClientId", "DispatchFunctionName", "FetchFunctionName", "ScheduleRuleName"),
}
FIXED_PARAMETERS = {"AllowPrivateHosts", "SenderAddress", "LogLevel", "AlarmEmail"}

# X-Ray's write actions know no resource.
STARS = {("xray:PutTraceSegments", "xray:PutTelemetryRecords")}


def statements(role: dict[str, Any]) -> list[dict[str, Any]]:
    """All that a role may do; a statement that depends on a parameter counts as if it were there."""
    return [
        chosen
        for policy in role["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        for chosen in statement.get("Fn::If", [None, statement])[1:]
        if chosen != {"Ref": "AWS::NoValue"}
    ]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def role_of(function: dict[str, Any]) -> dict[str, Any]:
    return ROLES[function["Properties"]["Role"]["Fn::GetAtt"][0]]


def test_fixed_names_are_there() -> None:
    assert set(translated()["Outputs"]) >= FIXED_OUTPUTS
    assert set(translated()["Parameters"]) >= FIXED_PARAMETERS


def test_private_hosts_are_refused_by_default() -> None:
    assert translated()["Parameters"]["AllowPrivateHosts"]["Default"] == "false"


@pytest.mark.parametrize("parameter", sorted(source()["Parameters"]))
def test_parameter_is_described_and_has_a_default(parameter: str) -> None:
    assert source()["Parameters"][parameter]["Description"]
    assert "Default" in source()["Parameters"][parameter]


# --- Permissions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(ROLES))
def test_role_names_its_actions_and_resources(name: str) -> None:
    assert "ManagedPolicyArns" not in ROLES[name]["Properties"], "managed policies allow more than is needed"
    for statement in statements(ROLES[name]):
        actions = tuple(as_list(statement["Action"]))
        assert not [action for action in actions if "*" in action], statement
        if "*" in as_list(statement["Resource"]):
            assert actions in STARS, statement


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_function_has_a_role_of_its_own(name: str) -> None:
    others = [other for other in FUNCTIONS if other != name]
    assert role_of(FUNCTIONS[name]) not in [role_of(FUNCTIONS[other]) for other in others]


def test_only_this_account_administers_the_key_and_only_for_passwords() -> None:
    key = of_type("AWS::KMS::Key")["CredentialsKey"]["Properties"]
    uses = [s for s in key["KeyPolicy"]["Statement"] if {"kms:Decrypt", "kms:*"} & set(as_list(s["Action"]))]
    assert key["EnableKeyRotation"] is True
    assert [use["Condition"] for use in uses] == [
        {"StringEquals": {"kms:EncryptionContext:purpose": "popfetch-credentials"}}
    ]


@pytest.mark.parametrize("name", sorted(ROLES))
def test_role_uses_the_key_for_passwords_only(name: str) -> None:
    for statement in statements(ROLES[name]):
        if any(action.startswith("kms:") for action in as_list(statement["Action"])):
            assert statement["Condition"]["StringEquals"] == {"kms:EncryptionContext:purpose": "popfetch-credentials"}


@pytest.mark.parametrize("name", sorted(ROLES))
def test_role_reaches_only_the_partitions_it_needs(name: str) -> None:
    for statement in statements(ROLES[name]):
        actions = as_list(statement["Action"])
        if any(action.startswith("dynamodb:") for action in actions) and actions != ["dynamodb:Query"]:
            condition = dict(statement["Condition"])
            # all of no values fit any pattern, so that a request without any has to be refused besides, or be one of a
            # transaction, of which IAM may see none
            enclosing = condition.pop("ForAnyValue:StringEquals", None)
            if enclosing:
                assert enclosing == {"dynamodb:EnclosingOperation": ["TransactWriteItems"]}
            else:
                assert condition.pop("Null") == {"dynamodb:LeadingKeys": "false"}
            ((operator, patterns),) = condition.items()
            assert operator in {"ForAllValues:StringLike", "ForAllValues:StringEquals"}
            assert patterns["dynamodb:LeadingKeys"]
            assert all(re.fullmatch(r"[A-Z_]+(#[A-Z_]*\*)?", pattern) for pattern in patterns["dynamodb:LeadingKeys"])


def test_fetch_cannot_read_or_delete_mail() -> None:
    actions = {a for s in statements(role_of(FUNCTIONS["FetchFunction"])) for a in as_list(s["Action"])}
    assert {action for action in actions if action.startswith("s3:")} == {"s3:PutObject", "s3:AbortMultipartUpload"}


def test_reading_mail_changes_none_of_it() -> None:
    reached = {
        (a, s["Resource"]["Fn::Sub"])
        for s in statements(ROLES["MessagesRole"])
        for a in as_list(s["Action"])
        if a.startswith("s3:")
    }
    assert reached == {
        ("s3:GetObject", "${MailBucket.Arn}/mail/*"),
        ("s3:GetObject", "${MailBucket.Arn}/attachments/*"),
        ("s3:PutObject", "${MailBucket.Arn}/attachments/*"),
    }
    tables = {a for s in statements(ROLES["MessagesRole"]) for a in as_list(s["Action"]) if a.startswith("dynamodb:")}
    assert tables == {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}


MAILING_ROLES = ("NotifyRole", "ReplyToRole")


@pytest.mark.parametrize("name", MAILING_ROLES)
def test_mail_goes_out_from_the_named_sender_only_and_not_at_all_without_one(name: str) -> None:
    (policy,) = ROLES[name]["Properties"]["Policies"]
    conditional = [s["Fn::If"] for s in policy["PolicyDocument"]["Statement"] if "Fn::If" in s]
    ((condition, sending, otherwise),) = conditional
    assert (condition, otherwise) == ("AreOwnersTold", {"Ref": "AWS::NoValue"})
    assert sending["Condition"] == {"StringEqualsIgnoreCase": {"ses:FromAddress": {"Ref": "SenderAddress"}}}
    mails = {role for role in ROLES for s in statements(ROLES[role]) if any("ses:" in a for a in as_list(s["Action"]))}
    assert mails == set(MAILING_ROLES)


def test_reply_to_reaches_accounts_their_tokens_links_and_its_own_limits_only() -> None:
    reached = [
        s["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
        for s in statements(ROLES["ReplyToRole"])
        if any(action.startswith("dynamodb:") for action in as_list(s["Action"]))
    ]
    assert sorted({pattern for patterns in reached for pattern in patterns}) == [
        "GRANT#*",
        "KEYRING",
        "LIMIT#REPLY_TO_*",
        "OWNER#*",
        "REPLY_TO_TOKEN#*",
    ]
    for key, pattern in (
        (keys.rate_limit(BY_ACCOUNT, "x"), "LIMIT#REPLY_TO_*"),
        (keys.rate_limit(BY_ADDRESS, "x"), "LIMIT#REPLY_TO_*"),
        (keys.reply_to_link(b"x"), "REPLY_TO_TOKEN#*"),
    ):
        assert fnmatchcase(key[keys.PARTITION], pattern)
    assert not [s for s in statements(ROLES["ReplyToRole"]) if any("s3:" in a for a in as_list(s["Action"]))]


def test_tokens_are_reached_by_those_alone_that_renew_or_erase_them() -> None:
    tokens, consents, registrations = set(), set(), set()
    for role in ROLES:
        for statement in statements(ROLES[role]):
            conditions = statement.get("Condition", {}).values()
            patterns = {pattern for condition in conditions for pattern in condition.get("dynamodb:LeadingKeys", [])}
            tokens |= {role} if "GRANT#*" in patterns else set()
            consents |= {role} if "CONSENT#*" in patterns else set()
            if "ssm:GetParameter" in as_list(statement["Action"]):
                registrations.add(role)
                assert as_list(statement["Action"]) == ["ssm:GetParameter"]
                assert statement["Resource"]["Fn::Sub"].endswith(":parameter/${AWS::StackName}/oauth-clients")
    renewing = {"FetchRole", "SendRole", "ReplyToRole", "AccountsRole", "OauthRole"}
    assert tokens == {*renewing, "EraseRole"}
    assert registrations == renewing
    assert consents == {"OauthRole"}
    for key, pattern in ((keys.grant("a", "g"), "GRANT#*"), (keys.pending_consent(b"x"), "CONSENT#*")):
        assert fnmatchcase(key[keys.PARTITION], pattern)


def test_the_console_may_do_nothing_but_log() -> None:
    assert {action for s in statements(ROLES["ConsoleRole"]) for action in as_list(s["Action"])} == {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
    }


def test_notify_writes_only_what_it_sent_and_reads_one_users_record() -> None:
    by_action = {action: s for s in statements(ROLES["NotifyRole"]) for action in as_list(s["Action"])}
    assert by_action["dynamodb:PutItem"]["Condition"]["ForAllValues:StringEquals"] == {
        "dynamodb:LeadingKeys": [keys.NOTICES]
    }
    assert by_action["cognito-idp:AdminGetUser"]["Resource"] == {"Fn::GetAtt": ["UserPool", "Arn"]}
    assert [action for action in by_action if action.startswith("cognito-idp:")] == ["cognito-idp:AdminGetUser"]


def test_notify_hears_of_every_stop_that_is_published() -> None:
    pattern = of_type("AWS::Events::Rule")["NotifyFunctionAccountStopped"]["Properties"]["EventPattern"]
    assert pattern == {
        "source": [SOURCE],
        "detail-type": [AccountAuthFailed.__name__, AccountConnectionFailed.__name__],
    }


def test_refused_notices_are_watched_under_the_name_they_are_counted_by() -> None:
    alarm = ALARMS["NotifyRefusedAlarm"]["Properties"]
    variables = FUNCTIONS["NotifyFunction"]["Properties"]["Environment"]["Variables"]
    assert (alarm["Namespace"], alarm["MetricName"]) == (variables["POWERTOOLS_METRICS_NAMESPACE"], "NoticesRefused")
    assert alarm["Dimensions"] == [{"Name": "service", "Value": variables["POWERTOOLS_SERVICE_NAME"]}]


# --- Functions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_function_logs_to_a_group_with_retention(name: str) -> None:
    (group,) = references(FUNCTIONS[name]["Properties"]["LoggingConfig"]["LogGroup"])
    properties = of_type("AWS::Logs::LogGroup")[group]["Properties"]
    assert properties["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    written = [s for s in statements(role_of(FUNCTIONS[name])) if "logs:PutLogEvents" in as_list(s["Action"])]
    assert [references(statement["Resource"]) for statement in written] == [{group}]


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_function_has_its_own_service_name_and_an_alias(name: str) -> None:
    variables = FUNCTIONS[name]["Properties"]["Environment"]["Variables"]
    assert name.lower() == f"{variables['POWERTOOLS_SERVICE_NAME'].replace('-', '').replace('_', '')}function"
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == "popfetch"
    aliases = of_type("AWS::Lambda::Alias").values()
    assert [a["Properties"]["Name"] for a in aliases if references(a["Properties"]["FunctionName"]) == {name}] == [
        "live"
    ]


def test_a_change_of_the_layer_alone_publishes_a_version_of_every_function() -> None:
    def versions(artefacts: str) -> set[str]:
        resources = translated(artefacts)["Resources"]
        return {name for name, body in resources.items() if body["Type"] == "AWS::Lambda::Version"}

    assert len(versions("artefacts")) == len(FUNCTIONS)
    assert not versions("artefacts") & versions("elsewhere")


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_environment_has_only_settings_that_popfetch_reads(name: str) -> None:
    known = {f"POPFETCH_{setting.name.upper()}" for setting in fields(Settings)}
    variables = FUNCTIONS[name]["Properties"]["Environment"]["Variables"]
    assert {variable for variable in variables if variable.startswith("POPFETCH_")} <= known


@pytest.mark.parametrize("name", sorted(of_type("AWS::Lambda::EventInvokeConfig")))
def test_asynchronous_function_keeps_its_failures(name: str) -> None:
    properties = of_type("AWS::Lambda::EventInvokeConfig")[name]["Properties"]
    assert properties["Qualifier"] == "live"
    (queue,) = references(properties["DestinationConfig"]["OnFailure"]["Destination"])
    assert queue in DEAD_LETTERS
    (function,) = references(properties["FunctionName"])
    allowed = [s for s in statements(role_of(FUNCTIONS[function])) if "sqs:SendMessage" in as_list(s["Action"])]
    assert queue in references([statement["Resource"] for statement in allowed])


@pytest.mark.parametrize("name", sorted(of_type("AWS::Events::Rule")))
def test_rule_keeps_what_it_cannot_deliver(name: str) -> None:
    (target,) = of_type("AWS::Events::Rule")[name]["Properties"]["Targets"]
    (queue,) = references(target["DeadLetterConfig"]["Arn"])
    policies = of_type("AWS::SQS::QueuePolicy").values()
    (statement,) = [
        statement
        for policy in policies
        if references(policy["Properties"]["Queues"]) == {queue}
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    assert references(statement["Condition"]) == {name}


def test_refused_registrations_are_watched_wherever_tokens_are_asked_for() -> None:
    alarm = ALARMS["OauthClientRefusedAlarm"]["Properties"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("popfetch", "OAuthClientsRefused")
    assert alarm["Dimensions"] == [{"Name": "service", "Value": WHOLE}]
    for function in FUNCTIONS.values():
        variables = function["Properties"].get("Environment", {}).get("Variables", {})
        if "POPFETCH_OAUTH_CLIENTS_PARAMETER" in variables:
            assert variables["POWERTOOLS_METRICS_NAMESPACE"] == alarm["Namespace"]


# --- Queues and alarms ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(QUEUES))
def test_queue_is_encrypted_and_has_dead_letters_and_an_alarm(name: str) -> None:
    properties = QUEUES[name]["Properties"]
    assert properties["SqsManagedSseEnabled"] is True
    if name in DEAD_LETTERS:
        assert properties["MessageRetentionPeriod"] == 14 * 24 * 3600
        watched = name
    else:
        (watched,) = references(properties["RedrivePolicy"])
        assert watched in DEAD_LETTERS
        assert QUEUES[watched]["Properties"].get("FifoQueue") == properties.get("FifoQueue")
    assert any(
        references(alarm["Properties"].get("Dimensions")) == {watched}
        and alarm["Properties"]["MetricName"] == "ApproximateNumberOfMessagesVisible"
        and alarm["Properties"]["Threshold"] == 0
        for alarm in ALARMS.values()
    )


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_alarm_reaches_a_person_where_one_is_named(name: str) -> None:
    assert references(ALARMS[name]["Properties"]["AlarmActions"]) <= {"AlarmTopic", "AWS::NoValue"}
    assert ALARMS[name]["Properties"]["OKActions"] == ALARMS[name]["Properties"]["AlarmActions"], "when it is over, too"
    assert ALARMS[name]["Properties"]["AlarmDescription"].endswith((".", "?"))


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_alarm_is_on_a_metric_that_is_counted(name: str) -> None:
    alarm = ALARMS[name]["Properties"]
    if alarm["Namespace"] == "popfetch":
        ((dimension, service),) = [(one["Name"], one["Value"]) for one in alarm["Dimensions"]]
        assert dimension == "service"
        assert alarm["MetricName"] in COUNTED_BY[service]


def test_refused_sign_ins_are_judged_by_their_part_of_enough_cycles() -> None:
    alarm = ALARMS["SignInsRefusedAlarm"]["Properties"]
    assert (alarm["ExtendedStatistic"], alarm["Threshold"], alarm["ComparisonOperator"]) == (
        "p90",
        1,
        "GreaterThanOrEqualToThreshold",
    )
    assert alarm["EvaluateLowSampleCountPercentile"] == "ignore"


@pytest.mark.parametrize("name", sorted(of_type("AWS::Lambda::EventSourceMapping")))
def test_queue_hides_a_message_six_times_as_long_as_its_function_may_take(name: str) -> None:
    mapping = of_type("AWS::Lambda::EventSourceMapping")[name]["Properties"]
    (queue,) = references(mapping["EventSourceArn"])
    (function,) = references(mapping["FunctionName"]) & set(FUNCTIONS) or {"FetchFunction"}
    assert QUEUES[queue]["Properties"]["VisibilityTimeout"] >= 6 * FUNCTIONS[function]["Properties"]["Timeout"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_fetch_queue_has_one_lane_an_owner() -> None:
    properties = QUEUES["FetchQueue"]["Properties"]
    assert properties["FifoQueue"] is True
    assert properties["ContentBasedDeduplication"] is False
    assert properties["DeduplicationScope"] == "messageGroup"
    assert properties["FifoThroughputLimit"] == "perMessageGroupId"


# --- Storage --------------------------------------------------------------------------------------------------


def test_only_the_bucket_outlives_the_stack() -> None:
    # Versions are SAM's, and go with their function; the policy stays so that a bucket that stays is as safe as before.
    kept = {
        name
        for name, resource in translated()["Resources"].items()
        if resource.get("DeletionPolicy") == "Retain" and resource["Type"] != "AWS::Lambda::Version"
    }
    assert kept == {"MailBucket", "MailBucketPolicy"}


def test_bucket_is_private_versioned_and_encrypted_by_s3_itself() -> None:
    bucket = of_type("AWS::S3::Bucket")["MailBucket"]["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}


def test_other_origins_may_come_with_an_address_that_is_signed_and_with_nothing_else() -> None:
    bucket = of_type("AWS::S3::Bucket")["MailBucket"]["Properties"]
    (rule,) = bucket["CorsConfiguration"]["CorsRules"]
    assert set(rule["AllowedMethods"]) == {"GET", "HEAD", "PUT"}
    assert rule["AllowedHeaders"] == ["content-type"], "above all no Authorization"
    # nothing public comes with it: no ACL, no policy that allows, no website
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    policies = of_type("AWS::S3::BucketPolicy").values()
    assert {s["Effect"] for policy in policies for s in policy["Properties"]["PolicyDocument"]["Statement"]} == {"Deny"}
    assert not {"AccessControl", "WebsiteConfiguration"} & set(bucket)


def test_bucket_refuses_plain_http() -> None:
    (policy,) = of_type("AWS::S3::BucketPolicy").values()
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_bucket_never_expires_a_current_message() -> None:
    rules = of_type("AWS::S3::Bucket")["MailBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    expiring = [rule for rule in rules if {"ExpirationInDays", "ExpirationDate"} & set(rule)]
    passing = {keys.upload_object("", ""), keys.attachment_object("", "", "", "")}
    assert {rule["Prefix"] for rule in expiring} == {f"{key.partition('/')[0]}/" for key in passing}
    assert not any(keys.mail_prefix("o", "a").startswith(rule["Prefix"]) for rule in expiring)


def test_table_fits_its_keys() -> None:
    table = of_type("AWS::DynamoDB::Table")["Table"]["Properties"]
    assert [part["AttributeName"] for part in table["KeySchema"]] == [keys.PARTITION, keys.SORT]
    (index,) = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == keys.WHEEL_INDEX
    assert [part["AttributeName"] for part in index["KeySchema"]] == [keys.WHEEL_SLOT, keys.WHEEL_ORDER]
    assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}
    assert table["TimeToLiveSpecification"] == {"AttributeName": keys.EXPIRES_AT, "Enabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"


# --- The API --------------------------------------------------------------------------------------------------


def test_routes_are_those_of_the_contract() -> None:
    assert {(method.upper(), path) for path, method, _ in routes()} >= {
        ("POST", "/accounts"),
        ("GET", "/accounts"),
        ("GET", "/accounts/{account_id}"),
        ("PATCH", "/accounts/{account_id}"),
        ("DELETE", "/accounts/{account_id}"),
        ("PUT", "/accounts/order"),
        ("PUT", "/accounts/default"),
        ("POST", "/accounts/{account_id}/fetch"),
        ("POST", "/accounts/{account_id}/pause"),
        ("POST", "/accounts/{account_id}/resume"),
        ("PUT", "/accounts/{account_id}/visit"),
        ("GET", "/accounts/{account_id}/history"),
        ("PUT", "/accounts/{account_id}/password/incoming"),
        ("PUT", "/accounts/{account_id}/password/outgoing"),
        ("PUT", "/accounts/{account_id}/reply-to"),
        ("DELETE", "/accounts/{account_id}/reply-to"),
        ("GET", "/reply-to/confirm"),
        ("POST", "/reply-to/confirm"),
        ("POST", "/accounts/{account_id}/send"),
        ("POST", "/accounts/{account_id}/uploads"),
        ("GET", "/messages"),
        ("GET", "/accounts/{account_id}/messages"),
        ("GET", "/accounts/{account_id}/messages/{message_id}"),
        ("GET", "/accounts/{account_id}/messages/{message_id}/raw"),
        ("GET", "/accounts/{account_id}/messages/{message_id}/attachments/{attachment_id}"),
        ("GET", "/providers"),
        ("GET", "/providers/lookup"),
        ("GET", "/openapi.json"),
        ("GET", "/"),
        ("GET", "/assets/{name}"),
        ("GET", "/frame"),
        ("POST", "/session"),
        ("DELETE", "/session"),
        ("POST", "/session/answer"),
        ("POST", "/session/renew"),
        ("POST", "/session/forgotten"),
        ("POST", "/session/reset"),
    }


@pytest.mark.parametrize(("path", "method", "operation"), routes())
def test_route_is_explicit_and_asks_who_is_there(path: str, method: str, operation: dict[str, Any]) -> None:
    assert "+" not in path
    assert method in {"get", "post", "put", "patch", "delete"}
    everybody = (method.upper(), path) in PUBLIC
    assert operation["security"] == ([{"NONE": []}] if everybody else [{"Owner": []}])


def test_authorizer_is_the_user_pool() -> None:
    (api,) = of_type("AWS::ApiGateway::RestApi").values()
    authorizer = api["Properties"]["Body"]["components"]["securitySchemes"]["Owner"]["x-amazon-apigateway-authorizer"]
    assert authorizer["type"] == "cognito_user_pools"
    assert references(authorizer["providerARNs"]) == {"UserPool"}


def test_a_session_lasts_as_long_as_its_cookie() -> None:
    client = of_type("AWS::Cognito::UserPoolClient")["UserPoolClient"]["Properties"]
    assert client["TokenValidityUnits"]["RefreshToken"] == "days"
    assert timedelta(days=client["RefreshTokenValidity"]) == SESSION_LIFETIME
    assert client["EnableTokenRevocation"] is True
    assert client["PreventUserExistenceErrors"] == "ENABLED"


def test_passwords_and_codes_are_asked_for_slowly() -> None:
    (stage,) = of_type("AWS::ApiGateway::Stage").values()
    limits = {
        (setting["HttpMethod"], setting["ResourcePath"].removeprefix("/").replace("~1", "/")): setting
        for setting in stage["Properties"]["MethodSettings"]
    }
    for path in ("/session", "/session/answer", "/session/forgotten", "/session/reset"):
        assert limits["POST", path]["ThrottlingRateLimit"] <= 5
        assert ("post", path) in {(method, found) for found, method, _ in routes()}


def test_what_reaches_hosts_elsewhere_or_takes_tokens_of_anybody_is_slower_than_the_rest() -> None:
    (stage,) = of_type("AWS::ApiGateway::Stage").values()
    limits = {
        (setting["HttpMethod"], setting["ResourcePath"].removeprefix("/").replace("~1", "/")): setting
        for setting in stage["Properties"]["MethodSettings"]
    }
    whole = limits.pop(("*", "*"))
    one = "/accounts/{account_id}"
    reaching = {
        *(("POST", "/accounts"), ("PATCH", one), ("PUT", f"{one}/password/incoming")),
        *(("PUT", f"{one}/password/outgoing"), ("POST", f"{one}/oauth/start"), ("POST", f"{one}/send")),
        *(("GET", "/providers/lookup"), ("GET", "/reply-to/confirm"), ("POST", "/reply-to/confirm")),
        ("GET", "/oauth/callback"),
    }
    assert reaching <= set(limits)
    assert set(limits) <= {(method.upper(), path) for path, method, _ in routes()}
    assert all(limit["ThrottlingRateLimit"] < whole["ThrottlingRateLimit"] for limit in limits.values())


def test_bodies_of_requests_are_text_and_answers_are_compressed() -> None:
    (api,) = of_type("AWS::ApiGateway::RestApi").values()
    assert {media_type.split("/")[0] for media_type in api["Properties"]["BinaryMediaTypes"]} == {"image"}
    assert api["Properties"]["MinimumCompressionSize"] == 1024


def test_a_public_url_is_known_to_the_api_where_one_is_given() -> None:
    (stage,) = of_type("AWS::ApiGateway::Stage").values()
    given = {STAGE_VARIABLE: {"Ref": "PublicUrl"}}
    assert stage["Properties"]["Variables"] == {"Fn::If": ["IsPublicUrlGiven", given, {"Ref": "AWS::NoValue"}]}
    pattern = source()["Parameters"]["PublicUrl"]["AllowedPattern"]
    assert all(re.match(pattern, url) for url in ("", "https://a.example/mail", "http://127.0.0.1:4566/x/v1"))
    assert not any(re.match(pattern, url) for url in ("a.example", "https://a.example/?b", "https://a.example/#b", " "))


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("None", set()),
        ("Fetch", {"FetchFunction"}),
        ("Awaited", {"FetchFunction", "ConsoleFunction", "AccountsFunction", "MessagesFunction"}),
        ("All", set(FUNCTIONS)),
    ],
)
def test_functions_start_from_snapshots_as_the_parameter_says(chosen: str, expected: set[str]) -> None:
    def holds(condition: Any) -> bool:
        ((operator, values),) = condition.items()
        match operator:
            case "Fn::Equals":
                return bool(values == [{"Ref": "SnapStart"}, chosen])
            case "Fn::Not":
                return not holds(values[0])
            case "Fn::Or":
                return any(map(holds, values))
            case _:
                raise AssertionError(operator)

    assert translated()["Parameters"]["SnapStart"]["Default"] == "Fetch"
    conditions = translated()["Conditions"]
    started = set()
    for name, function in FUNCTIONS.items():
        condition, then, otherwise = function["Properties"]["SnapStart"]["ApplyOn"]["Fn::If"]
        assert (then, otherwise) == ("PublishedVersions", "None")
        if holds(conditions[condition]):
            started.add(name)
    assert started == expected
