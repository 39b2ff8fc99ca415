"""Links to reply addresses in the table: by the hashes of their tokens, and for a bounded time."""

import secrets
from datetime import timedelta

import pytest

from popfetch.adapters.dynamodb_items import from_wire
from popfetch.adapters.reply_to_links import ReplyToLinksTable
from popfetch.domain.errors import StorageUnavailable
from popfetch.domain.reply_to import ReplyToLink, hash_of
from popfetch.domain.secret import TOKEN_OCTETS
from tests.builders.accounts import NOON, OWNER, an_account_id
from tests.builders.aws import Aws

LINK = ReplyToLink(OWNER, an_account_id(), "vi", NOON + timedelta(hours=24, microseconds=5))


def test_a_link_is_found_by_its_own_token_and_can_be_forgotten(aws: Aws) -> None:
    links = ReplyToLinksTable(aws.dynamodb, aws.table)
    token, other = (hash_of(secrets.token_urlsafe(TOKEN_OCTETS)) for _ in range(2))
    links.keep(token, LINK)
    assert links.find(token) == LINK
    assert links.find(other) is None
    links.forget(token)
    links.forget(other)
    assert links.find(token) is None


def test_the_table_sweeps_it_away_and_never_sees_the_token(aws: Aws) -> None:
    token = secrets.token_urlsafe(TOKEN_OCTETS)
    ReplyToLinksTable(aws.dynamodb, aws.table).keep(hash_of(token), LINK)
    (item,) = [from_wire(wire) for wire in aws.dynamodb.scan(TableName=aws.table)["Items"]]
    assert item["expires_at"] == int(LINK.expires_at.timestamp())
    assert token not in repr(item)


def test_a_table_that_fails_is_said_so(aws: Aws) -> None:
    links = ReplyToLinksTable(aws.dynamodb, "another-table")
    token = hash_of(secrets.token_urlsafe(TOKEN_OCTETS))
    with pytest.raises(StorageUnavailable):
        links.keep(token, LINK)
    with pytest.raises(StorageUnavailable):
        links.find(token)
    with pytest.raises(StorageUnavailable):
        links.forget(token)
