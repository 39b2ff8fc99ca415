"""What services need of the outside, as small Protocols.

Adapters fulfil them, services call them, and neither knows the other. Ports of the fetch cycle are asynchronous,
because many cycles run side by side; those of the API and of dispatch are plain calls. Every port raises only
``PopfetchError`` leaves, or ``popfetch.pop3.errors.Pop3Error`` leaves where a POP3 server is behind it, or
``popfetch.smtp.errors.SmtpError`` leaves where a submission server is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from popfetch.domain.account import Account, Direction, Server
from popfetch.domain.fetch_state import FetchState, LastFetch
from popfetch.domain.visits import Visit, unread

if TYPE_CHECKING:
    # Each function needs a few of these, and starts without the others.
    from popfetch.domain.draft import Envelope, Thread
    from popfetch.domain.fetch_request import FetchRequest
    from popfetch.domain.ledger import Ledger, LedgerEntry
    from popfetch.domain.mail_settings import FoundServer, MailAddress
    from popfetch.domain.message import QuarantinedMessage, StoredMessage
    from popfetch.domain.message_list import MessageRow, Wanted
    from popfetch.domain.message_reading import AttachedFile
    from popfetch.domain.notice import Mail
    from popfetch.domain.oauth import (
        AuthorizationServer,
        DeviceOffer,
        OAuthClient,
        PendingConsent,
        StoredTokens,
        TokenAnswer,
    )
    from popfetch.domain.provider import SignInMethod
    from popfetch.domain.rate_limit import Limit
    from popfetch.domain.reply_to import ReplyToLink
    from popfetch.domain.secret import Secret, TokenUse
    from popfetch.domain.session import Challenge, Challenged, Session
    from popfetch.smtp.errors import SmtpError

Clock = Callable[[], datetime]
"""Tells the time, always with UTC as its zone."""

Pause = Callable[[float], Awaitable[None]]
"""Lets so many seconds pass."""


# --- The maildrop ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MaildropSize:
    """What STAT says: how many messages, how many octets; neither is exact on every server."""

    count: int
    octets: int


@dataclass(frozen=True, slots=True)
class ListedMessage:
    """One row of the maildrop's listing; ``uid`` is empty where the server gives none, ``octets`` 0 likewise."""

    number: int
    uid: bytes
    octets: int


@dataclass(frozen=True, slots=True)
class MessageBegan:
    """The server has begun to send message ``number``."""

    number: int


@dataclass(frozen=True, slots=True)
class MessageContent:
    """The next octets of message ``number``, dot-unstuffed and otherwise untouched."""

    number: int
    data: bytes


@dataclass(frozen=True, slots=True)
class MessageEnded:
    """The terminator of message ``number`` was seen; that it was the real one is known at ``MessageConfirmed``."""

    number: int


@dataclass(frozen=True, slots=True)
class MessageConfirmed:
    """A well-formed reply followed message ``number``, so that its end was its end; only now may it be committed."""

    number: int


@dataclass(frozen=True, slots=True)
class MessageRefused:
    """The server answered RETR of ``number`` with ``-ERR``; the session goes on. ``reason`` is its text, cleaned."""

    number: int
    reason: str


NO_SIZES: Mapping[int, int] = MappingProxyType({})
"""For numbers whose sizes nobody knows."""

type RetrievalEvent = MessageBegan | MessageContent | MessageEnded | MessageConfirmed | MessageRefused


