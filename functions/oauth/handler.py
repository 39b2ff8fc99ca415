"""Sign-in by OAuth 2: asking for consent to an account's mailbox, taking it in, giving it back."""

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

from popfetch.api.account_answers import AccountOut
from popfetch.api.browser_binding import binding_cookie, browser_secret_of, removed_cookie
from popfetch.api.etags import tagged
from popfetch.api.oauth_models import (
    AuthorizationServersOut,
    BrowserConsentOut,
    CallbackIn,
    ConnectedOut,
    ConsentAskedOut,
    ConsentIn,
    DeviceConsentOut,
    DeviceFlowIn,
    PendingOut,
    callback_answer,
)
from popfetch.api.pages import html_of, page
from popfetch.api.public_url import public_url
from popfetch.api.resolver import AccountInPath, answer, failures, json_answer, json_of, make_resolver, owner_of
from popfetch.domain.errors import AuthorizationPending, OAuthFlowInvalid, OtherBrowser, StorageUnavailable
from popfetch.domain.oauth import Flow
from popfetch.notices.consent_pages import consent_try_again_page, invalid_page, other_browser_page
from popfetch.notices.languages import language_accepted
from popfetch.runtime.observability import new_journal
from popfetch.runtime.wiring_oauth import consent
from popfetch.services.consent import NotConnected

CALLBACK = "/oauth/callback"
IN_THIS_BROWSER = ConsentIn()
"""What a request without a body asks for."""

_KEPT_NOWHERE = {"Cache-Control": "no-store"}
_WRITES = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)

journal = new_journal()
app = make_resolver(journal)


@app.get(
    "/oauth/providers",
    summary="Who gives access to mailboxes by OAuth 2",
    description="Those that popfetch knows, and whether whoever runs it has registered it there.",
    responses={**json_of(AuthorizationServersOut, HTTPStatus.OK, "The providers."), **failures(HTTPStatus.CONFLICT)},
    tags=["oauth"],
)
def show_providers() -> AuthorizationServersOut:
    """The authorization servers that are known."""
    owner_of(app)
    return AuthorizationServersOut.of(consent(journal).providers(), _redirect_uri())


@app.post(
    "/accounts/<account_id>/oauth/start",
    summary="Ask for consent to an account's mailbox",
    description=(
        "Gives the address at which the owner consents, for 10 minutes and once, and a cookie by which the browser is "
        "known again that comes back from there. With the flow device it gives a code instead, to be entered in any "
        "browser, where the provider has that. Once there is consent, the account's servers are signed in to by it."
    ),
    status_code=HTTPStatus.CREATED,
    responses={
        **json_of(
            ConsentAskedOut, HTTPStatus.CREATED, "Where to consent, or what to enter; good for 10 minutes or so."
        ),
        **failures(*_WRITES),
    },
    tags=["oauth"],
)
def start(account_id: AccountInPath, wanted: ConsentIn = IN_THIS_BROWSER) -> Response[ConsentAskedOut]:
    """Ask for consent to the mailbox of an account of who asks."""
    service = consent(journal)
    if wanted.flow is Flow.DEVICE:
        by_device = DeviceConsentOut.of(service.ask_by_device(owner_of(app), account_id))
        return json_answer(ConsentAskedOut(by_device), HTTPStatus.CREATED, _KEPT_NOWHERE)
    asked = service.ask_in_browser(owner_of(app), account_id, _redirect_uri())
    in_browser = BrowserConsentOut.of(asked, service.clock())
    answered = json_answer(ConsentAskedOut(in_browser), HTTPStatus.CREATED, _KEPT_NOWHERE)
    answered.cookies = [binding_cookie(_public_url(), asked.state, asked.browser_secret)]
    return answered


@app.post(
    "/accounts/<account_id>/oauth/device",
    summary="How a sign-in by a code stands",
    description="Asks the provider, no more often than it wants; the code is good for a quarter of an hour or so.",
    responses={
        **json_of(ConnectedOut, HTTPStatus.OK, "The code was entered; the mailbox is open."),
        **json_of(PendingOut, HTTPStatus.ACCEPTED, "The code was not entered yet."),
        **failures(*_WRITES, HTTPStatus.GONE),
    },
    tags=["oauth"],
)
def finish_by_device(account_id: AccountInPath, flow: DeviceFlowIn) -> Response[ConnectedOut | PendingOut]:
    """See whether who asks has entered the code."""
    service = consent(journal)
    try:
        connected = service.finish_by_device(owner_of(app), account_id, flow.device_flow_id)
    except AuthorizationPending as pending:
        return json_answer(PendingOut(interval_seconds=pending.seconds), HTTPStatus.ACCEPTED)
    except NotConnected as error:
        raise error.why from error
    return json_answer(ConnectedOut.of(connected, service.clock()), HTTPStatus.OK)


