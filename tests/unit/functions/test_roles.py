"""Each function does its work with what its role grants, and its role grants nothing that it does not use.

The functions are wired as Lambda wires them, with the environment that the template gives them, and do all that they
do; only mail servers and providers stand aside. What they ask of AWS meanwhile is judged by their roles.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from ministack.core.iam_evaluator import ParsedStatement  # type: ignore[import-untyped]

from infra.local.workspace import ROOT
from popfetch.adapters import keys
from popfetch.adapters.accounts_table import AccountsTable
from popfetch.adapters.credential_vault import CredentialVault
from popfetch.adapters.dynamodb_items import to_wire
from popfetch.adapters.host_guard import HostGuard
from popfetch.adapters.mail_bucket import MailBucket
from popfetch.adapters.mailer import SesMailer
from popfetch.adapters.pop3_dialer import Pop3Dialer
from popfetch.domain.account import Account, AfterFetch, Direction, FetchSettings, Standing
from popfetch.domain.errors import MailUnavailable
from popfetch.domain.fetch_state import FailureCounts, FetchState
from popfetch.domain.secret import Secret
from popfetch.pop3.errors import NotReached
from popfetch.runtime import aws_clients, mail_servers, outgoing_servers, wiring_fetch, wiring_oauth, wiring_reply_to
from popfetch.services import fetch_batch
from popfetch.smtp.errors import MessageRefused, SignInRefused
from tests.builders import aws as stack
from tests.builders.accounts import OpenHosts, ScriptedDialer, an_account
from tests.builders.api import a_body
from tests.builders.aws import Aws
from tests.builders.collecting import a_message as a_collected_message
from tests.builders.oauth import ServerInMemory, a_registration
from tests.builders.roles import BUS, LETTERS, SENDER, Asked, granted, recording, sid_that_allows, value_of
from tests.builders.scripted_pop3_server import Mail, ScriptedServer
from tests.builders.stored_messages import a_message, store
from tests.builders.submissions import RecordingSubmissions
from tests.builders.user_pool import a_pool_with_an_owner
from tests.builders.whole_api import WholeApi, functions_by_route, handler_of
from tests.builders.wiring import forget_wiring
from tests.template.translated import of_type, source

ROLES = sorted(of_type("AWS::IAM::Role"))
FUNCTIONS = {
    resource["Properties"]["CodeUri"].rstrip("/").rpartition("/")[2]: (name, resource["Properties"])
    for name, resource in source()["Resources"].items()
    if resource["Type"] == "AWS::Serverless::Function"
}
"""The functions by their folders."""

PLATFORMS = "Lambda itself does it in the function's name, not its code"
NOT_USED_HERE: Mapping[tuple[str, str, str], str] = {
    ("FetchRole", "TakeRequests", "sqs:ReceiveMessage"): PLATFORMS,
    ("FetchRole", "TakeRequests", "sqs:GetQueueAttributes"): PLATFORMS,
    ("FetchRole", "StoreMail", "s3:AbortMultipartUpload"): "only what was broken off: tests/unit/adapters",
    ("NotifyRole", "RememberWhatWasSent", "dynamodb:GetItem"): (
        "the idempotency layer reads what a refused condition does not bring along; DynamoDB brings it, not all engines"
    ),
    **{(role, "Log", action): PLATFORMS for role in ROLES for action in ("logs:CreateLogStream", "logs:PutLogEvents")},
    **{
        (role, "Trace", action): PLATFORMS
        for role in ROLES
        for action in ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
    },
    **{(f"{name}Role", "KeepFailures", "sqs:SendMessage"): PLATFORMS for name in ("Dispatch", "Erase", "Notify")},
}
"""What is granted and not seen to be used here, each with the reason."""

ACCOUNT = "/accounts/{account_id}"
TOKEN = "t" * 43
A_MAIL: dict[str, Any] = {"to": ["bert@example.org"], "subject": "Hello", "text": "Hello, Bert."}


class Stack:
    """The stack as it is deployed; ``asked`` is what each function has asked of AWS."""

    def __init__(self, aws: Aws, patch: pytest.MonkeyPatch) -> None:
        self.aws = aws
        self.asked: dict[str, list[Asked]] = {}
        self._patch = patch
        self._running: tuple[str, Mapping[str, str]] | None = None
        self.values = self._others()
        self.servers = ServerInMemory(lambda: datetime.now(UTC), lifetime=timedelta(0))
        self.outgoing = RecordingSubmissions()
        self.api = WholeApi(aws)
        self.dialer: Any = ScriptedDialer()
        hosts = OpenHosts()
        for module, name, stand_in in (
            (mail_servers, "host_guard", lambda _: hosts),
            (mail_servers, "maildrop_dialer", lambda: self.dialer),
            (wiring_fetch, "maildrop_dialer", lambda: self.dialer),
            (mail_servers, "submission_dialer", lambda: _Trials(self.outgoing)),
            (outgoing_servers, "submission_dialer", lambda: self.outgoing),
            (mail_servers, "oauth_endpoints", lambda: self.servers),
            (wiring_oauth, "oauth_endpoints", lambda: self.servers),
            (wiring_reply_to, "secrets", SimpleNamespace(token_urlsafe=lambda _: TOKEN)),
            # nobody waits twenty seconds for a delivery that is settled before its batch is
            (fetch_batch, "LONG_BATCH_SECONDS", -1),
            # OpenDAL is no affair of boto3; it asks for the same, as tests/unit/adapters/test_opendal_mail_store says
            (wiring_fetch, "_store", lambda: MailBucket(aws_clients.aws_client("s3"), aws.bucket)),
        ):
            patch.setattr(module, name, stand_in)

    def _others(self) -> dict[str, str]:
        stack._client("events").create_event_bus(Name=BUS)
        letters = self.aws.sqs.create_queue(QueueName=LETTERS, Attributes={"FifoQueue": "true"})["QueueUrl"]
        pool, self.owner = a_pool_with_an_owner()
        boto3.client("ses").verify_email_identity(EmailAddress=SENDER)
        boto3.client("ssm").put_parameter(
            Name="/popfetch/oauth-clients", Value=json.dumps(a_registration()), Type="SecureString"
        )
        key = self.aws.kms.describe_key(KeyId=self.aws.key_id)["KeyMetadata"]["Arn"]
        return {
            "FetchQueue": self.aws.queue_url,
            "FetchDeadLetters": letters,
            "CredentialsKey.Arn": key,
            "UserPool": pool,
            "UserPool.Arn": f"arn:aws:cognito-idp:eu-central-1:123456789012:userpool/{pool}",
            "UserPoolClient": "client",
            "AllowPrivateHosts": "true",
        }

    def run(self, folder: str, event: Any, **environment: str) -> Any:
        """The answer of a function to an event; ``environment`` is what its parameters set otherwise."""
        if (folder, environment) != self._running:
            self._begin(folder, environment)
        context = SimpleNamespace(
            function_name=folder,
            memory_limit_in_mb=512,
            invoked_function_arn="arn",
            aws_request_id="request",
            get_remaining_time_in_millis=lambda: 300_000,
        )
        with recording(self._patch, self.asked.setdefault(folder, [])):
            return handler_of(folder).handler(event, context)

    def without_a_data_key(self) -> None:
        """Whoever seals next makes a new one."""
        self._running = None
        key = {"pk": {"S": "KEYRING"}, "sk": {"S": "CURRENT"}}
        self.aws.dynamodb.delete_item(TableName=self.aws.table, Key=key)

    def has_failed(self, account_id: str) -> None:
        """An account that could not be fetched of late."""
        state = FetchState(failures=FailureCounts(authentication=2, connection=1), version=1)
        self.api.kept.write_state(account_id, state, self.owner)

    def _begin(self, folder: str, environment: Mapping[str, str]) -> None:
        forget_wiring()
        for name, (_, properties) in FUNCTIONS.items():
            for variable in properties["Environment"]["Variables"]:
                self._patch.delenv(variable, raising=False)
            self._patch.setattr(handler_of(name).journal.metrics.provider, "namespace", "popfetch")
            self._patch.setattr(handler_of(name).journal.metrics.provider, "service", name)
        for variable, value in FUNCTIONS[folder][1]["Environment"]["Variables"].items():
            self._patch.setenv(variable, str(value_of(value, **{**self.values, **environment})))
        self._running = (folder, dict(environment))

    def ask(
        self, method: str, path: str, ids: Mapping[str, str] | None = None, body: Any = None, **changes: Any
    ) -> Any:
        """What a route answers the owner, which is no failure."""
        environment = changes.pop("environment", {})
        event = self.api.event((method, path), ids, body, owner=self.owner, **changes)
        raw = json.loads(json.dumps(self.run(functions_by_route()[method, path], event, **environment)))
        assert raw["statusCode"] < 400, raw
        return json.loads(raw["body"]) if raw["body"].startswith("{") else raw


class _Trials:
    """Tries a sign-in at an outgoing server, and lets everyone in."""

    def __init__(self, outgoing: RecordingSubmissions) -> None:
        self.open = outgoing.open

    async def sign_in(self, *_: Any) -> None:
        pass


# --- What each function does --------------------------------------------------------------------------------------


def keep_accounts(api: Stack) -> None:
    """Accounts with passwords, and one that is opened by OAuth 2."""
    add = ("POST", "/accounts")
    first = api.ask(*add, body=a_body())["id"]
    second = api.ask(*add, body=a_body(incoming__username="second"))["id"]
    ids = {"account_id": first}
    api.ask("GET", "/accounts")
    api.ask("GET", ACCOUNT, ids)
    api.ask("PUT", "/accounts/order", body={"account_ids": [second, first]})
    api.ask("PUT", "/accounts/default", body={"account_id": second})
    api.ask("PATCH", ACCOUNT, ids, {"name": "Other", "incoming": {"username": "other", "password": "n3w-Geheimnis"}})
    for verb in ("pause", "resume", "fetch"):
        api.ask("POST", f"{ACCOUNT}/{verb}", ids)
    api.ask("PUT", f"{ACCOUNT}/visit", ids)
    api.ask("GET", f"{ACCOUNT}/history", ids)
    kept = api.api.kept.stack
    kept.s3.put_object(Bucket=kept.bucket, Key=f"mail/{api.owner}/{first}/undated/x.eml", Body=b"x")
    for partition in (f"ACCOUNT#{first}", f"GRANT#{first}"):
        kept.dynamodb.put_item(TableName=kept.table, Item={"pk": {"S": partition}, "sk": {"S": "x"}})
    api.ask("DELETE", ACCOUNT, ids, query={"mail": "delete"})
    api.ask("DELETE", ACCOUNT, {"account_id": second})
    by_token = consented(api)
    api.ask("PATCH", ACCOUNT, {"account_id": by_token}, {"outgoing": {"port": 587, "security": "starttls"}})
    passwords = {way: {"auth": "password", "password": "n3w-Geheimnis"} for way in ("incoming", "outgoing")}
    api.ask("PATCH", ACCOUNT, {"account_id": by_token}, passwords)
    api.ask("DELETE", ACCOUNT, {"account_id": consented(api, "fourth")})


def consented(api: Stack, name: str = "by-token") -> str:
    """An account that its owner has consented to."""
    without = {"incoming__auth": "oauth2", "incoming__password": None}
    without |= {"outgoing__auth": "oauth2", "outgoing__password": None}
    account_id: str = api.ask("POST", "/accounts", body=a_body(incoming__username=name, **without))["id"]
    consent(api, account_id)
    return account_id


def consent(api: Stack, account_id: str) -> None:
    """Sign in at the provider, and bring what comes back from there."""
    asked = api.ask("POST", f"{ACCOUNT}/oauth/start", {"account_id": account_id}, {})
    callback = api.servers.callback(asked["authorization_url"])
    api.ask("POST", f"{ACCOUNT}/oauth/finish", {"account_id": account_id}, {"callback_url": callback})


def sign_in_by_oauth(api: Stack) -> None:
    """Consent by either flow, anew, and given back."""
    api.ask("GET", "/oauth/providers")
    account_id = consented(api, "oauth")
    ids = {"account_id": account_id}
    api.ask("DELETE", f"{ACCOUNT}/oauth", ids)
    api.has_failed(account_id)
    api.without_a_data_key()
    device = api.ask("POST", f"{ACCOUNT}/oauth/start", ids, {"flow": "device"})
    flow = {"device_flow_id": device["device_flow_id"]}
    for pending in (1, 0):
        api.servers.pending_polls = pending
        api.ask("POST", f"{ACCOUNT}/oauth/device", ids, flow)
    consent(api, account_id)


def change_passwords(api: Stack) -> None:
    account_id = api.ask("POST", "/accounts", body=a_body(incoming__username="passwords"))["id"]
    for number, direction in enumerate(("incoming", "outgoing", "incoming")):
        api.has_failed(account_id)
        if number:
            api.without_a_data_key()
        api.ask("PUT", f"{ACCOUNT}/password/{direction}", {"account_id": account_id}, {"password": "n3w-Geheimnis"})


def ask_for_reply_addresses(api: Stack) -> None:
    """By popfetch's own sender, and by the accounts' servers where there is none."""
    with_password = api.ask("POST", "/accounts", body=a_body(incoming__username="reply-to"))["id"]
    by_token = consented(api, "reply-to-by-token")
    for number, (account_id, parameters) in enumerate(
        ((with_password, {}), (with_password, {"SenderAddress": ""}), (by_token, {"SenderAddress": ""}))
    ):
        ids = {"account_id": account_id}
        api.without_a_data_key()
        address = {"address": f"replies{number}@example.com"}
        api.ask("PUT", f"{ACCOUNT}/reply-to", ids, address, environment=parameters)
        api.ask("DELETE", f"{ACCOUNT}/reply-to", ids, environment=parameters)
    # the token is the same each time, so that what is forgotten comes before what is confirmed
    other = {"address": "replies@example.net"}
    event = api.api.event(("PUT", f"{ACCOUNT}/reply-to"), {"account_id": by_token}, other, owner=api.owner)
    with patch.object(SesMailer, "send", side_effect=MailUnavailable("SES is busy.")):
        assert api.run("reply_to", event)["statusCode"] == 503
    api.ask("PUT", f"{ACCOUNT}/reply-to", {"account_id": with_password}, {"address": "replies@example.org"})
    for method in ("GET", "POST"):
        assert api.ask(method, "/reply-to/confirm", query={"token": TOKEN})["statusCode"] == 200


def send_mail(api: Stack) -> None:
    for account_id in (
        api.ask("POST", "/accounts", body=a_body(incoming__username="s"))["id"],
        consented(api, "sends"),
    ):
        ids = {"account_id": account_id}
        upload = api.ask("POST", f"{ACCOUNT}/uploads", ids, {"octets": 7})["upload_id"]
        api.aws.s3.put_object(Bucket=api.aws.bucket, Key=f"uploads/{api.owner}/{upload}", Body=b"7 octet")
        key = {"Idempotency-Key": "one-mail"}
        api.without_a_data_key()
        sent = api.ask("POST", f"{ACCOUNT}/send", ids, A_MAIL, headers=key)["id"]
        api.ask("POST", f"{ACCOUNT}/send", ids, A_MAIL, headers=key)
        files = [{"upload_id": upload, "filename": "a.pdf"}, {"message_id": sent}]
        api.ask("POST", f"{ACCOUNT}/send", ids, {**A_MAIL, "in_reply_to": sent, "attachments": files})
        api.outgoing.at_transmit = MessageRefused("552 too good to be true")
        event = api.api.event(
            ("POST", f"{ACCOUNT}/send"), ids, A_MAIL, owner=api.owner, headers={"Idempotency-Key": "x"}
        )
        assert api.run("send", event)["statusCode"] == 422
        api.outgoing.at_transmit = None
        api.outgoing.at_sign_in = SignInRefused("535 no")
        assert api.run("send", event)["statusCode"] == 422
        api.outgoing.at_sign_in = None


def read_mail(api: Stack) -> None:
    account_id = api.ask("POST", "/accounts", body=a_body(incoming__username="reads"))["id"]
    message = store(api.aws, a_message(), account_id=account_id, owner_id=api.owner)
    ids = {"account_id": account_id, "message_id": message.message_id, "attachment_id": "2"}
    api.ask("GET", "/messages")
    api.ask("GET", f"{ACCOUNT}/messages", ids)
    for part in ("", "/raw", "/attachments/{attachment_id}"):
        api.ask("GET", f"{ACCOUNT}/messages/{{message_id}}{part}", ids)


def look_around(api: Stack) -> None:
    """What asks nothing of AWS that needs a permission."""
    api.ask("GET", "/providers")
    api.ask("GET", "/openapi.json")
    api.ask("GET", "/frame")
    api.ask("DELETE", "/session")


def dispatch_a_minute(api: Stack) -> None:
    sealing = CredentialVault(api.aws.kms, api.aws.dynamodb, api.aws.table, api.values["CredentialsKey.Arn"])
    sealed = sealing.seal(Secret("open sesame"), api.owner, an_account(50).account_id, Direction.INCOMING)
    due = an_account(50, owner_id=api.owner, incoming_secret=sealed, fetch=FetchSettings(interval_minutes=1))
    AccountsTable(api.aws.dynamodb, api.aws.table).add(due)
    event = {"time": "2026-11-23T12:00:00Z", "source": "aws.events"}
    assert api.run("dispatch", event)["requests"] >= 1
    assert api.run("dispatch", {**event, "time": "2026-11-23T12:01:00Z"})["requests"] >= 1


def a_delivery(number: int, body: Any, owner: str) -> dict[str, Any]:
    return {
        "messageId": f"delivery-{number}",
        "receiptHandle": f"receipt-{number}",
        "attributes": {"MessageGroupId": owner},
        "body": body if isinstance(body, str) else json.dumps(body),
    }


async def fetch_mail(api: Stack) -> None:
    """A backlog, deletions, a ledger that is packed, and a server that lets nobody in any more."""
    content = [a_collected_message(number) for number in range(1, 31)]
    async with ScriptedServer([Mail(mail, b"%d" % number) for number, mail in enumerate(content)]) as server:
        account = kept_for(api, server)
        api.dialer = Pop3Dialer(HostGuard(allow_private=True))
        for number in range(8):
            if number == 4:
                packed_next(api, account)
            due = (datetime.now(UTC) + timedelta(hours=number + 1)).isoformat()
            wanted = {"owner_id": api.owner, "account_id": account.account_id, "reason": "check_now", "due_at": due}
            await asyncio.to_thread(api.run, "fetch", {"Records": [a_delivery(number, wanted, api.owner)]})
        server.password = "another"
        for number in range(12):
            due = (datetime.now(UTC) + timedelta(days=number + 1)).isoformat()
            wanted = {"owner_id": api.owner, "account_id": account.account_id, "reason": "check_now", "due_at": due}
            await asyncio.to_thread(api.run, "fetch", {"Records": [a_delivery(number, wanted, api.owner)]})


def packed_next(api: Stack, account: Account) -> None:
    """The next cycle packs the ledger."""
    api.aws.dynamodb.update_item(
        TableName=api.aws.table,
        Key=to_wire(keys.fetch_state(api.owner, account.account_id)),
        UpdateExpression="SET fresh_segments = :many",
        ExpressionAttributeValues={":many": {"N": "1000"}},
    )


def kept_for(api: Stack, server: ScriptedServer) -> Account:
    """An account at a server, whose mail is to be deleted there."""
    sealing = CredentialVault(api.aws.kms, api.aws.dynamodb, api.aws.table, api.values["CredentialsKey.Arn"])
    sealed = sealing.seal(Secret(server.password), api.owner, an_account(60).account_id, Direction.INCOMING)
    settings = FetchSettings(max_messages_per_cycle=20, after_fetch=AfterFetch.DELETE)
    account = an_account(
        60, owner_id=api.owner, incoming=server.account_server(), incoming_secret=sealed, fetch=settings
    )
    return AccountsTable(api.aws.dynamodb, api.aws.table).add(account).account


def fetch_by_token(api: Stack) -> None:
    account_id = consented(api, "fetched-by-token")
    api.dialer = ScriptedDialer(failure=NotReached("Nobody is there."))
    api.without_a_data_key()
    due = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    wanted = {"owner_id": api.owner, "account_id": account_id, "reason": "check_now", "due_at": due}
    erasure = {"owner_id": api.owner, "account_id": account_id, "reason": "erase", "erase_mail": False}
    deliveries = [a_delivery(number, body, api.owner) for number, body in enumerate((wanted, erasure, "what is this?"))]
    api.run("fetch", {"Records": deliveries})


def erase_an_account(api: Stack) -> None:
    gone = an_account(70, owner_id=api.owner)
    for partition in (f"ACCOUNT#{gone.account_id}", f"GRANT#{gone.account_id}"):
        api.aws.dynamodb.put_item(TableName=api.aws.table, Item={"pk": {"S": partition}, "sk": {"S": "x"}})
    api.aws.s3.put_object(Bucket=api.aws.bucket, Key=f"mail/{api.owner}/{gone.account_id}/undated/x.eml", Body=b"x")
    detail = {"owner_id": api.owner, "account_id": gone.account_id, "erase_mail": True}
    api.run("erase", {"detail-type": "AccountDeleted", "time": "2026-11-23T12:00:00Z", "detail": detail})


def tell_an_owner(api: Stack) -> None:
    stopped = an_account(80, owner_id=api.owner, standing=Standing.AUTH_FAILED)
    AccountsTable(api.aws.dynamodb, api.aws.table).add(stopped)
    example = json.loads((ROOT / "infra/events/notify.json").read_text())
    detail = {**example["detail"], "owner_id": api.owner, "account_id": stopped.account_id}
    with patch.object(SesMailer, "send", side_effect=MailUnavailable("SES is busy.")), pytest.raises(MailUnavailable):
        api.run("notify", {**example, "detail": detail})
    for _ in range(2):
        api.run("notify", {**example, "detail": detail})


@pytest.fixture(scope="module")
def api() -> Iterator[Stack]:
    """The stack, after each function has done all that it does."""
    with stack.aws() as aws, pytest.MonkeyPatch.context() as monkeypatch:
        api = Stack(aws, monkeypatch)
        keep_accounts(api)
        sign_in_by_oauth(api)
        change_passwords(api)
        ask_for_reply_addresses(api)
        send_mail(api)
        read_mail(api)
        look_around(api)
        dispatch_a_minute(api)
        asyncio.run(fetch_mail(api))
        fetch_by_token(api)
        erase_an_account(api)
        tell_an_owner(api)
        yield api
    forget_wiring()


def patterns_of(statement: ParsedStatement) -> list[str]:
    """The partitions that a statement is about; an empty one where it is about something else."""
    conditions = (dict(condition) for operator, condition in statement.conditions.items() if operator != "Null")
    found = [pattern for condition in conditions for pattern in condition.get("dynamodb:LeadingKeys", [])]
    return found or [""]


def used_of(statements: list[ParsedStatement], one: Asked) -> Iterator[tuple[str, str, str]]:
    """What of a role one request has used: the statement, the action, and each partition that it names."""
    (statement,) = [found for found in statements if found.sid == sid_that_allows(statements, one)]
    keys = one.context.get("dynamodb:LeadingKeys")
    for pattern in patterns_of(statement):
        if keys is None or not pattern or any(fnmatchcase(key, pattern) for key in keys):
            yield statement.sid, one.action, pattern


def role_of(folder: str) -> str:
    role: str = FUNCTIONS[folder][1]["Role"]["Fn::GetAtt"][0]
    return role


@pytest.mark.parametrize("folder", sorted(FUNCTIONS))
def test_a_function_may_do_all_that_it_does(folder: str, api: Stack) -> None:
    statements = granted(role_of(folder), **api.values)
    assert [one for one in api.asked[folder] if not sid_that_allows(statements, one)] == []


@pytest.mark.parametrize("folder", sorted(FUNCTIONS))
def test_a_function_may_do_nothing_that_it_does_not_do(folder: str, api: Stack) -> None:
    role = role_of(folder)
    statements = granted(role, **api.values)
    used = {found for one in api.asked[folder] for found in used_of(statements, one)}
    granted_here = {
        (statement.sid, action, pattern)
        for statement in statements
        for action in statement.actions
        for pattern in patterns_of(statement)
    }
    assert {(sid, action) for sid, action, _ in granted_here - used} == {
        (sid, action) for name, sid, action in NOT_USED_HERE if name == role
    }


# --- What nobody may do -------------------------------------------------------------------------------------------

TABLE_ARN, BUCKET_ARN, KEY_ARN = (
    value_of({"Fn::GetAtt": [n, "Arn"]}) for n in ("Table", "MailBucket", "CredentialsKey")
)
ON_THE_TABLE = ("GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem")
SES_ARN = "arn:aws:ses:eu-central-1:123456789012:identity/example.com"
NO_PURPOSE: dict[str, Any] = {}
OTHER_PURPOSE = {"kms:EncryptionContext:purpose": "something-else"}

NOBODY = [
    *(Asked(f"dynamodb:{action}", TABLE_ARN) for action in (*ON_THE_TABLE, "Scan", "PartiQLSelect")),
    *(Asked(f"dynamodb:{action}", TABLE_ARN, {"dynamodb:LeadingKeys": ["SOMETHING#else"]}) for action in ON_THE_TABLE),
    *(
        Asked(f"dynamodb:{action}", TABLE_ARN, {"dynamodb:LeadingKeys": ["OWNER#a", "SOMETHING#else"]})
        for action in ON_THE_TABLE
    ),
    Asked("dynamodb:Scan", f"{TABLE_ARN}/index/wheel"),
    Asked("dynamodb:DeleteTable", TABLE_ARN),
    Asked("dynamodb:ExportTableToPointInTime", TABLE_ARN),
    *(
        Asked(f"kms:{action}", KEY_ARN, context)
        for action in ("Decrypt", "GenerateDataKey")
        for context in (NO_PURPOSE, OTHER_PURPOSE)
    ),
    *(Asked(f"kms:{action}", KEY_ARN) for action in ("Encrypt", "ReEncryptFrom", "CreateGrant", "ScheduleKeyDeletion")),
    Asked("kms:Decrypt", KEY_ARN.replace("0b7d", "ffff"), {"kms:EncryptionContext:purpose": "popfetch-credentials"}),
    Asked("s3:ListBucket", BUCKET_ARN),
    Asked("s3:ListBucket", BUCKET_ARN, {"s3:prefix": "uploads/"}),
    *(
        Asked(f"s3:{action}", BUCKET_ARN)
        for action in ("DeleteBucket", "PutBucketPolicy", "PutBucketPublicAccessBlock")
    ),
    *(
        Asked(f"s3:{action}", f"{BUCKET_ARN}/mail/owner/account/undated/x.eml")
        for action in ("DeleteObjectVersion", "PutObjectAcl", "GetObjectVersion")
    ),
    *(Asked(f"s3:{action}", f"{BUCKET_ARN}/elsewhere/x") for action in ("GetObject", "PutObject", "DeleteObject")),
    *(Asked(f"s3:{action}", "arn:aws:s3:::another/mail/x") for action in ("GetObject", "PutObject", "DeleteObject")),
    Asked("sqs:SendMessage", "arn:aws:sqs:eu-central-1:123456789012:another.fifo"),
    Asked("sqs:PurgeQueue", value_of({"Fn::GetAtt": ["FetchQueue", "Arn"]})),
    Asked("events:PutEvents", value_of({"Fn::GetAtt": ["EventBus", "Arn"]}), {"events:source": "aws.s3"}),
    Asked(
        "ses:SendEmail", "arn:aws:ses:eu-central-1:123456789012:identity/a.example", {"ses:FromAddress": "x@a.example"}
    ),
    Asked("ses:SendEmail", "arn:aws:ses:eu-central-1:123456789012:identity/a.example"),
    Asked("ssm:GetParameter", "arn:aws:ssm:eu-central-1:123456789012:parameter/popfetch/other"),
    Asked("ssm:PutParameter", "arn:aws:ssm:eu-central-1:123456789012:parameter/popfetch/oauth-clients"),
    Asked("cognito-idp:ListUsers", value_of({"Fn::GetAtt": ["UserPool", "Arn"]})),
    Asked("cognito-idp:AdminSetUserPassword", value_of({"Fn::GetAtt": ["UserPool", "Arn"]})),
    Asked("lambda:InvokeFunction", "arn:aws:lambda:eu-central-1:123456789012:function:popfetch-erase"),
    Asked("lambda:UpdateFunctionCode", "arn:aws:lambda:eu-central-1:123456789012:function:popfetch-erase"),
    Asked("iam:PassRole", "arn:aws:iam::123456789012:role/admin"),
    Asked("sts:AssumeRole", "arn:aws:iam::123456789012:role/admin"),
    Asked("logs:FilterLogEvents", "arn:aws:logs:eu-central-1:123456789012:log-group:FetchLogGroup"),
]


@pytest.mark.parametrize("role", ROLES)
def test_no_role_reaches_what_nobody_needs(role: str) -> None:
    statements = granted(role)
    assert [one for one in NOBODY if sid_that_allows(statements, one)] == []


OPENED = {"kms:EncryptionContext:purpose": "popfetch-credentials"}
THE_MAIL = f"{BUCKET_ARN}/mail/owner/account/2026/11/23/x.eml"
WHO: list[tuple[Asked, set[str]]] = [
    (Asked("s3:GetObject", THE_MAIL), {"MessagesRole", "SendRole"}),
    (Asked("s3:PutObject", THE_MAIL), {"FetchRole", "SendRole"}),
    (Asked("s3:DeleteObject", THE_MAIL), {"AccountsRole", "EraseRole", "SendRole"}),
    (
        Asked("kms:Decrypt", KEY_ARN, OPENED),
        {"AccountsRole", "FetchRole", "OauthRole", "PasswordsRole", "ReplyToRole", "SendRole"},
    ),
    (Asked("ses:SendEmail", SES_ARN, {"ses:FromAddress": SENDER}), {"NotifyRole", "ReplyToRole"}),
    (Asked("dynamodb:PutItem", TABLE_ARN, {"dynamodb:LeadingKeys": ["LIMIT#REPLY_TO_ACCOUNT#1"]}), {"ReplyToRole"}),
    (Asked("dynamodb:PutItem", TABLE_ARN, {"dynamodb:LeadingKeys": ["DISPATCH"]}), {"DispatchRole"}),
    (
        Asked("dynamodb:DeleteItem", TABLE_ARN, {"dynamodb:LeadingKeys": ["OWNER#a"]}),
        {"AccountsRole"},
    ),
]


@pytest.mark.parametrize(("asked", "roles"), WHO)
def test_what_weighs_most_is_for_few(asked: Asked, roles: set[str]) -> None:
    assert {role for role in ROLES if sid_that_allows(granted(role), asked)} == roles
