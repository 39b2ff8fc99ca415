"""What a refusal means: enhanced status codes decide where they are plain, then the reply code, then the words.

RFC 3463, 4954 and 5248 define the status codes. Providers use few of them as defined, and put what matters into the
text: Microsoft says 5.7.139 of a wrong password as of a mailbox without SMTP, Google 5.7.9 where it wants an app
password, and half the world 535 for everything. So the rules over the text are asked before a code that says no more
than "no". Their order matters, from the particular to the general.

Whatever is temporary by code or status is never a refused password, whatever its words; and words that speak of
throttling or of a fault of the server's own are believed even beside 535.

Of an access token servers say the same as of a password, so the same rules are asked; only what would be a refused
password is then told by what the server had against the token before.

Of a message it matters who can do something about it. What a server has against the sender it may say at any moment:
postfix says it of the first recipient, Microsoft at the message's end. So the same rules are asked from MAIL on, and
the moment decides only what a refusal is that says nothing more: of the sender, of the recipient, of the message.
"""

from collections.abc import Iterable
from enum import Enum
from math import ceil

from popfetch.dialogue.bearer import Complaint, Fault, Verdict, speaks_of_token
from popfetch.dialogue.patterns import Pattern
from popfetch.dialogue.sasl import SecretKind
from popfetch.dialogue.texts import HIDDEN, clean
from popfetch.smtp.errors import (
    AppPasswordNeeded,
    MessageRefused,
    MessageTooLarge,
    PasswordSignInOff,
    RecipientRefused,
    ScopeInsufficient,
    SenderRefused,
    SendingTooFrequent,
    ServerPermanent,
    ServerTemporary,
    SignInRefused,
    SignInTooFrequent,
    SmtpError,
    TlsFailed,
    TokenRefused,
    Utf8NotOffered,
)
from popfetch.smtp.replies import Reply

READ_CHARACTERS = 1000
"""How much of a text the rules look at."""

SHORTEST_ECHO = 4
"""Letters and digits that a secret must have to be looked for across line breaks."""


class Moment(Enum):
    """When the server said no."""

    GREETING = "greeting"
    HELLO = "EHLO"
    STARTTLS = "STARTTLS"
    SIGN_IN = "sign-in"
    MAIL = "MAIL"
    RECIPIENT = "RCPT"
    DATA = "DATA"
    CONTENT = "content"


STATUSES: dict[str, type[SmtpError]] = {
    "5.7.10": TlsFailed,
    "5.7.11": TlsFailed,
    "5.7.13": ServerPermanent,
    "5.7.14": ServerPermanent,
    "5.7.30": PasswordSignInOff,
}
"""Status codes that need no words; 5.7.30 is Microsoft's, for tenants without Basic authentication."""

CODES: dict[int, type[SmtpError]] = {
    500: PasswordSignInOff,
    502: PasswordSignInOff,
    503: PasswordSignInOff,
    504: PasswordSignInOff,
    523: TlsFailed,
    534: PasswordSignInOff,
    535: SignInRefused,
    538: TlsFailed,
}
"""What reply codes mean at sign-in where neither status nor words say more; any other is ServerPermanent."""


def _rule(leaf: type[SmtpError], *patterns: str) -> tuple[type[SmtpError], Pattern]:
    return leaf, Pattern("|".join(patterns))


_THROTTLED = _rule(
    SignInTooFrequent,
    r"too many .{0,30}(auth|log[io]n|sign|attempt|connection|session|error|fail|password)",
    r"too (frequent|often|fast|quickly)|rate.?limit|limit .{0,20}(rate|reached|exceeded)|throttl",
    r"(log[io]n|auth\w*|connection|request)s? (frequency|rate|limit)|unusual rate|frequency limited",
    r"(maximum|concurrent) .{0,20}(connection|session|log[io]n)",
)
_BUSY = _rule(
    ServerTemporary,
    r"temporar|(try|retry|come) .{0,20}later|later time|connection lost to auth|not available (at|right)",
    r"(?<!reason )unavailable",  # postfix has no reason at hand for an ordinary wrong password
    r"(server|internal|system|database|backend|lookup|dependency) (error|fail|problem|busy)|maintenance|timed? ?-?out",
    r"overload|shutting down|unable to authenticate at present",
)
_BLOCKED = _rule(
    ServerPermanent,
    r"(account|user|mailbox) .{0,20}(locked|disabled|suspended|blocked|deactivated|closed|frozen|inactive|expired)",
    r"\b(ip|address|client|host)\b.{0,60}(blocked|banned|denied|blacklist|not allowed)",
    r"log ?in .{0,20}web browser|weblogin",
)
_NEEDS_TLS = _rule(
    TlsFailed,
    r"must issue a? ?starttls|starttls .{0,20}(first|required)",
    r"(encryption|encrypted|tls|ssl|secure connection)\b.{0,30}(required|needed|only)",
    r"requires? .{0,30}(tls|ssl|encrypt|secure connection)",
)
GREETING_RULES = (_THROTTLED, _NEEDS_TLS, _BLOCKED, _BUSY)
"""Before sign-in; what matches nothing is ServerPermanent, for a 5xx."""

