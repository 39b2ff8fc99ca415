"""What letters have to know of how an account is signed in to, the same in every language."""

from popfetch.domain.account import Account, AuthMethod, Server
from popfetch.domain.oauth import login_hint
from popfetch.domain.provider import Provider, SignInMethod
from popfetch.domain.providers import provider_of_domain, provider_of_host
from popfetch.notices.strangers import foreign


def by_token(server: Server | None) -> bool:
    """Whether a server is signed in to by OAuth 2, so that its owner has no password to set for it."""
    return server is not None and server.auth is AuthMethod.OAUTH2


def mailbox_to_sign_in_as(account: Account) -> str:
    """Whom the account's owner should be at the provider."""
    return foreign(login_hint(account))


def provider_with_trap(account: Account) -> Provider | None:
    """The provider of whom it is known what people stumble over, if that concerns the way this account is signed in to.

    What is known of those who take passwords too is about passwords.
    """
    own_domain = provider_of_domain(account.email.rpartition("@")[2]) is None
    provider = provider_of_host(account.incoming.host, own_domain=own_domain)
    if provider is not None and by_token(account.incoming) and provider.sign_in_methods != (SignInMethod.OAUTH2,):
        return None
    return provider
