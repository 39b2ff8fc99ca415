"""Rules of sign-in by OAuth 2: where tokens may go, how long they count, what an account is after consent."""

from datetime import timedelta
from typing import Any

import pytest

from popfetch.domain.account import Account, AuthMethod, Direction, Security, Standing
from popfetch.domain.authorization_servers import AUTHORIZATION_SERVERS
from popfetch.domain.errors import InvalidAccount, OAuthFlowInvalid
from popfetch.domain.oauth import (
    USED_UNTIL,
    Flow,
    PendingConsent,
    check_browser,
    check_token_may_go,
    consented,
    hash_of,
    is_usable,
    login_hint,
    shares_consent,
    withdrawn,
)
from popfetch.domain.provider import SignInMethod
from popfetch.domain.provider_table import PROVIDERS
from tests.builders.accounts import NOON, a_server, an_account
from tests.builders.oauth import a_grant, an_authorization_server

BY_ID = {server.id: server for server in AUTHORIZATION_SERVERS}
TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"


class TestTheTable:
    def test_every_provider_that_takes_tokens_has_its_server(self) -> None:
        for provider in PROVIDERS:
            if SignInMethod.OAUTH2 in provider.sign_in_methods and provider.incoming and provider.outgoing:
                assert provider.oauth_provider
                hosts = BY_ID[provider.oauth_provider].hosts
                assert {provider.incoming.host, provider.outgoing.host, *provider.other_hosts} <= hosts

    def test_no_host_belongs_to_two(self) -> None:
        hosts = [host for server in AUTHORIZATION_SERVERS for host in server.hosts]
        assert len(hosts) == len(set(hosts))

    def test_only_microsoft_has_codes_for_other_devices(self) -> None:
        assert [server.id for server in AUTHORIZATION_SERVERS if Flow.DEVICE in server.flows] == ["microsoft"]

    @pytest.mark.parametrize("server", AUTHORIZATION_SERVERS, ids=lambda server: server.id)
    def test_every_address_is_https(self, server: object) -> None:
        addresses = [getattr(server, name) for name in ("authorize_url", "token_url", "device_url", "revoke_url")]
        assert all(address.startswith("https://") for address in addresses if address)

    def test_google_is_asked_for_a_refresh_token(self) -> None:
        assert BY_ID["google"].asks == {"access_type": "offline", "prompt": "consent"}


class TestWhereTokensGo:
    @pytest.mark.parametrize("host", ["pop.example.com", "POP.Example.COM", "pop.example.com."])
    def test_to_the_hosts_of_their_server(self, host: str) -> None:
        check_token_may_go(a_server(host=host), Direction.INCOMING, an_authorization_server())

    @pytest.mark.parametrize(
        "host", ["example.com", "evil.pop.example.com", "pop.example.com.evil.example", "pop.example.co", "192.0.2.1"]
    )
    def test_to_no_other(self, host: str) -> None:
        with pytest.raises(InvalidAccount, match=r"^incoming\.host: .*Example Ltd"):
            check_token_may_go(a_server(host=host), Direction.INCOMING, an_authorization_server())

    def test_over_no_unprotected_line(self) -> None:
        with pytest.raises(InvalidAccount, match=r"^outgoing\.security"):
            check_token_may_go(a_server(security=Security.NONE), Direction.OUTGOING, an_authorization_server())


class TestTheIssuer:
    @pytest.mark.parametrize(
        ("server_id", "said", "expected"),
        [
            ("google", "https://accounts.google.com", True),
            ("google", "https://accounts.google.com.evil.example", False),
            ("google", "http://accounts.google.com", False),
            ("google", None, True),
            ("microsoft", f"https://login.microsoftonline.com/{TENANT}/v2.0", True),
            ("microsoft", "https://login.microsoftonline.com/common/v2.0", False),
            ("microsoft", "https://login.microsoftonline.com/../v2.0", False),
            ("microsoft", f"https://login.microsoftonline.com/{TENANT}/v2.0/x", False),
            ("microsoft", "https://accounts.google.com", False),
            ("fastmail", "https://whatever.example", True),
        ],
    )
    def test_it_is_the_servers_own_where_that_is_known(self, server_id: str, said: str | None, expected: bool) -> None:
        assert BY_ID[server_id].is_issuer(said) is expected


class TestScopes:
    def test_what_opens_no_mailbox_is_not_missed(self) -> None:
        microsoft = BY_ID["microsoft"]
        assert microsoft.scopes_missing(" ".join(microsoft.scopes[:2])) == ()
        assert microsoft.scopes_missing(None) == ()

    @pytest.mark.parametrize(
        ("server_id", "granted"),
        [
            ("google", "https://mail.google.com/"),
            ("google", "openid https://mail.google.com"),
            ("microsoft", "POP.AccessAsUser.All SMTP.Send"),
            ("microsoft", "https://outlook.office.com/pop.accessasuser.all https://outlook.office365.com/SMTP.Send"),
            ("fastmail", "https://www.fastmail.com/dev/protocol-smtp https://www.fastmail.com/dev/protocol-pop"),
        ],
    )
    def test_they_are_known_however_a_server_writes_them(self, server_id: str, granted: str) -> None:
        assert BY_ID[server_id].scopes_missing(granted) == ()

    def test_what_was_not_granted_is_missed(self) -> None:
        assert an_authorization_server().scopes_missing("mail.smtp") == ("mail.pop",)
        assert an_authorization_server().scopes_missing("mail.popcorn mail.smtp") == ("mail.pop",)