SIGN_IN_RULES = (
    # QQ lists all it can think of in one sentence, throttling among it
    _rule(SignInRefused, r"password is incorrect, log[io]n frequency"),
    _THROTTLED,
    _NEEDS_TLS,
    _rule(
        AppPasswordNeeded,
        r"app(lication)?(-? ?specific)?[ -]password|authori[sz]ation code|授权码|parol\w* prilozh",
    ),
    _rule(SignInRefused, r"credentials were incorrect"),
    _rule(ServerTemporary, r"temporar\w* .{0,20}(lock|block|disabl|suspend)"),
    _rule(
        PasswordSignInOff,
        r"smtpclientauthentication is disabled|basic auth\w* is (disabled|not supported)",
        r"security defaults|did not meet the criteria",
        r"(smtp|submission|service|auth\w*)\b.{0,40}(not|n't) (enabled|allowed|activated|permitted|open\b|offered)",
        r"(smtp|submission|service|auth\w*)\b.{0,40}(not|n't) (supported|available for)",
        r"(smtp|submission|auth\w*)\b.{0,40}\b(disabled|deactivated|(switched|turned) off)",
        r"access rights to this service|user has no permission|not advertised",
    ),
    _BLOCKED,
    _BUSY,
    _rule(
        SignInRefused,
        r"(bad|wrong|invalid|incorrect|unknown|no such) .{0,20}(user|pass|log[io]n|account|credential|auth)",
        r"(user ?name|user|password|credentials?) .{0,30}(incorrect|invalid|wrong|not (accepted|correct))",
        r"(auth\w*|log[io]n|sign-?in|authori[sz]ation) .{0,20}(fail|unsuccessful|reject|denied|error)",
    ),
)
"""At sign-in, of a 5xx."""

# --- Sending --------------------------------------------------------------------------------------------------

UNSPECIFIC: dict[Moment, type[SmtpError]] = {
    Moment.MAIL: SenderRefused,
    Moment.RECIPIENT: RecipientRefused,
    Moment.DATA: MessageRefused,
    Moment.CONTENT: MessageRefused,
}
"""What a 5xx is that says nothing more, at each moment of sending."""

SENDING_STATUSES: dict[str, type[SmtpError]] = {
    "5.1.7": SenderRefused,
    "5.1.8": SenderRefused,
    "5.2.252": SenderRefused,
    "5.7.60": SenderRefused,
    "5.7.501": SenderRefused,
    "5.7.502": SenderRefused,
    "5.7.503": SenderRefused,
    "5.7.750": SenderRefused,
    "5.4.5": SendingTooFrequent,
    "5.5.3": SendingTooFrequent,
    "5.7.28": SendingTooFrequent,
    "5.2.3": MessageTooLarge,
    "5.3.4": MessageTooLarge,
    "5.7.57": SignInRefused,
    "5.7.10": TlsFailed,
    "5.7.11": TlsFailed,
}
"""While sending; those of three digits are Microsoft's, and 5.4.5 is what Google says of its daily limits."""

_OF_A_RECIPIENT: dict[str, type[SmtpError]] = dict.fromkeys(
    ("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.2.2"), RecipientRefused
)
STATUSES_AT: dict[Moment, dict[str, type[SmtpError]]] = {
    # the sender's own mailbox is full
    Moment.MAIL: {"5.2.2": ServerPermanent, "5.6.7": Utf8NotOffered},
    Moment.RECIPIENT: {**_OF_A_RECIPIENT, "5.6.7": Utf8NotOffered},
    # some look at recipients only now
    Moment.DATA: _OF_A_RECIPIENT,
    Moment.CONTENT: _OF_A_RECIPIENT,
}
"""While sending, status codes that depend on what they answer (5.6.7: RFC 6531, section 3.5)."""

