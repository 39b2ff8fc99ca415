"""The console: the web app's page and files, and the sessions of those who sign in there."""

import pathlib
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

from popfetch.api.console_pages import app_page, asset_answer, frame_page
from popfetch.api.console_requests import as_asked
from popfetch.api.errors import ErrorOut
from popfetch.api.fields import RemoteImages
from popfetch.api.pages import html_of
from popfetch.api.public_url import public_url
from popfetch.api.resolver import answer, failures, json_answer, json_of, make_resolver
from popfetch.api.session_cookie import refresh_token_of, removed_session_cookie, session_cookie
from popfetch.api.session_models import (
    AnswerIn,
    ChallengeOut,
    ForgottenIn,
    RenewIn,
    ResetIn,
    SessionOut,
    SignInIn,
    SignInOut,
    secret,
)
from popfetch.domain.session import Challenged, Session
from popfetch.runtime.observability import new_journal
from popfetch.runtime.wiring_console import mail_origins, sessions, site

SITE = pathlib.Path(__file__).parent / "site"
"""The built web app."""

SESSION = "/session"

_KEPT_NOWHERE = {"Cache-Control": "no-store"}
_READS_JSON = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)


def _failures_for_anybody(*statuses: HTTPStatus) -> dict[int, Any]:
    """What a route may answer instead that does not ask who is there."""
    return {status: told for status, told in failures(*statuses).items() if status != HTTPStatus.UNAUTHORIZED}


journal = new_journal()
app = make_resolver(journal)


@app.post(
    SESSION,
    summary="Sign in",
    description=(
        "Opens a session by address and password, or says what is asked for beside them. What keeps it open is a "
        "cookie that no script sees. A wrong password and an unknown address are answered alike."
    ),
    responses={
        **json_of(SignInOut, HTTPStatus.OK, "The session, or what is asked for; answer that at /session/answer."),
        **failures(*_READS_JSON),
    },
    tags=["session"],
)
def sign_in(who: SignInIn) -> Response[SignInOut]:
    """Sign in."""
    return _signed_in(sessions(journal).sign_in(who.email, secret(who.password)))


@app.post(
    f"{SESSION}/answer",
    summary="Answer what a sign-in is asked for",
    description="A new password in place of the operator's, or the code of an authenticator app.",
    responses={
        **json_of(SignInOut, HTTPStatus.OK, "The session, or what is asked for next."),
        **failures(*_READS_JSON),
    },
    tags=["session"],
)
def answer_challenge(given: AnswerIn) -> Response[SignInOut]:
    """Go on with a sign-in."""
    return _signed_in(
        sessions(journal).answer(given.email, given.challenge, secret(given.session), secret(given.answer))
    )


@app.post(
    f"{SESSION}/renew",
    summary="Go on with a session",
    description="Gives a new id token to the browser that has the session's cookie.",
    responses={**json_of(SessionOut, HTTPStatus.OK, "The session."), **failures(*_READS_JSON)},
    tags=["session"],
)
def renew(_: RenewIn) -> Response[SessionOut]:
    """Go on with the session of who asks."""
    event = app.current_event.raw_event
    renewed = sessions(journal).renew(refresh_token_of(event, public_url(event)))
    return _with_cookie(json_answer(SessionOut.of(renewed), HTTPStatus.OK, _KEPT_NOWHERE), renewed)


@app.delete(
    SESSION,
    summary="Sign out",
    description="Ends the session for good, and takes its cookie away.",
    status_code=HTTPStatus.NO_CONTENT,
    responses={204: {"description": "Nobody is signed in here any more."}, **_failures_for_anybody()},
    tags=["session"],
)
def sign_out() -> Response[Any]:
    """End the session of who asks."""
    event = app.current_event.raw_event
    reached_at = public_url(event)
    sessions(journal).end(refresh_token_of(event, reached_at))
    return Response(
        status_code=HTTPStatus.NO_CONTENT.value, headers=_KEPT_NOWHERE, cookies=[removed_session_cookie(reached_at)]
    )


@app.post(
    f"{SESSION}/forgotten",
    summary="Ask for a new password",
    description="Sends a code to the address, if it is a user's; the answer is the same whoever it is.",
    status_code=HTTPStatus.ACCEPTED,
    responses={
        202: {"description": "If there is such a user, a code is on its way."},
        **_failures_for_anybody(*_READS_JSON),
    },
    tags=["session"],
)
def forget_password(who: ForgottenIn) -> Response[Any]:
    """Have a code sent."""
    sessions(journal).forget_password(who.email)
    return json_answer({}, HTTPStatus.ACCEPTED, _KEPT_NOWHERE)


@app.post(
    f"{SESSION}/reset",
    summary="Choose a new password",
    description="With the code that was sent; sign in with it then.",
    status_code=HTTPStatus.NO_CONTENT,
    responses={204: {"description": "The password is in force."}, **_failures_for_anybody(*_READS_JSON)},
    tags=["session"],
)
def reset_password(new: ResetIn) -> Response[Any]:
    """Choose a new password."""
    sessions(journal).reset_password(new.email, secret(new.code), secret(new.password))
    return Response(status_code=HTTPStatus.NO_CONTENT.value, headers=_KEPT_NOWHERE)


@app.get(
    "/",
    summary="The console",
    description="The web app. It is for everybody: whoever opens it signs in there.",
    responses={
        **html_of(HTTPStatus.OK, "The page."),
        **json_of(ErrorOut, HTTPStatus.SERVICE_UNAVAILABLE, "The web app was not built for this deployment."),
    },
    tags=["console"],
)
def show() -> Response[str]:
    """The web app's page."""
    reached_at = public_url(app.current_event.raw_event)
    return app_page(site(SITE).page(reached_at), mail_origins())


@app.get(
    "/assets/<name>",
    summary="A file of the console",
    description="What the page loads; the name changes with the content.",
    responses={
        200: {"description": "The file.", "content": {"*/*": {"schema": {"type": "string"}}}},
        **_failures_for_anybody(HTTPStatus.NOT_FOUND),
    },
    tags=["console"],
)
def show_asset(name: Annotated[str, Path(description="The file's name.")]) -> Response[str]:
    """A file of the web app."""
    return asset_answer(site(SITE).asset(name))


@app.get(
    "/frame",
    summary="The document that the console shows a message in",
    description="It is empty, and its policy holds whatever the console writes into it: nothing runs there.",
    responses={**html_of(HTTPStatus.OK, "The document."), **_failures_for_anybody()},
    tags=["console"],
)
def show_frame(
    images: Annotated[RemoteImages, Query(description="Whether images from elsewhere are loaded.")] = (
        RemoteImages.BLOCKED
    ),
) -> Response[str]:
    """The empty document for a message."""
    return frame_page(images)


def _signed_in(opened: Session | Challenged) -> Response[SignInOut]:
    if isinstance(opened, Challenged):
        return json_answer(SignInOut(ChallengeOut.of(opened)), HTTPStatus.OK, _KEPT_NOWHERE)
    return _with_cookie(json_answer(SignInOut(SessionOut.of(opened)), HTTPStatus.OK, _KEPT_NOWHERE), opened)


def _with_cookie[Body](answered: Response[Body], opened: Session) -> Response[Body]:
    if opened.refresh_token:
        answered.cookies = [session_cookie(public_url(app.current_event.raw_event), opened.refresh_token)]
    return answered


@journal.logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST, clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of the API."""
    return answer(app, journal, as_asked(event), context)