class Maildrop(Protocol):
    """One signed-in POP3 session.

    Any ``Pop3Error`` but a plain refusal ends the session: nothing more is sent but the closing of the connection.
    """

    @property
    def pipelines(self) -> bool:
        """True while commands are sent ahead of their replies."""

    @property
    def capa_broke_session(self) -> bool:
        """True when the server closed an earlier connection at CAPA, so that it is better not asked again."""

    @property
    def apop_failed(self) -> bool:
        """True when APOP was refused and another way to sign in was accepted, so that it is better not tried again."""

    @property
    def login_delay(self) -> int:
        """Seconds that the server says it wants between sign-ins (RFC 2449, section 6.5); 0 where it says nothing."""

    async def stat(self) -> MaildropSize:
        """Ask for the number of messages and octets (RFC 1939, section 5)."""

    async def probe(self, number: int) -> tuple[MaildropSize, bytes | None]:
        """STAT and ``UIDL number``, in one round trip where the server pipelines.

        The UID is empty where the server refuses (no such message, or no UIDL at all).
        """

    async def listing(self, numbers: range | None = None, *, count: int = 0) -> list[ListedMessage]:
        """Number, UID and size of the messages ``numbers`` (all of them where ``None``), by number.

        UIDL's rows decide what there is, LIST's only add sizes; without UIDL, LIST's decide. ``count`` is what STAT
        said, and lets the adapter weigh asking one by one against asking for everything.
        """

    async def stat_and_listing(self) -> tuple[MaildropSize, list[ListedMessage]]:
        """STAT and the listing of all messages, in one round trip where the server pipelines.

        Any refusal of STAT ends the session: what travelled with it is left unread.
        """

    def headers(self, numbers: Iterable[int]) -> AsyncIterator[tuple[int, bytes]]:
        """The header blocks of ``numbers`` by TOP n 0, in order; empty where the server refuses."""

    def retrieve(self, numbers: Iterator[int], sizes: Mapping[int, int] = NO_SIZES) -> AsyncIterator[RetrievalEvent]:
        """Retrieve ``numbers`` in order, pulled from the iterator only as the window has room for their ``sizes``.

        A size is in octets, as it was listed; a number without one counts as none.

        Ends after the last message is confirmed. When it raises, the first number without ``MessageEnded`` or
        ``MessageRefused`` is the one the session broke at. Whoever leaves early must ``abandon`` the session.
        """

    async def delete(self, numbers: Sequence[int]) -> set[int]:
        """DELE ``numbers``; returns those the server accepted. They are gone only once ``quit`` is ``True``."""

    async def quit(self) -> bool:
        """End the session; ``True`` when the server confirmed it, and with it every deletion."""

    async def abandon(self) -> None:
        """Drop the connection without QUIT: the server forgets what was marked. Safe to call at any time."""


@dataclass(frozen=True, slots=True)
class DialAdvice:
    """What earlier sessions taught about a server.

    ``pipeline``: ``True`` to pipeline though only an earlier CAPA after sign-in announced it, ``False`` to never,
    ``None`` to go by what the server announces. ``skip_capa`` for servers that close the connection at CAPA,
    ``skip_apop`` for those that show a timestamp but have no APOP.
    """

    pipeline: bool | None = None
    skip_capa: bool = False
    skip_apop: bool = False


class MaildropDialer(Protocol):
    """Opens POP3 sessions."""

    async def open(self, server: Server, secret: Secret, advice: DialAdvice, deadline: float) -> Maildrop:
        """Connect, protect, sign in. ``deadline`` (``asyncio`` loop time) bounds the whole session.

        Raises HostRefused for hosts that must not be connected to, and the leaves of ``Pop3Error``.
        """


# --- Submission -----------------------------------------------------------------------------------------------


class HostCheck(Protocol):
    """Says which hosts may be connected to at all."""

    async def check(self, host: str, port: int) -> object:
        """Check a host, by its name's addresses. Raises HostRefused, and ConnectionFailed where there is no such host.

        What it returns is the adapters' own affair.
        """


@dataclass(frozen=True, slots=True)
class RefusedRecipient:
    """A recipient whom the server does not take, and why; those beside it may get the message all the same."""

    address: str
    reason: SmtpError