_TOO_MUCH = _rule(
    SendingTooFrequent,
    r"too many .{0,30}(message|mail|recipient|connection|session|error|attempt|log[io]n|transaction)|too much mail",
    r"too (frequent|often|fast|quickly)|rate.?limit|throttl",
    r"unusual .{0,20}(rate|activity|amount|volume)|(at a|sending|message) rate\b.{0,30}(prevents|exceed|limit)",
    r"\b(limit|quota|threshold|max\w* (number|amount)|max e?mails) .{0,40}(exceeded|reached|used up)",
    r"(daily|hourly|monthly|sending|submission|message|mail|recipient|user|relay|thread|rate)s? (limit|quota)",
    r"\b(exceeded|exceeds|reached|hit) .{0,40}(limit|quota|threshold|max\w* (number|amount)|max e?mails)",
    r"quota ?exceeded",
    r"(mails|messages|recipients) .{0,20}per (second|minute|hour|day)\b",
)
_TOO_LARGE = _rule(
    MessageTooLarge,
    r"(message|mail|file|data|content|attachment)s?\b.{0,20}\btoo (big|large|long)",
    r"(message|mail|data|file|content) .{0,30}size|size (limit|exceed)|max\w* .{0,20}size|databytes",
    r"exceed\w* .{0,40}\b(size|octets|bytes|kb|mb)\b|exceeded storage allocation",
)
_NOT_SIGNED_IN = _rule(
    SignInRefused,
    r"auth\w*( is)? (required|needed)|(need|require|must)s? .{0,30}(authenticat|\bauth\b|log ?in|sign ?in)",
    r"(client|you|user)\b.{0,20}\b(not|n't) (authenticated|logged|signed)",
)
_NOT_OWN = _rule(
    SenderRefused,
    r"sender address .{0,40}(reject|denied|refused|not|invalid)|sender( is)? (rejected|denied|not allowed)",
    r"sender verify fail|bad outbound sender|not local sender|send ?as ?denied|outgoing blocked",
    r"not owned by|(domain|address|sender)\b.{0,30}\bunowned|relaying disallowed as",
    r"(not|n't) (allowed|permitted|authori[sz]ed|have permissions?) to (send|relay|submit|use) .{0,20}\b(as|from)\b",
    r"(not|n't) (allowed|permitted|authori[sz]ed) .{0,20}\b(header|from|sender) .{0,10}address",
    r"\bfrom\b:? .{0,30}must (be|match|equal)|must (be (the )?same|equal|match) .{0,30}(auth|user|log[io]n|account)",
    r"\bfrom:? (header|address|sender|domain)\b.{0,60}\b(not|n't) (\w+ of your|verified|allowed|permitted|valid|own)",
    r"(address|domain|identity|sender)\b.{0,20} (is |are )?(not|n't) verified",
)
_MAILBOX = _rule(
    RecipientRefused,
    r"mailbox .{0,30}(full|quota|limit|size|exceed)|over ?quota|out of storage|exceeded storage allocation",
)
_ACCOUNT_BLOCKED = _rule(
    ServerPermanent,
    r"(account|user|mailbox|sender|tenant|verdict) .{0,30}(locked|disabled|suspend|blocked|deactivated|frozen|expired)",
)
_CLIENT_BLOCKED = _rule(
    ServerPermanent,
    r"client host .{0,60}(blocked|rejected|denied)|blocked using",
    r"(your|this|sending|client) ip\b.{0,60}(block|ban|den)",
    r"(traffic|mail|connections?) not accepted from this ip|\bip (address )?.{0,40}(blocked|banned|blacklisted)",
)
_PASSING = _rule(ServerTemporary, r"(try|retry|come) .{0,20}later", r"temporar|(internal|system|server) error")
_NOBODY_LEFT = _rule(RecipientRefused, r"no (valid )?recipient|(need|valid) rcpt|rcpt .{0,20}(first|must precede)")

