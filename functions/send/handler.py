"""Mail that is sent as an account, and the files that are too large to come along with it."""

from functools import partial
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Header
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

from popfetch.api.resolver import AccountInPath, answer, failures, json_answer, json_of, make_resolver, owner_of
from popfetch.api.send_models import MailIn, SentOut, UploadIn, UploadOut
from popfetch.domain.message import DeliveryState
from popfetch.runtime.observability import new_journal
from popfetch.runtime.wiring_send import sending, sent_under_a_key

journal = new_journal()
app = make_resolver(journal)


@app.post(
    "/accounts/<account_id>/send",
    summary="Send a mail",
    description=(
        "Sends a mail through the account's own server, and keeps a copy. With an Idempotency-Key the same request may "
        "come any number of times: it is sent once, and answered the same way each time. Whatever is answered with an "
        "error was not sent."
    ),
    responses={
        **json_of(SentOut, HTTPStatus.OK, "Sent, to those who are named as accepted."),
        **json_of(SentOut, HTTPStatus.ACCEPTED, "Handed over, but not confirmed: it may have been sent, or not."),
        **failures(
            HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        ),
    },
    tags=["sending"],
)
def send(
    account_id: AccountInPath,
    mail: MailIn,
    idempotency_key: Annotated[
        str,
        Header(
            alias="Idempotency-Key",
            description="A name for this very mail, such as a UUID; remembered for a day.",
            pattern=r"^[\x21-\x7e]{0,200}$",
        ),
    ] = "",
) -> Response[SentOut]:
    """Send a mail as an account of who asks."""
    command = mail.to_command(owner_of(app), account_id, idempotency_key)
    once = partial(sent_under_a_key, app.lambda_context)
    message = sending(journal).send(command, once)
    confirmed = message.delivery is not None and message.delivery.state is DeliveryState.SENT
    return json_answer(SentOut.of(message), HTTPStatus.OK if confirmed else HTTPStatus.ACCEPTED)


@app.post(
    "/accounts/<account_id>/uploads",
    summary="Prepare the upload of a file",
    description="Gives an address that takes one file of the announced size; a mail sends it along within a day.",
    status_code=HTTPStatus.CREATED,
    responses={
        **json_of(UploadOut, HTTPStatus.CREATED, "Where the file goes."),
        **failures(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    },
    tags=["sending"],
)
def offer_upload(account_id: AccountInPath, upload: UploadIn) -> Response[UploadOut]:
    """Prepare an upload for who asks."""
    offer = sending(journal).offer_upload(owner_of(app), account_id, upload.octets)
    return json_answer(UploadOut.of(offer), HTTPStatus.CREATED)


@journal.logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST, clear_state=True)
@journal.flushed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of the API."""
    return answer(app, journal, event, context, longest_body=None)
