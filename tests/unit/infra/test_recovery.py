"""A drill: the table is lost, restored as it was earlier, and nothing of the mail is missing or there twice."""

from argparse import Namespace
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from infra import recovery
from infra.deployed import Deployed
from infra.recovery import NotQuiet, Recovery
from popfetch.adapters import keys
from popfetch.adapters.mail_bucket import MailBucket
from popfetch.adapters.message_index import MessageIndexTable
from popfetch.adapters.sent_mail import SENT
from popfetch.domain.account import AfterFetch
from popfetch.domain.message import DeliveryState
from popfetch.domain.message_identity import id_of_sent
from tests.builders import aws as stack
from tests.builders.accounts import NOON
from tests.builders.aws import Aws
from tests.builders.collecting import Collection, a_message
from tests.builders.scripted_pop3_server import Mail, ScriptedServer

RULE = "popfetch-every-minute"


@pytest.fixture
def aws() -> Iterator[Aws]:
    with stack.aws() as built:
        stack._client("events").put_rule(Name=RULE, ScheduleExpression="rate(1 minute)", State="DISABLED")
        yield built


@pytest.fixture
def deployed(aws: Aws) -> Deployed:
    return Deployed(
        sqs=aws.sqs,
        functions=None,  # type: ignore[arg-type]
        dynamodb=aws.dynamodb,
        s3=aws.s3,
        events=stack._client("events"),
        resources={
            "Table": aws.table,
            "MailBucket": aws.bucket,
            "FetchQueue": aws.queue_url,
            "DispatchFunctionEveryMinute": RULE,
        },
    )


@pytest.fixture
def recovering(deployed: Deployed) -> Recovery:
    return Recovery(deployed)


