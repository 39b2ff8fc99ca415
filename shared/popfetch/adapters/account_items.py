"""The items of an account and of its owner's profile, and the writes that put an account on the wheel or off.

An account's item has the wheel's two attributes: while its standing is ACTIVE they name the slot in which it is due,
otherwise one that never is, so that whoever asks for what is due gets active accounts alone.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from popfetch.adapters import keys
from popfetch.adapters.dynamodb_items import Item, to_wire
from popfetch.adapters.fetch_state_items import instant_from_text, instant_to_text
from popfetch.domain.account import (
    Account,
    AfterFetch,
    AuthMethod,
    FetchSettings,
    Grant,
    Order,
    Security,
    Server,
    Standing,
)
from popfetch.domain.mailbox import mailbox_print
from popfetch.domain.outgoing import OutgoingFailure
from popfetch.domain.reply_to import NO_REPLY_TO, Question, ReplyTo
from popfetch.domain.wheel import shard_of, slot_of

VERSION = "version"
UNCHANGED = f"{VERSION} = :seen_version"
"""The named condition of every change to an account or a profile: it is still the one that was read."""

type UpdateRequest = dict[str, Any]
"""The arguments of ``update_item`` but for the table's name."""


def to_item(account: Account, wheel_shards: int) -> Item:
    """The account as an item, with its place on the wheel, or among those that are off it."""
    return {
        **keys.account(account.owner_id, account.account_id),
        "owner_id": account.owner_id,
        "account_id": account.account_id,
        "email": account.email,
        "name": account.name,
        "position": account.position,
        "incoming": _server_to_map(account.incoming),
        "incoming_secret": account.incoming_secret,
        "outgoing": _server_to_map(account.outgoing) if account.outgoing else None,
        "outgoing_secret": account.outgoing_secret,
        "grant": _grant_to_map(account.grant) if account.grant else None,
        "fetch": _fetch_to_map(account.fetch),
        "reply_to": _reply_to_to_map(account.reply_to) if account.reply_to != NO_REPLY_TO else None,
        "outgoing_failure": _failure_to_map(account.outgoing_failure) if account.outgoing_failure else None,
        "standing": str(account.standing),
        "created_at": instant_to_text(account.created_at),
        VERSION: account.version,
        **_place(account, wheel_shards),
    }


def from_item(item: Item) -> Account:
    """The account of an item."""
    created_at = instant_from_text(item["created_at"])
    assert created_at is not None
    return Account(
        owner_id=item["owner_id"],
        account_id=item["account_id"],
        email=item["email"],
        name=item["name"],
        position=item["position"],
        incoming=_server_from_map(item["incoming"]),
        incoming_secret=item.get("incoming_secret"),
        outgoing=_server_from_map(item["outgoing"]) if item.get("outgoing") else None,
        outgoing_secret=item.get("outgoing_secret"),
        grant=_grant_from_map(item["grant"]) if item.get("grant") else None,
        fetch=_fetch_from_map(item["fetch"]),
        reply_to=_reply_to_from_map(item["reply_to"]) if item.get("reply_to") else NO_REPLY_TO,
        outgoing_failure=_failure_from_map(item["outgoing_failure"]) if item.get("outgoing_failure") else None,
        standing=Standing(item["standing"]),
        created_at=created_at,
        version=item[VERSION],
    )


def change_standing(account: Account, wheel_shards: int) -> UpdateRequest:
    """The update that stores ``account.standing``, and joins or leaves the wheel by it, on condition UNCHANGED."""
    place = _place(account, wheel_shards)
    return {
        "Key": to_wire(keys.account(account.owner_id, account.account_id)),
        "UpdateExpression": f"SET standing = :standing, {VERSION} = :next_version, "
        f"{keys.WHEEL_SLOT} = :slot, {keys.WHEEL_ORDER} = :order",
        "ConditionExpression": UNCHANGED,
        "ExpressionAttributeValues": to_wire(
            {
                ":standing": str(account.standing),
                ":seen_version": account.version,
                ":next_version": account.version + 1,
                ":slot": place[keys.WHEEL_SLOT],
                ":order": place[keys.WHEEL_ORDER],
            }
        ),
    }


def _place(account: Account, wheel_shards: int) -> Item:
    interval, shard = account.fetch.interval_minutes, shard_of(account.owner_id, wheel_shards)
    on_the_wheel = account.standing is Standing.ACTIVE
    return {
        keys.WHEEL_SLOT: keys.wheel_slot(interval, slot_of(account.owner_id, interval), shard)
        if on_the_wheel
        else keys.stopped_slot(account.standing, shard),
        keys.WHEEL_ORDER: keys.wheel_order(account.owner_id, account.position, account.account_id),
    }


def _server_to_map(server: Server) -> Item:
    return {
        "host": server.host,
        "port": server.port,
        "security": str(server.security),
        "username": server.username,
        "auth": str(server.auth),
    }


def _server_from_map(values: Item) -> Server:
    return Server(
        host=values["host"],
        port=values["port"],
        security=Security(values["security"]),
        username=values["username"],
        auth=AuthMethod(values["auth"]),
    )