class Submission(Protocol):
    """One signed-in conversation with a submission server, for one message.

    Whatever is raised before ``transmit`` has begun to write the message's end means that nothing was sent. Afterwards
    only the server's refusal means that; all else is ``Unconfirmed``.
    """

    async def begin(self, envelope: Envelope) -> list[RefusedRecipient]:
        """Tell the server of a message; returns the recipients that it refuses, which may be all of them.

        Raises MessageTooLarge where the message is larger than the server announces, Utf8NotOffered where it needs
        what the server does not have, and the leaves of ``SmtpError`` for its refusals.
        """

    async def transmit(self, content: bytes) -> None:
        """Hand the message over, whose lines end with CRLF; returns once the server has taken responsibility for it.

        Raises MessageRefused and the other leaves of ``SmtpError`` where it was not sent, and Unconfirmed where
        nobody can know.
        """

    async def quit(self) -> None:
        """Say goodbye; what the server makes of that is its own affair."""

    async def abandon(self) -> None:
        """Drop the connection. Safe to call at any time."""


class SubmissionDialer(Protocol):
    """Opens conversations with SMTP submission servers."""

    async def open(self, server: Server, secret: Secret, deadline: float) -> Submission:
        """Connect, protect, sign in. ``deadline`` (``asyncio`` loop time) bounds the whole conversation.

        Raises HostRefused for hosts that must not be connected to, and the leaves of ``SmtpError``.
        """


class SubmissionTrial(Protocol):
    """Signs in at SMTP submission servers, and does nothing else there."""

    async def sign_in(self, server: Server, secret: Secret, deadline: float) -> None:
        """Connect, protect, sign in, and say goodbye; raises as ``SubmissionDialer.open`` does."""


# --- Storage --------------------------------------------------------------------------------------------------


class PartialUpload(Protocol):
    """A large object on its way; it exists only once ``complete`` has returned."""

    async def write(self, part: bytes) -> None:
        """Add a part; waits while too many octets are under way. All parts but the last have the same size."""

    async def complete(self) -> None:
        """Make the object exist; returns when the bucket has acknowledged it."""

    async def abort(self) -> None:
        """Leave nothing behind."""


class MailStore(Protocol):
    """Where raw messages lie, byte for byte."""

    part_octets: int
    """The size of the parts of a large object; what is no larger goes up in one piece."""

    def key(self, owner_id: str, account_id: str, message_id: str, dated: datetime | None) -> str:
        """The key that a message lies under, by the day of its own Date header."""

    async def put(self, key: str, content: bytes, sha256: bytes, metadata: dict[str, str]) -> None:
        """Store a whole message; returns when the bucket has acknowledged it, having compared the octets' SHA-256."""

    async def begin_upload(self, key: str, metadata: dict[str, str]) -> PartialUpload:
        """Begin to store a message that is larger than ``part_octets``."""


class SentMail(Protocol):
    """The copies of what was sent, and which Idempotency-Key sent what; and what a mail takes of stored messages."""

    async def earlier(self, account_id: str, key_hash: str) -> StoredMessage | None:
        """The message that a key has begun to send, whatever became of it; ``None`` where it began none."""

    async def begin(self, message: StoredMessage, content: bytes, key_hash: str) -> bool:
        """Keep the copy and mark the key, if there is one; ``False`` when the key has begun another meanwhile.

        From here on the key never sends again. Raises AccountNotFound and StorageUnavailable; nothing is kept then.
        """

    async def conclude(self, message: StoredMessage) -> None:
        """Write down how the sending of a message that was begun went."""

    async def withdraw(self, message: StoredMessage, key_hash: str) -> None:
        """Take copy and mark away again: the message was surely not sent."""

    async def stored(self, account_id: str, message_id: str) -> StoredMessage | None:
        """A message of the account's, whether it came or was sent; ``None`` where there is none."""

    async def content(self, message: StoredMessage) -> bytes | None:
        """A message octet for octet, all of it; ``None`` where it has gone from the bucket."""

    async def thread_of(self, account_id: str, message_id: str) -> Thread | None:
        """The thread that an answer to a stored message belongs to; ``None`` where there is no such message."""


@dataclass(frozen=True, slots=True)
class UploadOffer:
    """Where a file goes: PUT it to ``url`` with exactly ``headers``, before ``expires_at``."""

    upload_id: str
    url: str = field(repr=False)
    headers: dict[str, str]
    expires_at: datetime


