"""Access tokens that open nothing for ``anna``, each for a reason of its own, and the forms that a token is sent in."""

from base64 import b64encode
from collections.abc import Callable, Mapping

from tests.real.oidc_provider import OidcProvider
from tests.real.token_client import revoke_token, tokens_of


def _of_another_user(provider: OidcProvider, scope: str) -> str:
    return tokens_of(provider, "bert", scope=scope).access_token


def _expired(provider: OidcProvider, scope: str) -> str:
    token = tokens_of(provider, "anna", scope=scope).access_token
    provider.expire_access_tokens("anna")
    return token


def _given_back(provider: OidcProvider, scope: str) -> str:
    token = tokens_of(provider, "anna", scope=scope).access_token
    revoke_token(provider, token)
    return token


def _taken_back_by_the_user(provider: OidcProvider, scope: str) -> str:
    token = tokens_of(provider, "anna", scope=scope).access_token
    assert provider.revoke("anna")
    return token


def _made_up(_provider: OidcProvider, _scope: str) -> str:
    return "ya29.n0-0ne-ever-1ssued-this-t0ken"


def _without_the_scope(provider: OidcProvider, scope: str) -> str:
    return tokens_of(provider, "anna", scope="mail.pop mail.smtp", without=scope.split()).access_token


REFUSED: Mapping[str, Callable[[OidcProvider, str], str]] = {
    "of another user": _of_another_user,
    "expired": _expired,
    "given back": _given_back,
    "taken back by the user": _taken_back_by_the_user,
    "made up": _made_up,
    "without the scope": _without_the_scope,
}
"""How to come by each; called with the provider and the scope that the server looks for."""


def tells_the_token(text: str, token: str, user: str = "anna") -> bool:
    """True when the token, plain or as either mechanism sends it, is in ``text``."""
    exchanges = (f"user={user}\x01auth=Bearer {token}\x01\x01", f"n,a={user},\x01auth=Bearer {token}\x01\x01")
    encoded = (b64encode(form.encode()).decode().rstrip("=") for form in (token, *exchanges))
    return any(form in text for form in (token, *encoded))
