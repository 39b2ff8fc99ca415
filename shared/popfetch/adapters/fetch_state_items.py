"""The item of an account's fetch state: what one idle poll reads and writes, kept under 1 KB."""

from datetime import UTC, datetime
from typing import Any

from popfetch.adapters import keys
from popfetch.adapters.dynamodb_items import Item
from popfetch.domain.account import Standing
from popfetch.domain.fetch_state import (
    COUNTS,
    Checkpoint,
    FailureCounts,
    FetchState,
    LastFetch,
    Outcome,
    Pipelining,
    Progress,
    ServerTraits,
    Stop,
    Trouble,
)

VERSION = "version"
WRITTEN_BY = "written_by"
INDEX_AHEAD_SINCE = "index_ahead_since"


def instant_to_text(instant: datetime | None) -> str | None:
    """An instant as ISO 8601 in UTC, to the microsecond."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")[: -len("+00:00")] + "Z" if instant else None


def instant_from_text(text: str | None) -> datetime | None:
    """An instant from its ISO 8601 text."""
    return datetime.fromisoformat(text) if text else None


def to_item(owner_id: str, account_id: str, state: FetchState) -> Item:
    """The state as an item; what has its default value is left out."""
    return {
        **keys.fetch_state(owner_id, account_id),
        VERSION: state.version,
        "checkpoint": _drop_defaults(
            {
                "count": state.checkpoint.count,
                "uid": state.checkpoint.last_uid,
                "octets": state.checkpoint.octets,
                "sizes": state.checkpoint.sizes_digest,
                "beyond": state.checkpoint.settled_beyond,
            },
            keep=("count", "octets"),
        )
        if state.checkpoint
        else None,
        "traits": _drop_defaults(
            {
                "pipelining": None if state.traits.pipelining is Pipelining.UNKNOWN else str(state.traits.pipelining),
                "capa_breaks": state.traits.capa_breaks_session,
                "apop_fails": state.traits.apop_fails,
                "sizes_unstable": state.traits.sizes_unstable,
                "size_surprises": state.traits.size_surprises,
            }
        ),
        "failures": _drop_defaults(
            {
                "authentication": state.failures.authentication,
                "explicit": state.failures.authentication_explicit,
                "connection": state.failures.connection,
                "temporary": state.failures.temporary,
                "not_before": instant_to_text(state.failures.not_before),
            }
        ),
        "last_fetch": last_fetch_to_map(state.last_fetch) if state.last_fetch else None,
        "troubles": {uid.hex(): {"tries": t.tries, "reason": t.reason} for uid, t in state.troubles.items()} or None,
        "stop": _stop_to_map(state.stop) if state.stop else None,
        "start_applied": state.start_applied or None,
        "start_changed": state.start_changed or None,
        "reconcile_after": instant_to_text(state.reconcile_after),
        "sign_in_after": instant_to_text(state.sign_in_after),
        "next_segment": state.next_segment or None,
        "fresh_segments": state.fresh_segments or None,
        "stored_total": state.stored_total or None,
        "progress": _progress_to_map(state.progress) if state.progress else None,
        INDEX_AHEAD_SINCE: instant_to_text(state.index_ahead_since),
    }


def from_item(item: Item | None) -> FetchState:
    """The state of an item; the defaults where there is none yet."""
    if not item:
        return FetchState()
    checkpoint: dict[str, Any] | None = item.get("checkpoint")
    traits: dict[str, Any] = item.get("traits") or {}
    failures: dict[str, Any] = item.get("failures") or {}
    return FetchState(
        version=item[VERSION],
        checkpoint=Checkpoint(
            count=checkpoint["count"],
            last_uid=checkpoint.get("uid", b""),
            octets=checkpoint.get("octets"),
            sizes_digest=checkpoint.get("sizes", b""),
            settled_beyond=checkpoint.get("beyond", False),
        )
        if checkpoint
        else None,
        traits=ServerTraits(
            pipelining=Pipelining(traits.get("pipelining", Pipelining.UNKNOWN)),
            capa_breaks_session=traits.get("capa_breaks", False),
            apop_fails=traits.get("apop_fails", False),
            sizes_unstable=traits.get("sizes_unstable", False),
            size_surprises=traits.get("size_surprises", 0),
        ),
        failures=FailureCounts(
            authentication=failures.get("authentication", 0),
            authentication_explicit=failures.get("explicit", 0),
            connection=failures.get("connection", 0),
            temporary=failures.get("temporary", 0),
            not_before=instant_from_text(failures.get("not_before")),
        ),
        last_fetch=last_fetch_from_map(item["last_fetch"]) if item.get("last_fetch") else None,
        troubles={
            bytes.fromhex(uid): Trouble(tries=trouble["tries"], reason=trouble["reason"])
            for uid, trouble in (item.get("troubles") or {}).items()
        },
        stop=_stop_from_map(item["stop"]) if item.get("stop") else None,
        start_applied=bool(item.get("start_applied", False)),
        start_changed=bool(item.get("start_changed", False)),
        reconcile_after=instant_from_text(item.get("reconcile_after")),
        sign_in_after=instant_from_text(item.get("sign_in_after")),
        next_segment=item.get("next_segment", 0),
        fresh_segments=item.get("fresh_segments", 0),
        stored_total=item.get("stored_total", 0),
        progress=_progress_from_map(item["progress"]) if item.get("progress") else None,
        index_ahead_since=instant_from_text(item.get(INDEX_AHEAD_SINCE)),
    )


def last_fetch_to_map(fetch: LastFetch) -> Item:
    """A finished cycle as a map; counts of zero are left out."""
    return {
        "started_at": instant_to_text(fetch.started_at),
        "finished_at": instant_to_text(fetch.finished_at),
        "outcome": str(fetch.outcome),
        **_drop_defaults(
            {
                **fetch.counts,
                "error_code": fetch.error_code,
                "error_message": fetch.error_message,
            }
        ),
    }


def last_fetch_from_map(values: Item) -> LastFetch:
    """A finished cycle from its map."""
    return LastFetch(
        started_at=datetime.fromisoformat(values["started_at"]),
        finished_at=datetime.fromisoformat(values["finished_at"]),
        outcome=Outcome(values["outcome"]),
        **{name: values[name] for name in (*COUNTS, "error_code", "error_message") if name in values},
    )


def _progress_to_map(progress: Progress) -> Item:
    return {
        "started_at": instant_to_text(progress.started_at),
        "updated_at": instant_to_text(progress.updated_at),
        "listed": progress.listed,
        "remaining": progress.remaining,
        "stored": progress.stored,
    }


def _progress_from_map(values: Item) -> Progress:
    return Progress(
        started_at=datetime.fromisoformat(values["started_at"]),
        updated_at=datetime.fromisoformat(values["updated_at"]),
        listed=values["listed"],
        remaining=values["remaining"],
        stored=values["stored"],
    )


def _stop_to_map(stop: Stop) -> Item:
    return {
        "standing": str(stop.standing),
        "at": instant_to_text(stop.at),
        "code": stop.code,
        "message": stop.message,
        "said": stop.server_said,
        "told": stop.told,
    }


def _stop_from_map(values: Item) -> Stop:
    return Stop(
        standing=Standing(values["standing"]),
        at=datetime.fromisoformat(values["at"]),
        code=values["code"],
        message=values["message"],
        server_said=values.get("said", ""),
        told=values["told"],
    )


def _drop_defaults(values: Item, keep: tuple[str, ...] = ()) -> Item:
    return {name: value for name, value in values.items() if (value or name in keep) and value is not None}