def _grant_to_map(grant: Grant) -> Item:
    return {
        "grant_id": grant.grant_id,
        "server_id": grant.server_id,
        "granted_at": instant_to_text(grant.granted_at),
    }


def _grant_from_map(values: Item) -> Grant:
    granted_at = instant_from_text(values["granted_at"])
    assert granted_at is not None
    return Grant(values["grant_id"], values["server_id"], granted_at)


def _fetch_to_map(fetch: FetchSettings) -> Item:
    return {
        "interval_minutes": fetch.interval_minutes,
        "max_messages_per_cycle": fetch.max_messages_per_cycle,
        "catch_up": fetch.catch_up,
        "start": fetch.start,
        "order": str(fetch.order),
        "after_fetch": str(fetch.after_fetch),
        **({} if fetch.delete_after_days is None else {"delete_after_days": fetch.delete_after_days}),
    }


def _fetch_from_map(values: Item) -> FetchSettings:
    return FetchSettings(
        interval_minutes=values["interval_minutes"],
        max_messages_per_cycle=values["max_messages_per_cycle"],
        catch_up=values["catch_up"],
        start=values["start"],
        order=Order(values["order"]),
        after_fetch=AfterFetch(values["after_fetch"]),
        delete_after_days=values.get("delete_after_days"),
    )


def _reply_to_to_map(reply_to: ReplyTo) -> Item:
    question = reply_to.question
    asked: Item = {}
    if question is not None:
        asked = {
            "question": {
                "address": question.address,
                "token_hash": question.token_hash,
                "expires_at": instant_to_text(question.expires_at),
            }
        }
    return {"in_force": reply_to.in_force, **asked}


def _reply_to_from_map(values: Item) -> ReplyTo:
    question = values.get("question")
    if not question:
        return ReplyTo(values["in_force"])
    expires_at = instant_from_text(question["expires_at"])
    assert expires_at is not None
    return ReplyTo(values["in_force"], Question(question["address"], question["token_hash"], expires_at))


def _failure_to_map(failure: OutgoingFailure) -> Item:
    return {
        "code": failure.code,
        "message": failure.message,
        "at": instant_to_text(failure.at),
        "refusals": failure.refusals,
        "explicit": failure.explicit,
    }


def _failure_from_map(values: Item) -> OutgoingFailure:
    at = instant_from_text(values["at"])
    assert at is not None
    return OutgoingFailure(values["code"], values["message"], at, values["refusals"], values["explicit"])


# --- The owner's profile ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Profile:
    """What holds an owner's accounts together; each change of it makes ``version`` grow by one.

    ``mailboxes`` has the mailbox print of each account, so that one conditional write of the profile decides
    both how many accounts there are and that no mailbox is there twice. Version 0 is not yet written.
    """

    owner_id: str
    version: int = 0
    default_account_id: str | None = None
    next_position: int = 1
    mailboxes: dict[str, bytes] = field(default_factory=dict)

    def with_account(self, account: Account) -> "Profile":
        """The profile after ``account`` joined at its end; the first one becomes the default."""
        return replace(
            self,
            version=self.version + 1,
            default_account_id=self.default_account_id or account.account_id,
            next_position=self.next_position + 1,
            mailboxes={**self.mailboxes, account.account_id: mailbox_print(account.incoming)},
        )

    def with_mailbox_of(self, account: Account) -> "Profile":
        """The profile after an account's mailbox became another."""
        return replace(
            self,
            version=self.version + 1,
            mailboxes={**self.mailboxes, account.account_id: mailbox_print(account.incoming)},
        )

    def with_default(self, account_id: str) -> "Profile":
        """The profile with another default account."""
        return replace(self, version=self.version + 1, default_account_id=account_id)

    def with_positions_up_to(self, count: int) -> "Profile":
        """The profile after the accounts were numbered from 1 to ``count``."""
        return replace(self, version=self.version + 1, next_position=count + 1)

    def without_account(self, account_id: str, first_left: str | None) -> "Profile":
        """The profile after an account went; where it was the default, ``first_left`` takes that role."""
        return replace(
            self,
            version=self.version + 1,
            default_account_id=first_left if self.default_account_id == account_id else self.default_account_id,
            mailboxes={held: value for held, value in self.mailboxes.items() if held != account_id},
        )


def profile_to_item(profile: Profile) -> Item:
    """The profile as an item."""
    return {
        **keys.profile(profile.owner_id),
        VERSION: profile.version,
        "default_account_id": profile.default_account_id,
        "next_position": profile.next_position,
        "mailboxes": profile.mailboxes,
    }


def profile_from_item(owner_id: str, item: Item | None) -> Profile:
    """The profile of an item; an empty one where the owner has none yet."""
    if not item:
        return Profile(owner_id)
    return Profile(
        owner_id=owner_id,
        version=item[VERSION],
        default_account_id=item.get("default_account_id"),
        next_position=item["next_position"],
        mailboxes=item["mailboxes"],
    )