def restore(aws: Aws, name: str = "restored") -> str:
    """The table as it is now, as point-in-time recovery would bring it back."""
    aws.dynamodb.update_continuous_backups(
        TableName=aws.table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    aws.dynamodb.restore_table_to_point_in_time(
        SourceTableName=aws.table, TargetTableName=name, UseLatestRestorableTime=True
    )
    return name


def lose(aws: Aws, which: Callable[[dict[str, Any]], bool] = lambda _: True) -> None:
    pages = aws.dynamodb.get_paginator("scan").paginate(TableName=aws.table, ProjectionExpression="pk, sk")
    for item in [item for page in pages for item in page["Items"] if which(item)]:
        aws.dynamodb.delete_item(TableName=aws.table, Key=item)


def is_message(item: dict[str, Any]) -> bool:
    return bool(item["sk"]["S"].startswith(keys.MESSAGES))


def deliver(server: ScriptedServer, mail: list[bytes]) -> None:
    """Put mail behind what the server has, each under a name that no other ever had."""
    server.mailbox += [Mail(content, sha256(content).hexdigest().encode()) for content in mail]


def indexed(collection: Collection) -> list[tuple[str, bytes]]:
    """Key and hash of what is in the index; the two agree with the bucket or the mail is not there."""
    return sorted((item["key"], item["sha256"]) for item in collection.items(keys.MESSAGES))


def in_the_bucket(collection: Collection) -> list[tuple[str, bytes]]:
    return sorted((key, sha256(content).digest()) for key, content in collection.objects().items())


async def test_after_the_loss_of_the_table_nothing_is_missing_and_nothing_there_twice(
    aws: Aws, recovering: Recovery
) -> None:
    mail = [a_message(number) for number in range(6)]
    async with ScriptedServer() as server:
        deliver(server, mail[:3])
        collection = Collection(aws, server, after_fetch=AfterFetch.DELETE)
        await collection.cycle()
        restored = restore(aws)
        deliver(server, mail[3:5])  # collected since, and gone from the server with it
        await collection.cycle()
        lose(aws)
        deliver(server, mail[5:])

        assert recovering.copy_table(restored).kept == 0
        done = recovering.reindex(collection.account.owner_id, collection.account.account_id)
        assert (done.known, len(done.entered), done.doubles, done.unlike) == (3, 2, [], [])
        await collection.cycle()
    assert collection.contents() == sorted(mail)
    assert indexed(collection) == in_the_bucket(collection)


async def test_what_is_on_the_server_still_is_not_fetched_again(aws: Aws, recovering: Recovery) -> None:
    mail = [a_message(number) for number in range(4)]
    async with ScriptedServer() as server:
        deliver(server, mail[:2])
        collection = Collection(aws, server)
        await collection.cycle()
        restored = restore(aws)
        deliver(server, mail[2:3])
        await collection.cycle()
        lose(aws)
        recovering.copy_table(restored)
        recovering.reindex(collection.account.owner_id, collection.account.account_id)
        deliver(server, mail[3:])
        last = await collection.cycle()
    assert last.stored == 1, "the new one: what was reindexed is in the ledger again"
    assert collection.contents() == sorted(mail)
    assert indexed(collection) == in_the_bucket(collection)


async def test_what_was_entered_is_known_to_the_next_cycle_under_another_uid_too(
    aws: Aws, recovering: Recovery
) -> None:
    async with ScriptedServer() as server:
        deliver(server, [a_message(1)])
        collection = Collection(aws, server)
        await collection.cycle()
        restored = restore(aws)
        deliver(server, [a_message(2), a_message(3)])
        await collection.cycle()
        lose(aws)
        recovering.copy_table(restored)
        recovering.reindex(collection.account.owner_id, collection.account.account_id)
        server.mailbox = [Mail(mail.content, b"new-" + mail.uid) for mail in server.mailbox]
        fetch = await collection.cycle()
    assert (fetch.stored, fetch.skipped) == (0, 3)
    assert indexed(collection) == in_the_bucket(collection)


async def test_reindexing_again_changes_nothing_and_enters_what_cycles_would(aws: Aws, recovering: Recovery) -> None:
    async with ScriptedServer([a_message(number) for number in range(3)]) as server:
        collection = Collection(aws, server)
        await collection.cycle()
        before = {item["sk"]: item for item in collection.items(keys.MESSAGES)}
        lose(aws, is_message)
        whose = collection.account.owner_id, collection.account.account_id
        assert len(recovering.reindex(*whose).entered) == 3
        assert recovering.reindex(*whose).entered == []
    after = {item["sk"]: item for item in collection.items(keys.MESSAGES)}
    # S3 knows by itself when an object was stored
    assert {sk: item | {"stored_at": ""} for sk, item in after.items()} == {
        sk: item | {"stored_at": ""} for sk, item in before.items()
    }
    assert len(collection.items(keys.LEDGER)) == 1, "nothing is entered there"


async def test_the_same_content_under_another_key_is_told_and_not_entered(aws: Aws, recovering: Recovery) -> None:
    async with ScriptedServer([a_message(1)]) as server:
        collection = Collection(aws, server)
        await collection.cycle()
    (key,) = collection.objects()
    other = key.replace(key[-30:-4], "0" * 26)
    aws.s3.copy_object(
        Bucket=aws.bucket, Key=other, CopySource={"Bucket": aws.bucket, "Key": key}, MetadataDirective="COPY"
    )
    lose(aws, is_message)
    done = recovering.reindex(collection.account.owner_id, collection.account.account_id)
    assert done.entered == [key]
    assert done.unlike + done.doubles == [other]
    assert other in str(done)


async def test_a_copy_of_what_was_sent_comes_back_as_sent(aws: Aws, recovering: Recovery) -> None:
    async with ScriptedServer() as server:
        account = Collection(aws, server).account
    message_id = id_of_sent(NOON, b"0123456789")
    key = keys.mail_object(account.owner_id, account.account_id, message_id, NOON)
    content = a_message(1)
    await MailBucket(aws.s3, aws.bucket).put(key, content, sha256(content).digest(), SENT)
    assert recovering.reindex(account.owner_id, account.account_id).entered == [key]
    stored = MessageIndexTable(aws.dynamodb, aws.table).get(account.account_id, message_id)
    assert stored
    assert stored.delivery
    assert (stored.delivery.state, stored.dated) == (DeliveryState.UNCONFIRMED, NOON)


async def test_mail_that_was_deleted_by_mistake_comes_back(aws: Aws, recovering: Recovery) -> None:
    mail = [a_message(number) for number in range(3)]
    async with ScriptedServer(mail) as server:
        collection = Collection(aws, server)
        await collection.cycle()
    for key in collection.objects():
        aws.s3.delete_object(Bucket=aws.bucket, Key=key)
    assert collection.objects() == {}
    whose = collection.account.owner_id, collection.account.account_id
    now = datetime.now(UTC)
    assert recovering.undelete(*whose, now + timedelta(minutes=1)) == []
    assert len(recovering.undelete(*whose, now - timedelta(minutes=1))) == 3
    assert collection.contents() == sorted(mail)
    assert recovering.undelete(*whose, now - timedelta(minutes=1)) == []
    assert indexed(collection) == in_the_bucket(collection)


async def test_items_that_are_there_stay_as_they_are_unless_told_otherwise(aws: Aws, recovering: Recovery) -> None:
    item = {"pk": {"S": "OWNER#1"}, "sk": {"S": "PROFILE"}, "of": {"S": "then"}}
    aws.dynamodb.put_item(TableName=aws.table, Item=item)
    restored = restore(aws)
    aws.dynamodb.put_item(TableName=aws.table, Item=item | {"of": {"S": "now"}})
    for overwrite, expected in ((False, "now"), (True, "then")):
        recovering.copy_table(restored, overwrite=overwrite)
        key = {name: item[name] for name in ("pk", "sk")}
        found = aws.dynamodb.get_item(TableName=aws.table, Key=key)["Item"]
        assert found["of"]["S"] == expected


def test_nothing_is_restored_while_cycles_may_be_under_way(aws: Aws, recovering: Recovery) -> None:
    recovering.see_that_all_is_quiet()
    stack._client("events").enable_rule(Name=RULE)
    with pytest.raises(NotQuiet, match=RULE):
        recovering.see_that_all_is_quiet()
    stack._client("events").disable_rule(Name=RULE)
    aws.sqs.send_message(QueueUrl=aws.queue_url, MessageBody="x", MessageGroupId="1", MessageDeduplicationId="1")
    with pytest.raises(NotQuiet, match="1 fetch requests"):
        recovering.see_that_all_is_quiet()


class TestTheCommand:
    @pytest.fixture(autouse=True)
    def here(self, deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
        def found(_: Namespace) -> Deployed:
            return deployed

        monkeypatch.setattr(recovery, "deployed", found)

    async def test_all_accounts_are_reindexed_and_mail_of_unknown_ones_is_named(self, aws: Aws) -> None:
        async with ScriptedServer([a_message(1)]) as server:
            collection = Collection(aws, server)
            await collection.cycle()
        lose(aws, is_message)
        stray = keys.mail_object("somebody", "else", "0" * 26, None)
        aws.s3.put_object(Bucket=aws.bucket, Key=stray, Body=b"x")
        said: list[str] = []
        assert recovery.main(["reindex"], said.append) == 0
        account = collection.account
        assert said == [
            f"account {account.account_id} of owner {account.owner_id}: 1 entered, 0 were in the index",
            "account else of owner somebody is not in the table; its mail stays in the bucket",
        ]

    def test_a_table_is_copied_in_quiet_only(self, aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
        said: list[str] = []
        assert recovery.main(["table", "--from", restore(aws)], said.append) == 0
        assert said == ["0 items written, 0 were there."]
        stack._client("events").enable_rule(Name=RULE)
        assert recovery.main(["table", "--from", "restored"], said.append) == 1
        assert "disable the rule" in capsys.readouterr().err

    def test_a_table_that_is_not_there_is_told(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert recovery.main(["table", "--from", "nowhere"]) == 1
        assert "ResourceNotFound" in capsys.readouterr().err

    def test_half_a_name_is_refused(self) -> None:
        with pytest.raises(SystemExit):
            recovery.main(["reindex", "--owner", "anna"])