SENDING_RULES: dict[Moment, tuple[tuple[type[SmtpError], Pattern], ...]] = {
    Moment.MAIL: (
        _NEEDS_TLS,
        _NOT_SIGNED_IN,
        _TOO_LARGE,
        _TOO_MUCH,
        _NOT_OWN,
        _CLIENT_BLOCKED,
        _ACCOUNT_BLOCKED,
        _PASSING,
    ),
    # of the account that is spoken of nobody knows whether it is the recipient's
    Moment.RECIPIENT: (
        _NEEDS_TLS,
        _NOT_SIGNED_IN,
        _MAILBOX,
        _TOO_LARGE,
        _TOO_MUCH,
        _NOT_OWN,
        _CLIENT_BLOCKED,
        _PASSING,
    ),
    Moment.DATA: (
        _NOBODY_LEFT,
        _NOT_SIGNED_IN,
        _TOO_LARGE,
        _TOO_MUCH,
        _NOT_OWN,
        _CLIENT_BLOCKED,
        _ACCOUNT_BLOCKED,
        _PASSING,
    ),
    Moment.CONTENT: (_TOO_LARGE, _TOO_MUCH, _NOT_OWN, _CLIENT_BLOCKED, _ACCOUNT_BLOCKED, _PASSING),
}
"""While sending, of a 5xx."""

_NOT_SIGNED_IN_CODES = frozenset({530, 535})
_TOO_LARGE_CODE = 552
"""RFC 1870, section 6.1; what is full where a recipient is refused by it is the mailbox (RFC 5321, section 4.2.3)."""

# --- Access tokens --------------------------------------------------------------------------------------------

FORM_CODES = frozenset({500, 501, 555})
FORM_STATUSES = frozenset({"5.5.2", "5.5.6"})
"""What a server says to AUTH in a form that it does not take: RFC 4954, section 6; Google says 555 to a long line."""

_FORM = Pattern(r"syntax|argument|parameter|initial.?response|too long|base ?64|decode")
_OF_SIGN_IN = frozenset({None, SignInRefused, PasswordSignInOff})

_FAULTS: dict[Fault, type[SmtpError]] = {
    Fault.TOKEN: TokenRefused,
    Fault.SCOPE: ScopeInsufficient,
    Fault.PACE: SignInTooFrequent,
    Fault.SERVER: ServerTemporary,
}

# --- Words ----------------------------------------------------------------------------------------------------

_UNSUPPORTED = Pattern(
    r"(unknown|unrecogni[sz]ed|unsupported|unimplemented|invalid|bad) .{0,15}(mechanism|auth\w* (type|method|scheme))"
    r"|(mechanism|auth\w* (type|method|scheme))\b.{0,30}"
    r"(unknown|unrecogni[sz]ed|unsupported|unimplemented|disabled|too weak"
    r"|not (supported|implemented|available|enabled))"
)

_SENTENCES: dict[type[SmtpError], str] = {
    SignInRefused: "{server} does not accept this user name and password; check both",
    AppPasswordNeeded: (
        "{server} wants a password made for programs: create an app password (some call it an authorisation code) in"
        " the provider's settings and enter that"
    ),
    PasswordSignInOff: (
        "{server} lets nobody sign in to this mailbox with a password; switch SMTP on in the provider's settings, or"
        " ask whoever runs it"
    ),
    SignInTooFrequent: "{server} wants longer pauses between sign-ins",
    ServerTemporary: "{server} has a problem of its own that should pass",
    ServerPermanent: "{server} has a problem that needs a person; see what it says",
    TlsFailed: "{server} lets people sign in only over TLS; choose STARTTLS or TLS",
    SenderRefused: (
        "{server} does not let this account send from this address; check the address, or have it allowed in the"
        " provider's settings"
    ),
    RecipientRefused: "{server} does not deliver to this recipient; check the address",
    MessageRefused: "{server} does not take this message, so it was not sent; see what it says, and change the message",
    MessageTooLarge: "The message is larger than {server} takes, so it was not sent; attach less",
    Utf8NotOffered: (
        "{server} does not deliver to addresses with other letters than a to z before the @; use another address of"
        " the same person"
    ),
    SendingTooFrequent: (
        "{server} takes no more from this account for now: too much was sent in too short a time; try again later,"
        " at the latest tomorrow"
    ),
    TokenRefused: "{server} does not accept the access token for this user name; sign in again at the provider",
    ScopeInsufficient: (
        "What was consented to at the provider does not cover {server}; sign in again there, and allow all of it"
    ),
}
_TOKEN_SENTENCES: dict[type[SmtpError], str] = {
    PasswordSignInOff: (
        "{server} lets nobody sign in to this mailbox with an access token; switch SMTP on in the provider's settings,"
        " or ask whoever runs it"
    ),
}
"""In place of the above, where an access token was signed in with."""