class Uploads(Protocol):
    """Files that owners put into the bucket themselves, to send them within a day."""

    def offer(self, owner_id: str, octets: int, now: datetime) -> UploadOffer:
        """An address that takes one file of exactly so many octets."""

    async def read(self, owner_id: str, upload_id: str, longest: int) -> bytes:
        """The file. Raises InvalidMail where there is none, or it has more octets than ``longest``."""


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Messages, the newest first; ``cursor`` asks for those before them, ``None`` where there are none.

    ``searched_to`` is the arrival down to which has been looked; ``None`` once there is nothing more to look at.
    """

    messages: list[MessageRow]
    cursor: str | None
    searched_to: datetime | None


class MessageIndex(Protocol):
    """The index of what is stored."""

    def get(self, account_id: str, message_id: str) -> StoredMessage | None:
        """A message of the index; ``None`` where there is none."""

    def page(self, account_ids: Sequence[str], wanted: Wanted, *, limit: int, cursor: str | None = None) -> MessagePage:
        """One page of these accounts' messages, as far as a bounded part of the index has any.

        Raises InvalidCursor for a cursor that no page gave.
        """


@dataclass(frozen=True, slots=True)
class FileLink:
    """An address that gives one file to whoever has it, until ``expires_at``."""

    url: str = field(repr=False)
    expires_at: datetime


class StoredMail(Protocol):
    """The messages in the bucket, to be read."""

    def read(self, key: str, longest: int) -> bytes | None:
        """The first octets of a message, all of them where it has no more; ``None`` where it is gone."""

    def link(self, key: str, filename: str, now: datetime) -> FileLink:
        """An address of a message, byte for byte, that a browser keeps under this name."""


class ExtractedFiles(Protocol):
    """What was attached to messages, taken out of them for a while."""

    def link(self, message: StoredMessage, attachment_id: str, file: AttachedFile, now: datetime) -> FileLink:
        """Put a file where it can be had, and give its address; browsers keep it, and never show it."""


@dataclass(frozen=True, slots=True)
class CleanHtml:
    """HTML that can be shown, or its beginning (not ``whole``).

    ``shown`` are the Content-IDs of the images that are in it.
    ``remote_images`` is how many images and backgrounds it names elsewhere, whether they were held back or not.
    """

    html: str
    remote_images: int
    shown: tuple[str, ...] = ()
    whole: bool = True


class HtmlSanitiser(Protocol):
    """Makes the HTML of messages harmless."""

    def clean(self, document: str, images: Mapping[str, str], *, remote_images: bool) -> CleanHtml:
        """The document without whatever runs, asks, or loads; of the latter, remote images stay if they are wanted.

        ``images`` are ``data:`` addresses by Content-ID. Raises HtmlUnreadable where it would take too much.
        """

    def text(self, document: str) -> str:
        """The text of a document that cannot be cleaned."""


class FetchRecords(Protocol):
    """What a cycle reads and commits: account, state, ledger, index, quarantine, history."""

    async def load(self, owner_id: str, account_id: str) -> tuple[Account, FetchState] | None:
        """The account and its state in one consistent read; ``None`` when there is no such account."""

    async def load_ledger(self, account_id: str) -> Ledger:
        """The whole ledger of an account, read consistently."""

    async def index(self, messages: Sequence[StoredMessage]) -> None:
        """Add messages to the index; the same message again changes nothing."""

    async def withdraw(self, messages: Sequence[StoredMessage]) -> None:
        """Take messages out of the index again: their account went away before they were committed."""

    async def commit(
        self, account: Account, state: FetchState, cycle_id: str, entries: Sequence[LedgerEntry] = ()
    ) -> FetchState:
        """Write ``state`` over the version it carries together with ``entries``; returns it as it now stands.

        Raises CycleOvertaken when the stored version is another, unless this very commit has come again after its
        answer was lost, and AccountNotFound when the account was removed meanwhile.
        """

    async def compact(
        self, account: Account, state: FetchState, cycle_id: str, rewritten: Ledger | None = None
    ) -> FetchState:
        """Pack the ledger's fresh segments, or all of it as ``rewritten``; raises as ``commit`` does."""

    async def quarantine(self, message: QuarantinedMessage) -> None:
        """Keep a visible record of a message that could not be taken."""

    async def release(self, account_id: str, uid: bytes) -> None:
        """Drop the record of a quarantined message that could be taken after all."""

    async def add_history(self, account: Account, cycle_id: str, fetch: LastFetch) -> None:
        """Keep a finished cycle for the owner to see, for a bounded time."""

    async def take_off_wheel(self, account: Account) -> bool:
        """Store ``account.standing`` and leave the wheel; ``False`` when the account was changed meanwhile."""

    async def put_on_wheel(self, account: Account) -> bool:
        """Store ``account.standing`` and join the wheel; ``False`` when the account was changed meanwhile."""


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """An account with what its owner sees beside the settings; ``visit`` is the owner's last one."""

    account: Account
    state: FetchState
    is_default: bool
    visit: Visit | None = None

    @property
    def unread(self) -> int:
        """How many messages were stored since the last visit."""
        return unread(self.state.stored_total, self.visit)