@app.post(
    "/accounts/<account_id>/oauth/finish",
    summary="Finish a sign-in that came back in another browser",
    description=(
        "For programs that start a sign-in without being the browser it goes on in: takes the address that the browser "
        "came back to. Only the owner who started it can do that."
    ),
    responses={
        **json_of(ConnectedOut, HTTPStatus.OK, "The mailbox is open."),
        **failures(*_WRITES, HTTPStatus.GONE),
    },
    tags=["oauth"],
)
def finish(account_id: AccountInPath, callback: CallbackIn) -> ConnectedOut:
    """Take in a consent that who asks has brought."""
    service = consent(journal)
    try:
        connected = service.finish_as_owner(owner_of(app), account_id, callback.to_answer())
    except NotConnected as error:
        raise error.why from error
    return ConnectedOut.of(connected, service.clock())


@app.delete(
    "/accounts/<account_id>/oauth",
    summary="Give consent back",
    description=(
        "Forgets the tokens and tells the provider, where it wants to know. The account is not collected until its "
        "owner has consented again."
    ),
    responses={
        **json_of(AccountOut, HTTPStatus.OK, "The account as it is now; ETag has its version."),
        **failures(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    },
    tags=["oauth"],
)
def disconnect(account_id: AccountInPath) -> Response[AccountOut]:
    """Give the consent to an account of who asks back."""
    service = consent(journal)
    return tagged(AccountOut.of(service.grants.give_back(owner_of(app), account_id), service.clock()))


@app.get(
    CALLBACK,
    summary="Where the provider sends the browser back to",
    description="For the browser in which the sign-in was started, and nobody else; it goes on to the console.",
    responses={
        HTTPStatus.SEE_OTHER.value: {
            "description": "To the console; the query says how it went.",
            "headers": {"Location": {"schema": {"type": "string"}}},
        },
        **html_of(HTTPStatus.FORBIDDEN, "This is another browser than the one in which the sign-in was started."),
        **html_of(HTTPStatus.GONE, "This sign-in is not waited for, or not any more."),
        **html_of(HTTPStatus.SERVICE_UNAVAILABLE, "Storage did not answer."),
    },
    tags=["oauth"],
)
def come_back() -> Response[Any]:
    """Take in the consent that a browser brings back."""
    event = app.current_event.raw_event
    language = language_accepted(app.current_event.headers.get("accept-language") or "")
    brought = callback_answer(event.get("multiValueQueryStringParameters") or {})
    try:
        secret = browser_secret_of(event, _public_url(), brought.state)
        connected = consent(journal).finish_in_browser(brought, secret)
    except OAuthFlowInvalid:
        return page(HTTPStatus.GONE, invalid_page(language))
    except OtherBrowser:
        return page(HTTPStatus.FORBIDDEN, other_browser_page(language))
    except StorageUnavailable as error:
        journal.warning("request not carried out", error=error.code, reason=error.for_the_log)
        return page(HTTPStatus.SERVICE_UNAVAILABLE, consent_try_again_page(language))
    except NotConnected as error:
        return _to_console(brought.state, oauth="failed", account=error.account_id, code=error.why.code)
    trouble = {"code": connected.trouble.code} if connected.trouble else {}
    return _to_console(brought.state, oauth="connected", account=connected.record.account.account_id, **trouble)


def _to_console(state: str, **told: str) -> Response[Any]:
    """Send the browser on to the console: always there, for an address that came along could lead anywhere."""
    return Response(
        status_code=HTTPStatus.SEE_OTHER,
        headers={
            "Location": f"{_public_url()}/?{urlencode(told)}",
            **_KEPT_NOWHERE,
            # the address of this answer holds a code
            "Referrer-Policy": "no-referrer",
        },
        cookies=[removed_cookie(_public_url(), state)],
    )


def _public_url() -> str:
    return public_url(app.current_event.raw_event)


def _redirect_uri() -> str:
    return f"{_public_url()}{CALLBACK}"


def _as_a_visit(event: dict[str, Any]) -> dict[str, Any]:
    """A browser's way back without all that could be refused for its form: people are answered by pages."""
    return {**event, "body": None, "queryStringParameters": None} if event.get("resource") == CALLBACK else event


@journal.logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST, clear_state=True)
@journal.flushed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of the API."""
    return answer(app, journal, _as_a_visit(event), context)
