"""Adding, showing and removing accounts: what is tested first, what is stored, and what the owner is told."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from popfetch.adapters.account_remains import AccountRemains
from popfetch.adapters.accounts_table import AccountsTable
from popfetch.adapters.credential_vault import CredentialVault
from popfetch.adapters.cycle_history import CycleHistoryTable
from popfetch.domain.account import AuthMethod, Direction, FetchSettings, Security, Standing
from popfetch.domain.errors import (
    AccountAlreadyAdded,
    AccountNotFound,
    ConsentNeeded,
    HostRefused,
    InvalidAccount,
    NoOAuthProvider,
    OAuthNotConfigured,
    StorageUnavailable,
)
from popfetch.domain.secret import Secret
from popfetch.domain.visits import Visit
from popfetch.pop3.errors import (
    CommandRefused,
    ConnectionFailed,
    DeadlineReached,
    LimitExceeded,
    LoginTooFrequent,
    MaildropBusy,
    NotReached,
    Pop3Error,
    PopNotEnabled,
    ProtocolViolation,
    ServerPermanent,
    ServerTemporary,
    SignInRefused,
    TlsFailed,
    UnusableCredentials,
)
from popfetch.ports.maildrop import DialAdvice, Maildrop
from popfetch.services import sign_in_trial
from popfetch.services.accounts import Accounts, NewAccount
from popfetch.services.erase import erase_account
from popfetch.services.sign_in_trial import SignInTester, SignInTestFailed
from popfetch.services.trial_limits import TrialLimits
from tests.builders.accounts import (
    NOON,
    OTHER_OWNER,
    OWNER,
    PASSWORD,
    OpenHosts,
    OpenLimits,
    RecordingQueue,
    ScriptedDialer,
    ScriptedSubmission,
    SignedIn,
    a_server,
    an_account_id,
)
from tests.builders.aws import Aws, aws, empty
from tests.builders.oauth import sign_in_secrets


class Remains:
    """Remains that are erased, or not in time, or not at all; and remember in which order."""

    def __init__(self, *, in_time: bool = True, failure: Exception | None = None) -> None:
        self.in_time = in_time
        self.failure = failure
        self.erased: list[str] = []
        self.until: datetime | None = None

    def erase_records(self, account_id: str, until: datetime) -> bool:
        return self._erase(f"records {account_id}", until)

    def erase_mail(self, owner_id: str, account_id: str, until: datetime) -> bool:
        return self._erase(f"mail {owner_id} {account_id}", until)

    def _erase(self, what: str, until: datetime) -> bool:
        if self.failure:
            raise self.failure
        self.erased.append(what)
        self.until = until
        return self.in_time


@pytest.fixture(scope="module")
def built() -> Iterator[Aws]:
    with aws() as stack:
        yield stack


@pytest.fixture
def stack(built: Aws) -> Aws:
    empty(built)
    return built


@pytest.fixture
def dialer() -> ScriptedDialer:
    return ScriptedDialer()


@pytest.fixture
def queue() -> RecordingQueue:
    return RecordingQueue()


@pytest.fixture
def remains() -> Remains:
    return Remains()


@pytest.fixture
def accounts(stack: Aws, dialer: ScriptedDialer, queue: RecordingQueue, remains: Remains) -> Accounts:
    numbers = iter(range(1, 1000))
    return Accounts(
        store=AccountsTable(stack.dynamodb, stack.table, sleep=lambda _: None),
        secrets=sign_in_secrets(CredentialVault(stack.kms, stack.dynamodb, stack.table, stack.key_id), stack),
        tester=SignInTester(dialer, ScriptedSubmission(), dict.fromkeys(Direction, OpenHosts())),
        trial_limits=TrialLimits(OpenLimits(), lambda: NOON),
        remains=remains,
        history=CycleHistoryTable(stack.dynamodb, stack.table),
        queue=queue,
        clock=lambda: NOON,
        new_account_id=lambda: an_account_id(next(numbers)),
    )


def a_new_account(**changes: object) -> NewAccount:
    defaults: dict[str, object] = {
        "owner_id": OWNER,
        "email": "anna@example.com",
        "name": "My work",
        "incoming": a_server(),
        "incoming_secret": Secret(PASSWORD),
    }
    return NewAccount(**{**defaults, **changes})  # type: ignore[arg-type]


class TestAdding:
    def test_it_is_stored_as_it_was_given(self, accounts: Accounts) -> None:
        fetch = FetchSettings(interval_minutes=15, start="now")
        record = accounts.add(a_new_account(fetch=fetch))
        assert accounts.get(OWNER, an_account_id(1)) == record
        assert accounts.of_owner(OWNER) == [record]
        account = record.account
        assert (account.email, account.name, account.incoming) == ("anna@example.com", "My work", a_server())
        assert (account.fetch, account.standing, account.created_at) == (fetch, Standing.ACTIVE, NOON)
        assert record.is_default

    def test_passwords_are_sealed_each_for_its_own_server(self, accounts: Accounts) -> None:
        smtp = a_server(host="smtp.example.com", port=465)
        account = accounts.add(a_new_account(outgoing=smtp, outgoing_secret=Secret("other"))).account
        assert account.outgoing == smtp
        assert account.outgoing_secret is not None

        def opened(sealed: bytes | None, direction: Direction) -> str:
            assert sealed
            return accounts.secrets.vault.open(sealed, OWNER, account.account_id, direction).reveal()

        assert opened(account.incoming_secret, Direction.INCOMING) == PASSWORD
        assert opened(account.outgoing_secret, Direction.OUTGOING) == "other"

    def test_the_sign_in_is_tested_first_and_ended_politely(self, accounts: Accounts, dialer: ScriptedDialer) -> None:
        accounts.add(a_new_account())
        assert dialer.calls == [(a_server(), Secret(PASSWORD))]
        assert dialer.maildrop.calls == ["quit", "abandon"]

    def test_a_server_that_stumbles_over_quit_still_counts(self, accounts: Accounts, dialer: ScriptedDialer) -> None:
        class Stumbling(SignedIn):
            async def quit(self) -> bool:
                raise ConnectionFailed("closed")

        dialer.maildrop = Stumbling()
        accounts.add(a_new_account())
        assert dialer.maildrop.calls == ["abandon"]

    def test_the_test_can_be_skipped(self, accounts: Accounts, dialer: ScriptedDialer) -> None:
        accounts.add(a_new_account(verify=False))
        assert dialer.calls == []

    def test_a_mailbox_that_is_there_already_is_not_signed_in_to(
        self, accounts: Accounts, dialer: ScriptedDialer
    ) -> None:
        accounts.add(a_new_account())
        with pytest.raises(AccountAlreadyAdded):
            accounts.add(a_new_account(incoming=a_server(host="POP.EXAMPLE.COM")))
        assert len(dialer.calls) == 1

    def test_with_oauth_it_waits_off_the_wheel_for_consent(self, accounts: Accounts, dialer: ScriptedDialer) -> None:
        smtp = a_server(host="smtp.example.com", port=465, auth=AuthMethod.OAUTH2)
        new = a_new_account(incoming=a_server(auth=AuthMethod.OAUTH2), incoming_secret=None, outgoing=smtp)
        account = accounts.add(new).account
        assert (account.standing, account.grant, account.lacks_consent) == (Standing.AUTH_FAILED, None, True)
        assert (account.incoming_secret, account.outgoing_secret) == (None, None)
        assert dialer.calls == []
        with pytest.raises(ConsentNeeded, match=r"anna@example\.com"):
            accounts.resume(OWNER, account.account_id)

    def test_a_password_beside_a_consent_to_come_is_tried(self, accounts: Accounts) -> None:
        smtp = a_server(host="smtp.example.com", port=465, auth=AuthMethod.OAUTH2)
        account = accounts.add(a_new_account(outgoing=smtp)).account
        assert (account.standing, account.lacks_consent, account.can_send) == (Standing.ACTIVE, False, True)

    @pytest.mark.parametrize("direction", ["incoming", "outgoing"])
    def test_where_nobody_gives_tokens_oauth_is_refused(
        self, accounts: Accounts, dialer: ScriptedDialer, direction: str
    ) -> None:
        with pytest.raises(NoOAuthProvider, match=rf"{direction}\.auth.*elsewhere\.example\.com"):
            accounts.add(a_new_account(**{direction: a_server(host="elsewhere.example.com", auth=AuthMethod.OAUTH2)}))
        assert dialer.calls == []
        assert accounts.of_owner(OWNER) == []

    def test_a_provider_where_popfetch_is_not_registered_is_told_apart(self, accounts: Accounts) -> None:
        gmail = a_new_account(incoming=a_server(host="pop.gmail.com", auth=AuthMethod.OAUTH2), incoming_secret=None)
        with pytest.raises(OAuthNotConfigured):
            accounts.add(gmail)

    def test_tokens_never_go_over_an_unprotected_line(self, accounts: Accounts) -> None:
        in_clear = a_server(port=110, security=Security.NONE, auth=AuthMethod.OAUTH2)
        with pytest.raises(InvalidAccount, match=r"^incoming\.security"):
            accounts.add(a_new_account(incoming=in_clear, incoming_secret=None))


class TestAFailedTest:
    @pytest.mark.parametrize(
        ("failure", "code"),
        [
            (ConnectionFailed("no route"), "cannot_connect"),
            (DeadlineReached("late"), "cannot_connect"),
            (TimeoutError(), "cannot_connect"),
            (TlsFailed("wrong name"), "tls_failed"),
            (SignInRefused("no", server_text="[AUTH] no"), "sign_in_refused"),
            (UnusableCredentials("empty"), "sign_in_refused"),
            (LoginTooFrequent("wait"), "too_frequent"),
            (MaildropBusy("locked"), "maildrop_busy"),
            (ServerTemporary("down"), "server_error"),
            (ServerPermanent("closed"), "server_error"),
            (PopNotEnabled("off"), "pop_not_enabled"),
            (NotReached("nothing there"), "cannot_connect"),
            (ProtocolViolation("HTTP/1.1 400"), "server_error"),
            (LimitExceeded("long"), "server_error"),
            (CommandRefused("no"), "server_error"),
        ],
        ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
    )
    def test_nothing_is_stored_and_the_owner_is_told_what_kind_it_is(
        self, accounts: Accounts, dialer: ScriptedDialer, failure: Exception, code: str
    ) -> None:
        dialer.failure = failure
        with pytest.raises(SignInTestFailed) as told:
            accounts.add(a_new_account())
        assert told.value.code == code
        assert "{" not in told.value.message
        assert PASSWORD not in told.value.message
        assert accounts.of_owner(OWNER) == []
        assert told.value.__cause__ is failure

    def test_a_host_that_must_not_be_called_is_refused(self, accounts: Accounts, dialer: ScriptedDialer) -> None:
        dialer.failure = HostRefused("private")
        with pytest.raises(HostRefused):
            accounts.add(a_new_account())
        assert accounts.of_owner(OWNER) == []

    @pytest.mark.parametrize("kind", [SignInRefused, MaildropBusy, LoginTooFrequent, ServerTemporary, ServerPermanent])
    def test_a_pop3_servers_own_words_go_along(
        self, accounts: Accounts, dialer: ScriptedDialer, kind: type[Pop3Error]
    ) -> None:
        dialer.failure = kind("", server_text="[AUTH] use an app password")
        with pytest.raises(SignInTestFailed) as told:
            accounts.add(a_new_account())
        assert told.value.server_said == "[AUTH] use an app password"

    @pytest.mark.parametrize("kind", [ProtocolViolation, TlsFailed, ConnectionFailed, CommandRefused])
    def test_what_another_kind_of_server_says_stays_inside(
        self, accounts: Accounts, dialer: ScriptedDialer, kind: type[Pop3Error]
    ) -> None:
        dialer.failure = kind("", server_text="SSH-2.0-OpenSSH_9.2")
        with pytest.raises(SignInTestFailed) as told:
            accounts.add(a_new_account())
        assert told.value.server_said == ""
        assert "SSH" not in told.value.message

    def test_a_server_that_repeats_the_password_is_not_quoted(self, accounts: Accounts, dialer: ScriptedDialer) -> None:
        dialer.failure = SignInRefused("", server_text=f"bad password {PASSWORD}")
        with pytest.raises(SignInTestFailed) as told:
            accounts.add(a_new_account())
        assert told.value.server_said == ""

    def test_a_server_that_never_answers_is_given_up(
        self, accounts: Accounts, dialer: ScriptedDialer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def hang(*_: object) -> Maildrop:
            await asyncio.sleep(60)
            raise AssertionError

        monkeypatch.setattr(sign_in_trial, "SIGN_IN_SECONDS", 0.05)
        monkeypatch.setattr(dialer, "open", hang)
        with pytest.raises(SignInTestFailed) as told:
            accounts.add(a_new_account())
        assert told.value.code == "cannot_connect"

    def test_the_session_has_one_deadline(
        self, accounts: Accounts, dialer: ScriptedDialer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        left: list[float] = []

        async def note(server: object, secret: object, advice: DialAdvice, deadline: float) -> SignedIn:
            left.append(deadline - asyncio.get_running_loop().time())
            return SignedIn()

        monkeypatch.setattr(dialer, "open", note)
        accounts.add(a_new_account(incoming=a_server(security=Security.STARTTLS, port=110)))
        assert left[0] == pytest.approx(20, abs=1)

    def test_whatever_is_no_pop3_server_is_told_in_the_same_words(
        self, accounts: Accounts, dialer: ScriptedDialer
    ) -> None:
        told = set()
        for failure in (NotReached("closed"), DeadlineReached("silent"), TimeoutError(), ConnectionFailed("no name")):
            dialer.failure = failure
            with pytest.raises(SignInTestFailed) as caught:
                accounts.add(a_new_account())
            told.add((caught.value.code, caught.value.message, caught.value.server_said))
        assert len(told) == 1

    def test_a_pause_that_the_server_wants_is_kept_by_the_first_fetch(
        self, accounts: Accounts, dialer: ScriptedDialer
    ) -> None:
        dialer.maildrop.login_delay = 60
        accounts.add(a_new_account())
        assert accounts.get(OWNER, an_account_id(1)).state.sign_in_after == NOON + timedelta(seconds=60)

    @pytest.mark.parametrize(("host", "minutes"), [("pop3.web.de", 15), ("pop.gmail.com", 10), ("pop.gmx.net", 0)])
    def test_so_is_the_pause_that_a_provider_is_known_to_want(
        self, accounts: Accounts, host: str, minutes: int
    ) -> None:
        fetch = FetchSettings(interval_minutes=60)
        state = accounts.add(a_new_account(incoming=a_server(host=host), fetch=fetch)).state
        assert state.sign_in_after == (NOON + timedelta(minutes=minutes) if minutes else None)

    def test_without_a_trial_there_is_nothing_to_pause_after(self, accounts: Accounts) -> None:
        fetch = FetchSettings(interval_minutes=60)
        new = a_new_account(incoming=a_server(host="pop3.web.de"), fetch=fetch, verify=False)
        assert accounts.add(new).state.sign_in_after is None


class TestVisiting:
    def test_a_visit_has_seen_what_was_stored_by_then(self, accounts: Accounts, stack: Aws) -> None:
        accounts.add(a_new_account())
        assert accounts.visit(OWNER, an_account_id(1)) == Visit(NOON, 0)
        assert accounts.get(OWNER, an_account_id(1)).visit == Visit(NOON, 0)

    def test_another_owners_account_is_not_found(self, accounts: Accounts) -> None:
        accounts.add(a_new_account())
        with pytest.raises(AccountNotFound):
            accounts.visit(OTHER_OWNER, an_account_id(1))
        assert accounts.get(OWNER, an_account_id(1)).visit is None


class TestRemoving:
    def test_it_is_gone_at_once_and_what_it_left_is_erased(
        self, accounts: Accounts, queue: RecordingQueue, remains: Remains
    ) -> None:
        accounts.add(a_new_account())
        assert accounts.remove(OWNER, an_account_id(1), erase_mail=False)
        with pytest.raises(AccountNotFound):
            accounts.get(OWNER, an_account_id(1))
        assert remains.erased == [f"records {an_account_id(1)}"]
        assert queue.erasures == [(OWNER, an_account_id(1), False)]
        assert remains.until == NOON + timedelta(seconds=15)

    def test_mail_goes_only_where_that_is_asked_for_and_before_the_records(
        self, accounts: Accounts, queue: RecordingQueue, remains: Remains
    ) -> None:
        accounts.add(a_new_account())
        assert accounts.remove(OWNER, an_account_id(1), erase_mail=True)
        assert remains.erased == [f"mail {OWNER} {an_account_id(1)}", f"records {an_account_id(1)}"]
        assert queue.erasures == [(OWNER, an_account_id(1), True)]

    def test_what_does_not_fit_into_the_time_goes_on_in_the_background(
        self, accounts: Accounts, queue: RecordingQueue, remains: Remains
    ) -> None:
        remains.in_time = False
        accounts.add(a_new_account())
        assert not accounts.remove(OWNER, an_account_id(1), erase_mail=False)
        assert len(queue.erasures) == 1

    def test_so_does_what_storage_does_not_take_now(
        self, accounts: Accounts, queue: RecordingQueue, remains: Remains
    ) -> None:
        remains.failure = StorageUnavailable("busy")
        accounts.add(a_new_account())
        assert not accounts.remove(OWNER, an_account_id(1), erase_mail=True)
        assert len(queue.erasures) == 1

    def test_another_owners_account_is_not_found_and_nothing_is_erased(
        self, accounts: Accounts, queue: RecordingQueue, remains: Remains
    ) -> None:
        accounts.add(a_new_account())
        with pytest.raises(AccountNotFound):
            accounts.remove(OTHER_OWNER, an_account_id(1), erase_mail=True)
        assert (remains.erased, queue.erasures) == ([], [])
        assert len(accounts.of_owner(OWNER)) == 1


class TestErasing:
    def test_records_stay_while_some_mail_is_left(self) -> None:
        remains = Remains(in_time=False)
        assert not erase_account(remains, OWNER, an_account_id(1), erase_mail=True, until=NOON)
        assert remains.erased == [f"mail {OWNER} {an_account_id(1)}"]

    def test_it_runs_over_the_real_remains(self, stack: Aws) -> None:
        real = AccountRemains(stack.dynamodb, stack.table, stack.s3, stack.bucket, clock=lambda: NOON)
        until = NOON + timedelta(seconds=1)
        assert erase_account(real, OWNER, an_account_id(1), erase_mail=True, until=until)