type ChangeOfRecord = Callable[[Account, FetchState], tuple[Account, FetchState]]
"""What an account and its state become; it may raise, and is called again where others came first."""


class AccountStore(Protocol):
    """The accounts of owners. No call reaches another owner's account: it is not found.

    Calls that write raise AccountChanged when others kept coming first.
    """

    def add(self, account: Account, state: FetchState) -> AccountRecord:
        """Add an account at the end of its owner's order; the first becomes the default.

        Raises AccountAlreadyAdded and TooManyAccounts.
        """

    def get(self, owner_id: str, account_id: str) -> AccountRecord:
        """One account. Raises AccountNotFound."""

    def of_owner(self, owner_id: str) -> list[AccountRecord]:
        """All accounts of an owner, in the owner's order."""

    def change(self, owner_id: str, account_id: str, change: ChangeOfRecord) -> AccountRecord:
        """Write what ``change`` makes of an account and its state, both as they are at that moment.

        Of the state only what ``change`` alters is written, and a cycle under way is overtaken by it. Raises
        AccountNotFound, AccountAlreadyAdded where the account now is another's mailbox, and what ``change`` raises.
        """

    def reorder(self, owner_id: str, account_ids: Sequence[str]) -> list[AccountRecord]:
        """Give the accounts this order, which names each of them once. Raises InvalidOrder."""

    def make_default(self, owner_id: str, account_id: str) -> list[AccountRecord]:
        """Make an account the default one, in place of the one that was. Raises AccountNotFound."""

    def visit(self, owner_id: str, account_id: str, visit: Visit) -> None:
        """Remember that an account was visited, unless a visit is known that has seen more; it changes no version."""

    def remove(self, owner_id: str, account_id: str) -> AccountRecord:
        """Remove the account and its state together; the default passes to the first one left.

        Raises AccountNotFound.
        """


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Finished cycles, the newest first; ``cursor`` asks for those before them, ``None`` where there are none."""

    cycles: list[LastFetch]
    cursor: str | None


class CycleHistory(Protocol):
    """The finished cycles of an account in which anything happened, kept for a bounded time."""

    def page(self, account_id: str, *, limit: int, cursor: str | None = None) -> HistoryPage:
        """One page of the history. Raises InvalidCursor for a cursor that no page of this account gave."""


class AccountRemains(Protocol):
    """What an account leaves behind when it is removed."""

    def erase_records(self, account_id: str, until: datetime) -> bool:
        """Erase tokens, ledger, index, quarantine, history; ``False`` when ``until`` came first and some are left."""

    def erase_mail(self, owner_id: str, account_id: str, until: datetime) -> bool:
        """Erase the stored messages; ``False`` when ``until`` came first and some are left."""


class CredentialVault(Protocol):
    """Seals secrets for one owner, account and use, and opens them for the same three only.

    A password's use is its direction; tokens have uses of their own.
    """

    def seal(self, secret: Secret, owner_id: str, account_id: str, use: Direction | TokenUse) -> bytes:
        """Encrypt a secret for rest."""

    def open(self, sealed: bytes, owner_id: str, account_id: str, use: Direction | TokenUse) -> Secret:
        """Decrypt a sealed secret. Raises SecretUnreadable."""


# --- Signing in by OAuth 2 ------------------------------------------------------------------------------------


class OAuthClients(Protocol):
    """popfetch as it is registered at authorization servers.

    Every call raises StorageUnavailable, and OAuthNotConfigured where popfetch may not read its registrations.
    """

    def servers(self) -> Sequence[AuthorizationServer]:
        """All authorization servers that are known, those without a registration too."""

    def client(self, server_id: str) -> OAuthClient:
        """popfetch at an authorization server. Raises OAuthNotConfigured where it is not registered there."""

    def is_registered(self, server_id: str) -> bool:
        """Whether popfetch is registered at an authorization server."""

    def mistakes(self) -> Sequence[str]:
        """What is wrong with registrations that cannot be used; no text holds a value of theirs."""


class AuthorizationServers(Protocol):
    """The endpoints of authorization servers (RFC 6749, RFC 7009, RFC 8628).

    Calls that are awaited raise TokensUnavailable where no sensible answer came, and OAuthClientRefused where the
    server does not accept popfetch itself.
    """

    def consent_address(
        self, client: OAuthClient, *, redirect_uri: str, state: str, code_verifier: Secret, login_hint: str
    ) -> str:
        """Where a person consents in their browser; the code challenge is made from the verifier (RFC 7636, S256)."""

    async def exchange(
        self, client: OAuthClient, code: Secret, *, redirect_uri: str, code_verifier: Secret
    ) -> TokenAnswer:
        """Exchange the code of a consent for tokens. Raises GrantInvalid."""

    async def renew(self, client: OAuthClient, refresh_token: Secret) -> TokenAnswer:
        """Get a new access token, and maybe a new refresh token, which then takes the other's place.

        Raises GrantInvalid.
        """

    async def offer_device(self, client: OAuthClient) -> DeviceOffer:
        """Ask for a code that a person enters in any browser."""

    async def poll_device(self, client: OAuthClient, device_code: Secret) -> TokenAnswer:
        """Ask whether the code was entered. Raises AuthorizationPending, ConsentRefused, and OAuthFlowInvalid."""

    async def revoke(self, client: OAuthClient, refresh_token: Secret) -> None:
        """Give a grant back, where the server takes it back; there is nothing to be done where it does not."""


class GrantStore(Protocol):
    """The tokens of grants. Every call raises StorageUnavailable."""

    def add(self, tokens: StoredTokens) -> None:
        """Keep the tokens of a new grant."""

    def load(self, account_id: str, grant_id: str) -> StoredTokens | None:
        """The tokens of a grant; ``None`` where there are none any more."""

    def of_account(self, account_id: str) -> list[StoredTokens]:
        """The tokens of all grants that an account has left behind, the present one among them."""

    def take(self, seen: StoredTokens, until: datetime) -> StoredTokens | None:
        """Take the lease; ``None`` where somebody else changed the tokens since they were seen, or removed them."""

    def keep(self, taken: StoredTokens, renewed: StoredTokens) -> bool:
        """Keep new tokens and give the lease back; ``False`` where the lease was lost meanwhile."""

    def release(self, taken: StoredTokens) -> None:
        """Give the lease back; where it was lost, nothing happens."""

    def remove(self, account_id: str, grant_id: str) -> None:
        """Remove the tokens of a grant."""


class PendingConsents(Protocol):
    """Consents that are waited for, by the hashes of their states. Every call raises StorageUnavailable."""

    def keep(self, state_hash: bytes, pending: PendingConsent) -> None:
        """Wait for a consent until it expires."""

    def find(self, state_hash: bytes) -> PendingConsent | None:
        """The consent of a state; one that has expired may be found, and may not."""

    def take(self, state_hash: bytes) -> bool:
        """Wait for a consent no more; ``False`` where somebody else took it before."""

    def postpone(self, state_hash: bytes, seen: PendingConsent, pending: PendingConsent) -> bool:
        """Store when a device code may be asked for next; ``False`` where somebody else did, or took the consent."""


# --- The wheel and the queue ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DueAccount:
    """An account on the wheel: whose it is and where it stands in the owner's order."""

    owner_id: str
    account_id: str
    position: int


