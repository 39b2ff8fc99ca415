"""What a refusal means: enhanced status codes decide where they are plain, then the reply code, then the words.

RFC 3463, 4954 and 5248 define the status codes. Providers use few of them as defined, and put what matters into the
text: Microsoft says 5.7.139 of a wrong password as of a mailbox without SMTP, Google 5.7.9 where it wants an app
password, and half the world 535 for everything. So the rules over the text are asked before a code that says no more
than "no". Their order matters, from the particular to the general.

Whatever is temporary by code or status is never a refused password, whatever its words; and words that speak of
throttling or of a fault of the server's own are believed even beside 535.
"""

import re
from collections.abc import Iterable
from enum import Enum

from popfetch.dialogue.texts import HIDDEN, clean
from popfetch.smtp.errors import (
    AppPasswordNeeded,
    PasswordSignInOff,
    ServerPermanent,
    ServerTemporary,
    SignInRefused,
    SignInTooFrequent,
    SmtpError,
    TlsFailed,
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


def _rule(leaf: type[SmtpError], *patterns: str) -> tuple[type[SmtpError], re.Pattern[str]]:
    return leaf, re.compile("|".join(patterns), re.IGNORECASE)


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

_UNSUPPORTED = re.compile(
    r"(unknown|unrecogni[sz]ed|unsupported|unimplemented|invalid|bad) .{0,15}(mechanism|auth\w* (type|method|scheme))"
    r"|(mechanism|auth\w* (type|method|scheme))\b.{0,30}"
    r"(unknown|unrecogni[sz]ed|unsupported|unimplemented|disabled|too weak"
    r"|not (supported|implemented|available|enabled))",
    re.IGNORECASE,
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
}
_NO_STARTTLS = (
    "{server} does not offer TLS by STARTTLS, so no password was sent. If it offers submission over TLS, choose TLS"
    " with port 465"
)


def classify(reply: Reply, moment: Moment, *, server: str = "The server", hidden: Iterable[str] = ()) -> SmtpError:
    """The error that a refusal is, with a sentence for a person.

    ``server`` names it in the sentence; whatever is in ``hidden`` does not appear in what is quoted.
    """
    leaf = _leaf(reply, moment)
    said = quotable(reply, hidden)
    sentence = _NO_STARTTLS if moment is Moment.STARTTLS and leaf is TlsFailed else _SENTENCES[leaf]
    sentence = sentence.format(server=server)
    message = f"{sentence}. It says: {said}" if said else f"{sentence}."
    if leaf is SignInRefused:
        return SignInRefused(message, server_text=said, explicit=reply.status == "5.7.8")
    return leaf(message, server_text=said)


def no_starttls(server: str) -> TlsFailed:
    """The error that a server without STARTTLS is where TLS is required."""
    return TlsFailed(f"{_NO_STARTTLS.format(server=server)}.")


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


def quotable(reply: Reply, hidden: Iterable[str]) -> str:
    """A reply's text as it may be shown; nothing at all of it where a secret is spread over its lines or its marks."""
    secrets = [*hidden]
    whole = _letters(clean(reply.words, secrets, longest=len(reply.words) + len(HIDDEN)))
    if any(len(letters) >= SHORTEST_ECHO and letters in whole for letters in map(_letters, secrets)):
        return HIDDEN
    return clean(reply.words, secrets)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).lower()


def _read(reply: Reply) -> str:
    return clean(reply.words, longest=READ_CHARACTERS)


def _leaf(reply: Reply, moment: Moment) -> type[SmtpError]:
    words = _read(reply)
    if reply.temporary:
        return SignInTooFrequent if reply.status == "4.7.28" or _THROTTLED[1].search(words) else ServerTemporary
    if moment is Moment.STARTTLS:
        return TlsFailed
    if reply.status in STATUSES:
        return STATUSES[reply.status]
    for leaf, pattern in SIGN_IN_RULES if moment is Moment.SIGN_IN else GREETING_RULES:
        if pattern.search(words):
            return leaf
    if moment is not Moment.SIGN_IN:
        return ServerPermanent
    return PasswordSignInOff if reply.status == "5.7.139" else CODES.get(reply.code, ServerPermanent)
