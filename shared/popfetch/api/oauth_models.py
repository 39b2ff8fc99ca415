"""Sign-in by OAuth 2 as requests bring it and answers tell it; no token is in either."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from urllib.parse import parse_qs

from pydantic import BaseModel, Field, RootModel, StringConstraints

from popfetch.api.account_answers import AccountOut
from popfetch.api.fields import RequestModel
from popfetch.domain.oauth import AuthorizationServer, CallbackAnswer, Flow
from popfetch.domain.secret import Secret
from popfetch.services.consent import AskedByDevice, AskedInBrowser
from popfetch.services.grants import Connected

LONGEST_CALLBACK = 8_000
"""Characters of the address that a browser is sent back to."""

LONGEST_VALUE = 4_000
"""Characters of one value in it; Microsoft's codes have about 1,500."""

_ASCII = r"^[\x21-\x7e]*$"
_FLOW_ID = r"^[A-Za-z0-9_-]{43}$"


class AuthorizationServerOut(BaseModel):
    """Who gives access to mailboxes by OAuth 2, and whether popfetch can ask there."""

    id: str
    name: str
    configured: bool = Field(description="Whether whoever runs popfetch has registered it there.")
    flows: list[Flow] = Field(description="The ways to consent.")
    hosts: list[str] = Field(description="The mail servers that take its tokens.")
    redirect_uri: str = Field(description="What the operator registers there as popfetch's redirect URI.")

    @classmethod
    def of(cls, server: AuthorizationServer, *, configured: bool, redirect_uri: str) -> Self:
        """The server as owners and the operator see it."""
        return cls(
            id=server.id,
            name=server.name,
            configured=configured,
            flows=list(server.flows),
            hosts=sorted(server.hosts),
            redirect_uri=redirect_uri,
        )


class AuthorizationServersOut(BaseModel):
    """The authorization servers that popfetch knows."""

    providers: list[AuthorizationServerOut]

    @classmethod
    def of(cls, known: Sequence[tuple[AuthorizationServer, bool]], redirect_uri: str) -> Self:
        """The servers as they are shown."""
        return cls(
            providers=[
                AuthorizationServerOut.of(server, configured=configured, redirect_uri=redirect_uri)
                for server, configured in known
            ]
        )


class ConsentIn(RequestModel):
    """How the owner wants to consent."""

    flow: Flow = Field(default=Flow.CODE, description="code: in this browser; device: by a code in any other.")


class BrowserConsentOut(BaseModel):
    """Where the owner consents: open it in the browser that asked."""

    flow: Literal[Flow.CODE] = Flow.CODE
    authorization_url: str
    expires_at: datetime

    @classmethod
    def of(cls, asked: AskedInBrowser, now: datetime) -> Self:
        """The question as the owner gets it."""
        return cls(authorization_url=asked.address, expires_at=now + asked.expires_in)


class DeviceConsentOut(BaseModel):
    """What the owner does: open ``verification_uri`` anywhere, and enter ``user_code`` there."""

    flow: Literal[Flow.DEVICE] = Flow.DEVICE
    device_flow_id: str = Field(description="Names this sign-in when one asks how it stands.")
    user_code: str
    verification_uri: str
    verification_uri_complete: str | None = Field(description="The same with the code in it, where there is one.")
    expires_at: datetime
    interval_seconds: int = Field(description="How often one may ask how it stands.")

    @classmethod
    def of(cls, asked: AskedByDevice) -> Self:
        """The question as the owner gets it."""
        offer = asked.offer
        return cls(
            device_flow_id=asked.state,
            user_code=offer.user_code,
            verification_uri=offer.verification_uri,
            verification_uri_complete=offer.verification_uri_complete,
            expires_at=offer.expires_at,
            interval_seconds=offer.poll_seconds,
        )


class ConsentAskedOut(RootModel[Annotated[BrowserConsentOut | DeviceConsentOut, Field(discriminator="flow")]]):
    """What the owner does to consent, by the flow that was asked for."""


class DeviceFlowIn(RequestModel):
    """Which sign-in by a code is asked for."""

    device_flow_id: Annotated[str, StringConstraints(pattern=_FLOW_ID)]


class PendingOut(BaseModel):
    """The code was not entered yet."""

    pending: Literal[True] = True
    interval_seconds: int = Field(description="Ask again after so many seconds.")


class CallbackIn(RequestModel):
    """The address that a browser came back to, other than the one that the sign-in was started in."""

    callback_url: Annotated[str, StringConstraints(pattern=_ASCII, max_length=LONGEST_CALLBACK)] = Field(
        description="All of it, as it stands in the browser's address bar."
    )

    def to_answer(self) -> CallbackAnswer:
        """What the authorization server said."""
        query = self.callback_url.partition("?")[2].partition("#")[0]
        return callback_answer(parse_qs(query, keep_blank_values=True))


class TroubleOut(BaseModel):
    """What went wrong beside the consent."""

    code: str
    message: str


class ConnectedOut(BaseModel):
    """An account whose mailbox is open now."""

    account: AccountOut
    trouble: TroubleOut | None = Field(description="What went wrong when the servers were tried, where anything did.")

    @classmethod
    def of(cls, connected: Connected, now: datetime) -> Self:
        """The account as its owner sees it at ``now``."""
        trouble = connected.trouble
        return cls(
            account=AccountOut.of(connected.record, now),
            trouble=TroubleOut(code=trouble.code, message=trouble.message) if trouble else None,
        )


def callback_answer(query: dict[str, list[str]]) -> CallbackAnswer:
    """What an authorization server said, by the query it sent the browser back with.

    A parameter that is there twice, or longer than any that is meant, counts as not there (RFC 6749, section 3.1).
    """

    def only(name: str) -> str:
        values: list[Any] = query.get(name) or []
        fits = len(values) == 1 and isinstance(values[0], str) and len(values[0]) <= LONGEST_VALUE
        return values[0] if fits else ""

    code = only("code")
    return CallbackAnswer(
        state=only("state"),
        code=Secret(code) if code.isascii() and code.isprintable() and code else None,
        error=only("error"),
        issuer=only("iss") if query.get("iss") else None,
    )