class Wheel(Protocol):
    """The accounts that are due, by slot, and how far dispatch has come."""

    def due(self, slots: Sequence[tuple[int, int]]) -> Sequence[DueAccount]:
        """The active accounts of slots (interval, slot), in no order."""

    def last_minute(self) -> int | None:
        """The last minute (since the epoch) that was dispatched whole; ``None`` before the first."""

    def advance_to(self, minute: int) -> None:
        """Remember that everything up to ``minute`` was dispatched; never goes back."""


class FetchQueue(Protocol):
    """The FIFO queue of fetch requests, one message group an owner."""

    def send(self, requests: Sequence[FetchRequest]) -> None:
        """Send requests; those of one owner keep their order. Raises StorageUnavailable when any was not taken."""

    def send_erasure(self, owner_id: str, account_id: str, erase_mail: bool) -> None:
        """Ask, behind whatever is under way for this owner, that a removed account's remains be erased."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message of a batch that the queue has handed over: ``receipt`` holds it, ``body`` is as it came."""

    delivery_id: str
    receipt: str
    group: str
    body: str


class Deliveries(Protocol):
    """What a batch under way can do with its deliveries before it ends."""

    def read(self, delivery: Delivery) -> FetchRequest | Erasure:
        """What a delivery asks for. Raises NotAFetchRequest."""

    async def hold(self, deliveries: Sequence[Delivery], seconds: int) -> None:
        """Keep deliveries invisible for ``seconds`` from now, no more and no less."""

    async def settle(self, deliveries: Sequence[Delivery]) -> None:
        """Delete deliveries that are done, so that their owners' next requests need not wait for the batch."""

    async def set_aside(self, delivery: Delivery, why: str) -> None:
        """Put a delivery that is none of ours into the dead-letter queue, with the reason beside it."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """An account was removed; what it left behind is to be erased, its mail too if ``erase_mail``."""

    owner_id: str
    account_id: str
    erase_mail: bool


# --- Looking settings up --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """An SRV record (RFC 2782); ``host`` is empty where the domain says that it does not offer the service."""

    host: str
    port: int
    priority: int
    weight: int


@dataclass(frozen=True, slots=True)
class MailExchanger:
    """An MX record (RFC 5321, section 5.1)."""

    host: str
    preference: int


class DnsRecords(Protocol):
    """What a domain's DNS says. Hosts come in lower case and ASCII; those that are no public name are left out."""

    async def services(self, service: str, domain: str) -> list[ServiceRecord]:
        """The SRV records of a service such as ``_pop3s._tcp``; none is no failure. Raises LookupFailed."""

    async def mail_exchangers(self, domain: str) -> list[MailExchanger]:
        """The MX records; none is no failure. Raises LookupFailed."""


