"""The services over accounts on moto's stack, with servers that let in or fail as they are told."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from popfetch.adapters import fetch_state_items, keys
from popfetch.adapters.account_remains import AccountRemains
from popfetch.adapters.accounts_table import AccountsTable
from popfetch.adapters.consents_table import ConsentsTable
from popfetch.adapters.credential_vault import CredentialVault
from popfetch.adapters.cycle_history import CycleHistoryTable
from popfetch.adapters.dynamodb_items import to_wire
from popfetch.adapters.extracted_files import AttachmentBucket
from popfetch.adapters.mail_bucket import MailBucket
from popfetch.adapters.message_index import MessageIndexTable
from popfetch.adapters.once import OnceTable
from popfetch.adapters.sanitising_process import HtmlSanitiser
from popfetch.adapters.sent_mail import SentMailStore
from popfetch.adapters.uploads import UploadBucket
from popfetch.domain.account import Direction
from popfetch.domain.fetch_state import FetchState
from popfetch.ports.invocation import Journal
from popfetch.ports.rate_limits import RateLimits
from popfetch.runtime.wiring_accounts import new_account_id
from popfetch.runtime.wiring_send import KEY_IS_KEPT
from popfetch.services.account_changes import AccountChanges
from popfetch.services.accounts import Accounts
from popfetch.services.consent import Consent
from popfetch.services.grants import Grants
from popfetch.services.outgoing_sessions import OutgoingSessions
from popfetch.services.reading import Reading
from popfetch.services.sending import Sending
from popfetch.services.sign_in_trial import SignInTester
from popfetch.services.trial_limits import TrialLimits
from tests.builders.accounts import (
    NOON,
    OTHER_OWNER,
    OWNER,
    OpenHosts,
    OpenLimits,
    RecordingQueue,
    ScriptedDialer,
    ScriptedSubmission,
)
from tests.builders.aws import Aws
from tests.builders.journals import RecordingJournal
from tests.builders.oauth import RegisteredClients, ServerInMemory, sign_in_secrets
from tests.builders.submissions import RecordingSubmissions


@dataclass
class KeptAccounts:
    """Accounts as they are kept; ``now`` is the time, which only tests move."""

    stack: Aws
    dialer: ScriptedDialer = field(default_factory=ScriptedDialer)
    submission: ScriptedSubmission = field(default_factory=ScriptedSubmission)
    hosts: OpenHosts = field(default_factory=OpenHosts)
    queue: RecordingQueue = field(default_factory=RecordingQueue)
    limits: RateLimits = field(default_factory=OpenLimits)
    outgoing: RecordingSubmissions = field(default_factory=RecordingSubmissions)
    now: datetime = NOON

    def __post_init__(self) -> None:
        stack = self.stack
        self.table = AccountsTable(stack.dynamodb, stack.table, sleep=lambda _: None)
        self.vault = CredentialVault(stack.kms, stack.dynamodb, stack.table, stack.key_id, clock=lambda: NOON)
        self.servers = ServerInMemory(lambda: self.now)
        self.clients = RegisteredClients()
        self.journal = RecordingJournal()
        self.secrets = sign_in_secrets(
            self.vault,
            stack,
            clients=self.clients,
            servers=self.servers,
            journal=self.journal,
            clock=lambda: self.now,
        )
        tester = SignInTester(self.dialer, self.submission, dict.fromkeys(Direction, self.hosts))
        trial_limits = TrialLimits(self.limits, lambda: self.now)
        self.accounts = Accounts(
            store=self.table,
            secrets=self.secrets,
            tester=tester,
            trial_limits=trial_limits,
            remains=AccountRemains(stack.dynamodb, stack.table, stack.s3, stack.bucket, clock=lambda: NOON),
            history=CycleHistoryTable(stack.dynamodb, stack.table),
            queue=self.queue,
            clock=lambda: self.now,
            new_account_id=new_account_id,
        )
        self.uploads = UploadBucket(stack.s3, stack.bucket)
        self.sent = SentMailStore(stack.s3, stack.bucket, stack.dynamodb, stack.table)
        self.changes = AccountChanges(self.table, self.secrets, tester, trial_limits, self.queue, lambda: self.now)
        self.consent = Consent(
            store=self.table,
            pending=ConsentsTable(stack.dynamodb, stack.table),
            secrets=self.secrets,
            servers=self.servers,
            grants=Grants(
                store=self.table,
                tokens=self.secrets.tokens,
                tester=tester,
                queue=self.queue,
                journal=self.journal,
                clock=lambda: self.now,
            ),
            journal=self.journal,
            clock=lambda: self.now,
        )

    def sessions(self, journal: Journal) -> OutgoingSessions:
        """What signs in at a server that only remembers."""
        return OutgoingSessions(self.table, self.secrets, self.outgoing, journal, lambda: self.now)

    def sending(self, journal: Journal) -> Sending:
        """The verbs that send, to a server that only remembers."""
        return Sending(
            accounts=self.table,
            sessions=self.sessions(journal),
            sent=self.sent,
            mail=MailBucket(self.stack.s3, self.stack.bucket),
            uploads=self.uploads,
            journal=journal,
            clock=lambda: self.now,
        )

    def reading(self, journal: Journal) -> Reading:
        """The verbs that read."""
        stack = self.stack
        return Reading(
            accounts=self.table,
            index=MessageIndexTable(stack.dynamodb, stack.table),
            mail=MailBucket(stack.s3, stack.bucket),
            extracted=AttachmentBucket(stack.s3, stack.bucket),
            sanitiser=HtmlSanitiser(),
            journal=journal,
            clock=lambda: self.now,
        )

    def once(self, context: Any, account_id: str) -> OnceTable:
        """What an account has sent under the keys of its owner, as an invocation has it."""
        return OnceTable(
            self.stack.dynamodb,
            self.stack.table,
            context,
            partition=keys.account_partition(account_id),
            prefix=keys.ANSWER,
            kept_for=KEY_IS_KEPT,
        )

    def password(self, account_id: str, direction: Direction = Direction.INCOMING, owner_id: str = OWNER) -> str:
        """The password that is kept for a server of an account."""
        account = self.table.get(owner_id, account_id).account
        sealed = account.incoming_secret if direction is Direction.INCOMING else account.outgoing_secret
        assert sealed is not None
        return self.vault.open(sealed, owner_id, account_id, direction).reveal()

    def write_state(self, account_id: str, state: FetchState, owner_id: str = OWNER) -> None:
        """Put the state of an account as a cycle would leave it."""
        self.stack.dynamodb.put_item(
            TableName=self.stack.table, Item=to_wire(fetch_state_items.to_item(owner_id, account_id, state))
        )

    def remove_all(self) -> None:
        """Take away what a test has added."""
        for owner_id in (OWNER, OTHER_OWNER):
            for record in self.table.of_owner(owner_id):
                self.table.remove(owner_id, record.account.account_id)
