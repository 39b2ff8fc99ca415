"""The authorization servers whose tokens open mailboxes at providers that popfetch knows.

The scopes are those for POP and SMTP and no more. Google's and Microsoft's pages give a refresh token only where it is
asked for; Fastmail's issuer is not known.
"""

from popfetch.domain.oauth import AuthorizationServer
from popfetch.domain.provider import OAuthProvider
from popfetch.domain.provider_table import PROVIDERS


def _hosts_of(provider: OAuthProvider) -> frozenset[str]:
    """The mail servers, by the provider table, that take tokens of ``provider``."""
    hosts: set[str] = set()
    for known in PROVIDERS:
        if known.oauth_provider is provider:
            hosts.update(server.host for server in (known.incoming, known.outgoing) if server)
            hosts.update(known.other_hosts)
    return frozenset(hosts)


_MICROSOFT = "https://login.microsoftonline.com"

AUTHORIZATION_SERVERS = (
    AuthorizationServer(
        id=OAuthProvider.GOOGLE,
        name="Google",
        authorize_url="https://accounts.google.com/o/oauth2/v2/auth",
        token_url="https://oauth2.googleapis.com/token",  # noqa: S106 - an address
        revoke_url="https://oauth2.googleapis.com/revoke",
        issuer="https://accounts.google.com",
        scopes=("https://mail.google.com/",),
        hosts=_hosts_of(OAuthProvider.GOOGLE) | {"smtp.googlemail.com"},
        asks={"access_type": "offline", "prompt": "consent"},
    ),
    AuthorizationServer(
        id=OAuthProvider.MICROSOFT,
        name="Microsoft",
        authorize_url=f"{_MICROSOFT}/common/oauth2/v2.0/authorize",
        token_url=f"{_MICROSOFT}/common/oauth2/v2.0/token",
        device_url=f"{_MICROSOFT}/common/oauth2/v2.0/devicecode",
        issuer=f"{_MICROSOFT}/{{tenantid}}/v2.0",
        scopes=(
            "https://outlook.office.com/POP.AccessAsUser.All",
            "https://outlook.office.com/SMTP.Send",
            "offline_access",
        ),
        hosts=_hosts_of(OAuthProvider.MICROSOFT),
        # with a secret, tokens of a device code are refused as invalid_client (AADSTS700025)
        devices_are_public=True,
    ),
    AuthorizationServer(
        id=OAuthProvider.FASTMAIL,
        name="Fastmail",
        authorize_url="https://api.fastmail.com/oauth/authorize",
        token_url="https://api.fastmail.com/oauth/refresh",  # noqa: S106 - an address
        scopes=("https://www.fastmail.com/dev/protocol-pop", "https://www.fastmail.com/dev/protocol-smtp"),
        hosts=_hosts_of(OAuthProvider.FASTMAIL),
    ),
)
"""Those that popfetch knows of itself, in the order in which they are shown."""

TENANT_IN_URLS = "/common/"
"""What stands for every tenant in Microsoft's addresses; the operator may name one tenant in its place."""