class TestTokens:
    def test_one_counts_until_shortly_before_its_end(self) -> None:
        end = NOON + timedelta(hours=1)
        assert is_usable(end, NOON)
        assert is_usable(end, end - USED_UNTIL - timedelta(seconds=1))
        assert not is_usable(end, end - USED_UNTIL)


class TestTheState:
    @pytest.mark.parametrize("text", ["", "x" * 42, "x" * 44, "x" * 42 + "=", "é" * 43, "x" * 42 + "\n"])
    def test_what_cannot_be_one_is_none(self, text: str) -> None:
        with pytest.raises(OAuthFlowInvalid):
            hash_of(text)

    def test_the_browser_is_known_by_its_secret(self) -> None:
        pending = PendingConsent("o", "a", "example", Flow.CODE, b"", NOON, browser_hash=hash_of("b" * 43))
        assert check_browser(pending, "b" * 43)
        assert not check_browser(pending, "c" * 43)
        assert not check_browser(pending, "")

    def test_a_flow_without_a_browser_is_no_browsers(self) -> None:
        pending = PendingConsent("o", "a", "example", Flow.DEVICE, b"", NOON)
        assert not check_browser(pending, "")
        assert not check_browser(pending, "b" * 43)

    def test_nothing_of_it_shows_itself(self) -> None:
        pending = PendingConsent("o", "a", "example", Flow.CODE, b"proof", NOON, browser_hash=b"hash")
        assert "proof" not in repr(pending)
        assert "hash" not in repr(pending).replace("browser_hash", "")


class TestAnAccountAfterConsent:
    def test_every_server_that_tokens_go_to_needs_no_password(self) -> None:
        before = an_account(
            incoming=a_server(),
            outgoing=a_server(host="smtp.example.com", port=465),
            outgoing_secret=b"sealed",
        )
        after = consented(before, an_authorization_server(), a_grant())
        assert after.incoming.auth is AuthMethod.OAUTH2
        assert after.outgoing
        assert after.outgoing.auth is AuthMethod.OAUTH2
        assert (after.incoming_secret, after.outgoing_secret, after.grant) == (None, None, a_grant())

    def test_a_server_elsewhere_keeps_its_password(self) -> None:
        before = an_account(outgoing=a_server(host="smtp.example.org", port=465), outgoing_secret=b"sealed")
        after = consented(before, an_authorization_server(), a_grant())
        assert after.outgoing == before.outgoing
        assert after.outgoing_secret == b"sealed"

    def test_one_with_no_such_server_is_refused(self) -> None:
        with pytest.raises(InvalidAccount, match="start again"):
            consented(an_account(incoming=a_server(host="pop.example.org")), an_authorization_server(), a_grant())

    def test_one_in_clear_is_refused(self) -> None:
        with pytest.raises(InvalidAccount, match="TLS"):
            consented(an_account(incoming=a_server(security=Security.NONE)), an_authorization_server(), a_grant())

    @pytest.mark.parametrize("direction", Direction)
    def test_a_server_of_another_provider_is_left_to_nobody(self, direction: Direction) -> None:
        """The tokens of one provider never go to another."""
        foreign = {direction.value: a_server(host="pop.gmail.com", auth=AuthMethod.OAUTH2)}
        account = an_account(1, **{"incoming": a_server(), "outgoing": a_server(host="smtp.example.com"), **foreign})
        with pytest.raises(InvalidAccount, match=r"pop\.gmail\.com is no server of Example Ltd"):
            consented(account, an_authorization_server(), a_grant())

    def test_withdrawn_it_waits_for_another(self) -> None:
        after = withdrawn(consented(an_account(), an_authorization_server(), a_grant()))
        assert after.lacks_consent
        assert after.standing is Standing.ACTIVE


@pytest.mark.parametrize(
    ("username", "hint"),
    [
        ("anna@gmail.com", "anna@gmail.com"),
        ("recent:anna@gmail.com", "anna@gmail.com"),
        ("anna", "anna1@example.com"),
    ],
)
def test_the_page_proposes_whom_one_signs_in_as(username: str, hint: str) -> None:
    assert login_hint(an_account(incoming=a_server(username=username))) == hint


def test_the_page_proposes_the_user_of_the_server_that_is_asked_for() -> None:
    outgoing = a_server(host="smtp.example.com", username="bert@example.com")
    assert login_hint(an_account(outgoing=outgoing), outgoing) == "bert@example.com"


class TestConsentsOfOnePerson:
    """Some servers end all that a person has granted to popfetch where one of their tokens is given back."""

    def account(self, number: int, username: str = "anna@example.com", **changes: Any) -> Account:
        incoming = a_server(auth=AuthMethod.OAUTH2, username=username)
        return an_account(number, **{"incoming": incoming, "grant": a_grant(number), **changes})

    def test_another_account_of_the_same_mailbox_shares_it(self) -> None:
        first, second = self.account(1), self.account(2, "recent:Anna@example.com")
        assert shares_consent(first, [first, second])

    def test_the_account_itself_does_not(self) -> None:
        assert not shares_consent(self.account(1), [self.account(1)])

    def test_one_of_somebody_else_does_not(self) -> None:
        assert not shares_consent(self.account(1), [self.account(2, "bert@example.com")])

    def test_one_at_another_server_does_not(self) -> None:
        assert not shares_consent(self.account(1), [self.account(2, grant=a_grant(2, server_id="google"))])

    def test_one_without_consent_does_not(self) -> None:
        assert not shares_consent(self.account(1), [self.account(2, grant=None)])

    def test_where_nobody_knows_whose_it_was_any_other_may(self) -> None:
        assert shares_consent(self.account(1, grant=None), [self.account(2, "bert@example.com")])