@dataclass(frozen=True, slots=True)
class Autoconfig:
    """What a domain's autoconfig file offers; ``incoming`` is ``None`` where it names servers, but none for POP."""

    incoming: FoundServer | None
    outgoing: FoundServer | None
    sign_in_methods: tuple[SignInMethod, ...]


class AutoconfigFiles(Protocol):
    """The autoconfig files that domains publish for mail programs."""

    async def read(self, address: MailAddress) -> Autoconfig:
        """What the file of the address's domain says for it. Raises LookupFailed, also where there is no file."""


# --- What everything needs ------------------------------------------------------------------------------------


class Journal(Protocol):
    """What operators read: structured log lines and metrics. Nothing secret goes in."""

    def debug(self, message: str, **fields: object) -> None:
        """Note something so common that its line is written at ``LogLevel`` DEBUG alone."""

    def info(self, message: str, **fields: object) -> None:
        """Note something that went as it should."""

    def warning(self, message: str, **fields: object) -> None:
        """Note something that an operator may want to look at."""

    def error(self, message: str, **fields: object) -> None:
        """Note something that an operator has to look at; the exception being handled is added."""

    def count(self, metric: str, value: float = 1) -> None:
        """Add to a metric of this invocation."""


class EventBus(Protocol):
    """Tells others what happened. Events are named in the past tense and never hold a secret."""

    def publish(self, name: str, detail: dict[str, object]) -> None:
        """Publish one event. Raises StorageUnavailable."""


