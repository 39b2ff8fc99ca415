"""The owner's accounts: add, show, visit, change, order, pause, check and delete them."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Header, Query
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

from popfetch.api.account_answers import AccountOut, AccountsOut, CheckOut, ErasureOut, HistoryOut, MailFate, VisitOut
from popfetch.api.account_models import AccountIn, AccountPatch, DefaultIn, OrderIn
from popfetch.api.etags import TAGS, tagged, versions_of
from popfetch.api.resolver import AccountInPath, answer, failures, json_answer, json_of, make_resolver, owner_of
from popfetch.ports.accounts import AccountRecord
from popfetch.runtime.observability import new_journal
from popfetch.runtime.wiring_accounts import account_changes, accounts_service
from popfetch.services.account_changes import ChangeAccount

journal = new_journal()
app = make_resolver(journal)


@app.post(
    "/accounts",
    summary="Add an account",
    description="Tries to sign in at both servers first, unless verify is false; nothing is stored when that fails.",
    status_code=HTTPStatus.CREATED,
    responses={
        **json_of(AccountOut, HTTPStatus.CREATED, "The account; Location has its path."),
        **failures(HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    },
    tags=["accounts"],
)
def add(account: AccountIn) -> Response[AccountOut]:
    """Add an account."""
    record = accounts_service(journal).add(account.to_command(owner_of(app)))
    path = app.current_event.request_context.path or app.current_event.path
    return _tagged(record, HTTPStatus.CREATED, {"Location": f"{path.rstrip('/')}/{record.account.account_id}"})


@app.get(
    "/accounts",
    summary="The accounts, in the owner's order",
    responses={**json_of(AccountsOut, HTTPStatus.OK, "The accounts, the default one marked."), **failures()},
    tags=["accounts"],
)
def show_all() -> AccountsOut:
    """All accounts of who asks."""
    return _all(accounts_service(journal).of_owner(owner_of(app)))


@app.put(
    "/accounts/order",
    summary="Put the accounts in order",
    description="They are fetched and listed in this order from now on.",
    responses={
        **json_of(AccountsOut, HTTPStatus.OK, "The accounts, in their new order."),
        **failures(HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    },
    tags=["accounts"],
)
def put_in_order(order: OrderIn) -> AccountsOut:
    """Order the accounts of who asks."""
    return _all(accounts_service(journal).reorder(owner_of(app), order.account_ids))


@app.put(
    "/accounts/default",
    summary="Choose the default account",
    description="Exactly one account is the default one; when it is deleted, the first one left takes its place.",
    responses={
        **json_of(AccountsOut, HTTPStatus.OK, "The accounts, the default one marked."),
        **failures(
            HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        ),
    },
    tags=["accounts"],
)
def choose_default(default: DefaultIn) -> AccountsOut:
    """Make an account of who asks the default one."""
    return _all(accounts_service(journal).make_default(owner_of(app), default.account_id))


@app.get(
    "/accounts/<account_id>",
    summary="One account",
    responses={
        **json_of(AccountOut, HTTPStatus.OK, "The account; ETag has its version."),
        **failures(HTTPStatus.NOT_FOUND),
    },
    tags=["accounts"],
)
def show(account_id: AccountInPath) -> Response[AccountOut]:
    """One account of who asks."""
    return _tagged(accounts_service(journal).get(owner_of(app), account_id))


@app.patch(
    "/accounts/<account_id>",
    summary="Change an account",
    description=(
        "What is left out stays as it is. New ways to sign in are tried before they are kept, unless verify is false, "
        "and the mailbox is checked at once then."
    ),
    responses={
        **json_of(AccountOut, HTTPStatus.OK, "The account as it is now; ETag has its version."),
        **failures(
            HTTPStatus.BAD_REQUEST,
            HTTPStatus.NOT_FOUND,
            HTTPStatus.CONFLICT,
            HTTPStatus.PRECONDITION_FAILED,
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        ),
    },
    tags=["accounts"],
)
def change(
    account_id: AccountInPath,
    patch: AccountPatch,
    if_match: Annotated[
        str,
        Header(
            alias="If-Match",
            description="The ETag of the account that is to be changed; * changes whatever is there.",
            json_schema_extra={"pattern": TAGS},
        ),
    ] = "*",
) -> Response[AccountOut]:
    """Change an account of who asks."""
    command = ChangeAccount(owner_of(app), account_id, patch.to_change(), versions_of(if_match), patch.verify)
    return _tagged(account_changes(journal).change(command))


@app.delete(
    "/accounts/<account_id>",
    summary="Delete an account",
    description="The account is gone at once, and what it left is erased; stored mail is kept by default.",
    status_code=HTTPStatus.NO_CONTENT,
    responses={
        204: {"description": "Deleted, and all that was to be erased is."},
        **json_of(ErasureOut, HTTPStatus.ACCEPTED, "Deleted; the rest is erased in the background."),
        **failures(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    },
    tags=["accounts"],
)
def delete(
    account_id: AccountInPath,
    mail: Annotated[MailFate, Query(description="What becomes of the mail that is stored.")] = MailFate.KEEP,
) -> Response[Any]:
    """Delete an account of who asks."""
    if accounts_service(journal).remove(owner_of(app), account_id, erase_mail=mail is MailFate.DELETE):
        return Response(status_code=HTTPStatus.NO_CONTENT)
    return json_answer(ErasureOut(id=account_id), HTTPStatus.ACCEPTED)


@app.post(
    "/accounts/<account_id>/pause",
    summary="Pause an account",
    description="It is not fetched on schedule until it is resumed; a check by hand still works.",
    responses={
        **json_of(AccountOut, HTTPStatus.OK, "The paused account."),
        **failures(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    },
    tags=["accounts"],
)
def pause(account_id: AccountInPath) -> Response[AccountOut]:
    """Pause an account of who asks."""
    return _tagged(accounts_service(journal).pause(owner_of(app), account_id))


@app.post(
    "/accounts/<account_id>/resume",
    summary="Resume an account",
    description="Puts an account that was paused, or that failed too often, back on schedule, and checks it at once.",
    responses={
        **json_of(AccountOut, HTTPStatus.OK, "The account, on schedule again."),
        **failures(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    },
    tags=["accounts"],
)
def resume(account_id: AccountInPath) -> Response[AccountOut]:
    """Resume an account of who asks."""
    return _tagged(accounts_service(journal).resume(owner_of(app), account_id))


@app.post(
    "/accounts/<account_id>/fetch",
    summary="Check for mail now",
    description="Asks for a fetch behind those of the owner's that are under way, whatever the account's status.",
    status_code=HTTPStatus.ACCEPTED,
    responses={
        **json_of(CheckOut, HTTPStatus.ACCEPTED, "Asked for; last_fetch tells how it went."),
        **failures(HTTPStatus.NOT_FOUND),
    },
    tags=["accounts"],
)
def check_now(account_id: AccountInPath) -> Response[CheckOut]:
    """Check an account of who asks."""
    requested_at = accounts_service(journal).check_now(
        owner_of(app), account_id, journal.logger.get_correlation_id() or ""
    )
    return json_answer(CheckOut(id=account_id, requested_at=requested_at), HTTPStatus.ACCEPTED)


@app.put(
    "/accounts/<account_id>/visit",
    summary="Visit an account",
    description="What was fetched up to now is not unread any more. The account's version stays what it is.",
    responses={
        **json_of(VisitOut, HTTPStatus.OK, "When it was visited."),
        **failures(HTTPStatus.NOT_FOUND),
    },
    tags=["accounts"],
)
def visit(account_id: AccountInPath) -> VisitOut:
    """Note that who asks looks at an account."""
    return VisitOut.of(accounts_service(journal).visit(owner_of(app), account_id))


@app.get(
    "/accounts/<account_id>/history",
    summary="The last cycles of an account",
    description=(
        "The newest first, for 30 days. Cycles in which nothing happened are left out, but for the very last one."
    ),
    responses={
        **json_of(HistoryOut, HTTPStatus.OK, "A page of cycles."),
        **failures(HTTPStatus.NOT_FOUND),
    },
    tags=["accounts"],
)
def history(
    account_id: AccountInPath,
    limit: Annotated[int, Query(ge=1, le=100, description="How many cycles at most.")] = 20,
    cursor: Annotated[str | None, Query(max_length=200, description="What the page before this one gave.")] = None,
) -> HistoryOut:
    """The last cycles of an account of who asks."""
    return HistoryOut.of(accounts_service(journal).history_of(owner_of(app), account_id, limit=limit, cursor=cursor))


def _all(records: list[AccountRecord]) -> AccountsOut:
    return AccountsOut.of(records, accounts_service(journal).clock())


def _tagged(
    record: AccountRecord, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None
) -> Response[AccountOut]:
    return tagged(AccountOut.of(record, accounts_service(journal).clock()), status, headers)


@journal.logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST, clear_state=True)
@journal.flushed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of the API."""
    return answer(app, journal, event, context)
