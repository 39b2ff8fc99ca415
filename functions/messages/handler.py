"""Reading mail: the list of it, one message, and its files."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response, content_types
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

from popfetch.api.fields import RemoteImages
from popfetch.api.message_models import LONGEST_QUERY, FileLinkOut, MessageOut, MessagesOut, Moment
from popfetch.api.resolver import AccountInPath, answer, failures, json_answer, json_of, make_resolver, owner_of
from popfetch.domain.message_list import Kind, Wanted
from popfetch.ports.stored_mail import FileLink
from popfetch.runtime.observability import new_journal
from popfetch.runtime.wiring_messages import reading

journal = new_journal()
app = make_resolver(journal)

MessageInPath = Annotated[str, Path(description="The message's id.")]
Limit = Annotated[int, Query(ge=1, le=200, description="How many messages at most.")]
Cursor = Annotated[str | None, Query(max_length=200, description="What the page before this one gave.")]
Words = Annotated[
    str, Query(max_length=LONGEST_QUERY, description="Words that each occur in the sender, subject or a recipient.")
]
InSender = Annotated[str, Query(max_length=LONGEST_QUERY, description="What occurs in the sender.")]
InSubject = Annotated[str, Query(max_length=LONGEST_QUERY, description="What occurs in the subject.")]
Since = Annotated[Moment | None, Query(description="Only what arrived then or later: a date or an instant.")]
Before = Annotated[Moment | None, Query(description="Only what arrived before: a date or an instant.")]
Which = Annotated[Kind, Query(description="Whether what came, what was sent from here, or both.")]

_LIST = "The newest first. Letters count the same in either case and with or without diacritics."
_FILE = (
    "Leads to the file, which a browser then keeps; with Accept: application/json the address is in the answer. It is "
    "good for a few minutes."
)
_LINKS = {
    **json_of(FileLinkOut, HTTPStatus.OK, "Where the file is, to whom accepts JSON."),
    303: {"description": "The file is at Location."},
    **failures(HTTPStatus.NOT_FOUND),
}


@app.get(
    "/messages",
    summary="The messages of all accounts",
    description=_LIST,
    responses={**json_of(MessagesOut, HTTPStatus.OK, "A page of messages."), **failures()},
    tags=["messages"],
)
def list_all(
    limit: Limit = 50,
    cursor: Cursor = None,
    q: Words = "",
    sender: InSender = "",
    subject: InSubject = "",
    since: Since = None,
    before: Before = None,
    kind: Which = Kind.ALL,
) -> MessagesOut:
    """The messages of who asks."""
    wanted = Wanted(q, sender, subject, since, before, kind)
    return MessagesOut.of(reading(journal).list_all(owner_of(app), wanted, limit=limit, cursor=cursor))


@app.get(
    "/accounts/<account_id>/messages",
    summary="The messages of an account",
    description=_LIST,
    responses={**json_of(MessagesOut, HTTPStatus.OK, "A page of messages."), **failures(HTTPStatus.NOT_FOUND)},
    tags=["messages"],
)
def list_of_account(
    account_id: AccountInPath,
    limit: Limit = 50,
    cursor: Cursor = None,
    q: Words = "",
    sender: InSender = "",
    subject: InSubject = "",
    since: Since = None,
    before: Before = None,
    kind: Which = Kind.ALL,
) -> MessagesOut:
    """The messages of an account of who asks."""
    wanted = Wanted(q, sender, subject, since, before, kind)
    return MessagesOut.of(reading(journal).list_of(owner_of(app), account_id, wanted, limit=limit, cursor=cursor))


@app.get(
    "/accounts/<account_id>/messages/<message_id>",
    summary="Read a message",
    description=(
        "Its headers, text, HTML and attachments, as far as they can be read; problems says what could not. The HTML "
        "was made harmless: nothing in it runs, asks or loads, but for remote images where they are asked for."
    ),
    responses={**json_of(MessageOut, HTTPStatus.OK, "The message."), **failures(HTTPStatus.NOT_FOUND)},
    tags=["messages"],
)
def read(
    account_id: AccountInPath,
    message_id: MessageInPath,
    images: Annotated[
        RemoteImages, Query(description="Whether images that are elsewhere stay in the HTML.")
    ] = RemoteImages.BLOCKED,
) -> MessageOut:
    """A message of who asks."""
    wanted = images is RemoteImages.SHOWN
    return MessageOut.of(reading(journal).read(owner_of(app), account_id, message_id, remote_images=wanted))


@app.get(
    "/accounts/<account_id>/messages/<message_id>/raw",
    summary="A message as a file, byte for byte",
    description=_FILE,
    responses=_LINKS,
    tags=["messages"],
)
def raw(account_id: AccountInPath, message_id: MessageInPath) -> Response[Any]:
    """The file of a message of who asks."""
    return _led_to(reading(journal).raw(owner_of(app), account_id, message_id))


@app.get(
    "/accounts/<account_id>/messages/<message_id>/attachments/<attachment_id>",
    summary="A file that is attached to a message",
    description=_FILE,
    responses={**_LINKS, **failures(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)},
    tags=["messages"],
)
def attachment(
    account_id: AccountInPath,
    message_id: MessageInPath,
    attachment_id: Annotated[str, Path(description="The attachment's id, as the message tells it.")],
) -> Response[Any]:
    """An attachment of a message of who asks."""
    return _led_to(reading(journal).attachment(owner_of(app), account_id, message_id, attachment_id))


def _led_to(link: FileLink) -> Response[Any]:
    accept = app.current_event.headers.get("Accept") or ""
    private = {"Cache-Control": "no-store"}
    if content_types.APPLICATION_JSON in accept.lower():
        return json_answer(FileLinkOut.of(link), HTTPStatus.OK, private)
    return Response(status_code=HTTPStatus.SEE_OTHER.value, headers={"Location": link.url, **private})


@journal.logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST, clear_state=True)
@journal.flushed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of the API."""
    return answer(app, journal, event, context)