_SENDING_SENTENCES: dict[type[SmtpError], str] = {
    SignInRefused: "{server} takes no mail by the sign-in that it was given; check user name and password",
    TokenRefused: "{server} takes no mail by the sign-in that it was given; sign in again at the provider",
    TlsFailed: "{server} takes mail only over TLS; choose STARTTLS or TLS",
}
"""In place of the above, where a sign-in went before."""

_NO_STARTTLS = (
    "{server} does not offer TLS by STARTTLS, so no sign-in was tried. If it offers submission over TLS, choose TLS"
    " with port 465"
)


def classify(
    reply: Reply,
    moment: Moment,
    *,
    server: str = "The server",
    hidden: Iterable[str] = (),
    kind: SecretKind = SecretKind.PASSWORD,
    complaint: Complaint | None = None,
) -> SmtpError:
    """The error that a refusal is, with a sentence for a person.

    ``server`` names it in the sentence; whatever is in ``hidden`` does not appear in what is quoted. ``kind`` is what
    was signed in with, ``complaint`` what the server had against it before it refused.
    """
    leaf = _leaf(reply, moment, judged=complaint is not None)
    if kind is SecretKind.ACCESS_TOKEN:
        leaf = _of_token(leaf, reply, moment, complaint)
    said = quotable(reply, hidden)
    sentence = _sentence(leaf, moment, kind).format(server=server)
    message = f"{sentence}. It says: {said}" if said else f"{sentence}."
    if leaf in {SignInRefused, TokenRefused}:
        return leaf(message, server_text=said, explicit=reply.status == "5.7.8")
    return leaf(message, server_text=said)


def no_starttls(server: str) -> TlsFailed:
    """The error that a server without STARTTLS is where TLS is required."""
    return TlsFailed(f"{_NO_STARTTLS.format(server=server)}.")


def too_large(server: str, octets: int, limit: int) -> MessageTooLarge:
    """The error that a message of so many octets is for a server that announces such a limit."""
    return MessageTooLarge(
        f"The message has {_size(octets, most=False)}, and {server} takes {_size(limit, most=True)} at most, so it was"
        " not sent; attach less.",
        limit=limit,
    )


def utf8_not_offered(server: str) -> Utf8NotOffered:
    """The error that a server without SMTPUTF8 is for an address that needs it."""
    return Utf8NotOffered(f"{_SENTENCES[Utf8NotOffered].format(server=server)}.")


def mechanism_refused(reply: Reply) -> bool:
    """Whether a refusal at sign-in is of the mechanism itself, so that another may be tried without harm.

    432 is one (RFC 4954, section 6): the server can check this mechanism only once another was used.
    """
    if reply.code == 432 and reply.status in {"", "4.7.12"}:
        return True
    if reply.temporary or not reply.refuses:
        return False
    if reply.code == 504 or reply.status in {"5.5.4", "5.7.4"}:
        return True
    return bool(_UNSUPPORTED.search(_read(reply)))


def token_verdict(reply: Reply, *, challenged: bool) -> Verdict:
    """What the refusal of an attempt with an access token is of.

    ``challenged`` says whether the server had asked for anything: if so it has the mechanism, in this form.
    """
    if challenged:
        return Verdict.FINAL
    if _form_refused(reply):
        return Verdict.FORM
    return Verdict.MECHANISM if _token_unseen(reply) else Verdict.FINAL


def quotable(reply: Reply, hidden: Iterable[str]) -> str:
    """A reply's text as it may be shown; nothing at all of it where a secret is spread over its lines or its marks."""
    secrets = [*hidden]
    whole = _letters(clean(reply.words, secrets, longest=len(reply.words) + len(HIDDEN)))
    if any(len(letters) >= SHORTEST_ECHO and letters in whole for letters in map(_letters, secrets)):
        return HIDDEN
    return clean(reply.words, secrets)