class Once(Protocol):
    """What was done under a name, so that it is not done twice."""

    def once(self, name: str, work: Callable[[], str], fingerprint: str = "") -> tuple[str, bool]:
        """Do ``work`` unless it was done under ``name`` before; returns its result, and whether it was done now.

        What ``work`` raises is passed on, and it counts as not done. Raises UnderWay while another invocation is at
        it, KeyReused where the same name came with another ``fingerprint``, and StorageUnavailable.
        """


# --- Notices to owners ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OwnerContact:
    """How an owner is reached: a verified address, and the language they prefer where they said so (RFC 5646)."""

    address: str = field(repr=False)
    locale: str = ""


class OwnerDirectory(Protocol):
    """The people who own accounts."""

    def contact(self, owner_id: str) -> OwnerContact | None:
        """How to reach an owner; ``None`` when they are gone, disabled or have no verified address.

        Raises StorageUnavailable.
        """


class OwnerSessions(Protocol):
    """Where owners sign in, and stay so by a refresh token. Every verb may raise TooManyTries, StorageUnavailable."""

    def sign_in(self, email: str, password: Secret) -> Session | Challenged:
        """Sign in with a password. Raises OwnerSignInRefused and PasswordResetRequired."""

    def answer(self, email: str, challenge: Challenge, session: Secret, answer: Secret) -> Session | Challenged:
        """Answer what a sign-in was asked for. Raises OwnerSignInRefused, CodeRefused and PasswordTooWeak."""

    def renew(self, refresh_token: Secret) -> Session:
        """A new id token. Raises SignedOut."""

    def revoke(self, refresh_token: Secret) -> None:
        """End a session for good; one that is not known is none."""

    def send_code(self, email: str) -> None:
        """Send a user a code by which they can choose a new password. Raises OwnerSignInRefused where none is sent."""

    def reset_password(self, email: str, code: Secret, password: Secret) -> None:
        """Choose a new password with a code. Raises CodeRefused and PasswordTooWeak."""


class Mailer(Protocol):
    """Sends mail in popfetch's own name."""

    def send(self, address: str, mail: Mail) -> str:
        """Send a mail to one address; returns the mail service's id of it. Raises MailRefused and MailUnavailable."""


class AccountMailer(Protocol):
    """Sends mail in an account's own name, through its outgoing server."""

    def send(self, account: Account, address: str, mail: Mail) -> None:
        """Send a mail to one address; returns once the server has taken it.

        Raises NoOutgoingServer, HostRefused, and errors that say what the server said.
        """


# --- Reply addresses ------------------------------------------------------------------------------------------


class ReplyToLinks(Protocol):
    """What links to reply addresses lead to, by the hashes of their tokens. Every call raises StorageUnavailable."""

    def keep(self, token_hash: bytes, link: ReplyToLink) -> None:
        """Remember a link until it expires."""

    def find(self, token_hash: bytes) -> ReplyToLink | None:
        """What a token leads to; one that has expired may be found, and may not."""

    def forget(self, token_hash: bytes) -> None:
        """Make a token lead nowhere."""


class RateLimits(Protocol):
    """Counts how often something is done."""

    def take(self, what: str, who: str, limit: Limit, now: datetime) -> timedelta:
        """Count one more time at ``now`` that ``who`` does ``what``, if the limit lets it.

        Returns how long to wait, which is zero where it was counted. Raises StorageUnavailable.
        """