def _form_refused(reply: Reply) -> bool:
    if reply.temporary or not (reply.code in FORM_CODES or reply.status in FORM_STATUSES):
        return False
    words = _read(reply)
    leaf = _by_words(words, SIGN_IN_RULES)
    if _FORM.search(words):
        return leaf in _OF_SIGN_IN
    return leaf is None and not _UNSUPPORTED.search(words)


def _token_unseen(reply: Reply) -> bool:
    """Whether a refusal is of the mechanism itself, and not of the access token that was to go by it.

    Stricter than ``mechanism_refused``: what is tried next is not another proof, but the same token.
    """
    words = _read(reply)
    if reply.temporary or speaks_of_token(words) or _by_words(words, SIGN_IN_RULES) not in _OF_SIGN_IN:
        return False
    return reply.code == 504 or bool(_UNSUPPORTED.search(words))


def _of_token(leaf: type[SmtpError], reply: Reply, moment: Moment, complaint: Complaint | None) -> type[SmtpError]:
    """What a refusal is where an access token was signed in with that would be ``leaf`` with a password."""
    if leaf not in {SignInRefused, AppPasswordNeeded}:
        return leaf
    if complaint is not None:
        return _FAULTS[complaint.fault]
    unseen = moment is Moment.SIGN_IN and leaf is SignInRefused and _token_unseen(reply)
    return PasswordSignInOff if unseen else TokenRefused


def _sentence(leaf: type[SmtpError], moment: Moment, kind: SecretKind) -> str:
    if moment is Moment.STARTTLS and leaf is TlsFailed:
        return _NO_STARTTLS
    if kind is SecretKind.ACCESS_TOKEN and leaf in _TOKEN_SENTENCES:
        return _TOKEN_SENTENCES[leaf]
    return (_SENDING_SENTENCES.get(leaf) if moment in UNSPECIFIC else None) or _SENTENCES[leaf]


def _size(octets: int, *, most: bool) -> str:
    """A size for a person: rounded down where it is the most there may be, else up, so that two never look alike."""
    unit, name = (100_000, "MB") if octets >= 1_000_000 else (100, "KB")
    tenths = octets // unit if most else ceil(octets / unit)
    return f"{tenths / 10:,.1f} {name}"


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).lower()


def _read(reply: Reply) -> str:
    return clean(reply.words, longest=READ_CHARACTERS)


def _by_words(words: str, rules: Iterable[tuple[type[SmtpError], Pattern]]) -> type[SmtpError] | None:
    return next((leaf for leaf, pattern in rules if pattern.search(words)), None)


def _leaf(reply: Reply, moment: Moment, *, judged: bool) -> type[SmtpError]:
    """What a refusal is, with a password; ``judged`` says whether the server has said before that the sign-in failed.

    A reply that says nothing more then only ends it, whatever its code.
    """
    words = _read(reply)
    if moment in UNSPECIFIC:
        return _sending_leaf(reply, moment, words)
    if reply.temporary:
        return SignInTooFrequent if reply.status == "4.7.28" or _THROTTLED[1].search(words) else ServerTemporary
    if moment is Moment.STARTTLS:
        return TlsFailed
    if reply.status in STATUSES:
        return STATUSES[reply.status]
    if leaf := _by_words(words, SIGN_IN_RULES if moment is Moment.SIGN_IN else GREETING_RULES):
        return leaf
    if moment is not Moment.SIGN_IN:
        return ServerPermanent
    if reply.status == "5.7.139":
        return PasswordSignInOff
    return SignInRefused if judged else CODES.get(reply.code, ServerPermanent)


def _sending_leaf(reply: Reply, moment: Moment, words: str) -> type[SmtpError]:
    if reply.temporary:
        full = moment is Moment.RECIPIENT and (reply.status == "4.2.2" or _MAILBOX[1].search(words))
        often = reply.status in {"4.7.28", "4.5.3"} or _TOO_MUCH[1].search(words)
        return SendingTooFrequent if often and not full else ServerTemporary
    if leaf := {**SENDING_STATUSES, **STATUSES_AT[moment]}.get(reply.status):
        return leaf
    if reply.code in _NOT_SIGNED_IN_CODES:
        return TlsFailed if _NEEDS_TLS[1].search(words) else SignInRefused
    if leaf := _by_words(words, SENDING_RULES[moment]):
        return leaf
    if reply.code == _TOO_LARGE_CODE and not reply.status and moment is not Moment.RECIPIENT:
        return MessageTooLarge
    return UNSPECIFIC[moment]
