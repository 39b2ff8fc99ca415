"""What an ``-ERR`` means: the response code decides where there is one, rules over the text where there is none.

RFC 2449, section 8, and RFC 3206 define the codes. The text rules come from what servers without codes say; their
order matters, from the particular to the general, because refusals name passwords in passing and busy servers
refuse good ones. Of an access token servers say the same as of a password, so the same rules are asked; only what
would be a refused password is then told by what the server had against the token before.
"""

from collections.abc import Callable, Iterable
from enum import Enum

from popfetch.dialogue.bearer import Complaint, Fault, speaks_of_token
from popfetch.dialogue.patterns import Pattern
from popfetch.dialogue.sasl import SecretKind
from popfetch.dialogue.texts import clean
from popfetch.pop3.errors import (
    CommandRefused,
    LoginTooFrequent,
    MaildropBusy,
    Pop3Error,
    PopNotEnabled,
    ScopeInsufficient,
    ServerPermanent,
    ServerTemporary,
    SignInRefused,
    TokenRefused,
)
from popfetch.pop3.replies import response_code


class Moment(Enum):
    """When the server said no."""

    GREETING = "greeting"
    SIGN_IN = "sign-in"
    COMMAND = "command"


CODES: dict[str, type[Pop3Error]] = {
    "AUTH": SignInRefused,
    "IN-USE": MaildropBusy,
    "LOGIN-DELAY": LoginTooFrequent,
    "SYS/TEMP": ServerTemporary,
    "SYS/PERM": ServerPermanent,
}


def _rule(leaf: type[Pop3Error], *patterns: str) -> tuple[type[Pop3Error], Pattern]:
    return leaf, Pattern("|".join(patterns))


SIGN_IN_RULES = (
    _rule(
        LoginTooFrequent,
        r"too[ -]frequent|too often|too many (log[io]n|sign|auth)|log[io]n limit|reduce the frequency",
        r"frequency of (requests|log)|(log[io]n|sign-?in)s? (rate|interval|delay)|(minimum|min\.?) .{0,20}interval",
        r"wait .{0,40}(before|until) .{0,40}(log|try|again)|once (every|per|in) \d+",
    ),
    _rule(
        PopNotEnabled,
        r"pop3?\b.{0,60}(not|isn't|is not) (enabled|allowed|activated|permitted|available for)",
        r"pop3?\b.{0,60}(disabled|deactivated|switched off)|not enabled for pop|(enable|activate|switch on) pop",
        r"not have pop3? (access|enabled)|yet to enable pop|(no|without) pop3? access",
    ),
    _rule(
        ServerPermanent,
        r"account .{0,20}(locked|disabled|suspended|blocked|deactivated|closed|frozen)",
        r"plain ?text (auth|log|pass).{0,60}(disallowed|disabled|not allowed|not permitted)",
    ),
    _rule(
        MaildropBusy,
        r"in[ -]use|maildrop already|mail(box|drop|file)? .{0,30}(locked|busy)|already (locked|logged|open|connected)",
        r"(lock|is|drop|box)(-| )busy|(un|not )able to (get |obtain |acquire )?.{0,10}lock|could ?n[o']t .{0,10}lock",
        r"another (pop3? )?(session|client|connection|process)|^\s*busy|other session",
        r"locked by|is locked|lock(ed)? (file|failed|exists)",
    ),
    _rule(ServerTemporary, r"temporar(y|ily) .{0,20}(auth|log|fail|err|problem|lookup)"),
    _rule(
        SignInRefused,
        r"(bad|wrong|invalid|incorrect|unknown|no such|illegal) .{0,20}(user|pass|log[io]n|account|credential|mailbox)",
        r"(user ?name|user|password|credentials?) .{0,30}(incorrect|invalid|wrong|not (accepted|correct))",
    ),
    _rule(
        ServerTemporary,
        r"(try|retry) .{0,20}later|temporar|unavailable|not available|download exceed|over(load|quota limit)",
        r"(server|internal|system|database|backend|i/?o|lookup) (error|fail|problem)|maintenance|time[d ]*-?out",
        r"too many|busy|limit (exceeded|reached)|exceed|shutting down|later",
    ),
)
"""For sign-in; what matches nothing is SignInRefused, and not an explicit one."""

COMMAND_RULES = (
    _rule(LoginTooFrequent, r"too[ -]frequent|reduce the frequency|log[io]n limit"),
    _rule(ServerTemporary, r"download exceed|(try|retry) .{0,20}later"),
)
"""For all other commands, where words like "invalid" speak of a message number."""

_RULES = {Moment.GREETING: SIGN_IN_RULES, Moment.SIGN_IN: SIGN_IN_RULES, Moment.COMMAND: COMMAND_RULES}
_OTHERWISE: dict[Moment, type[Pop3Error]] = {
    Moment.GREETING: ServerTemporary,
    Moment.SIGN_IN: SignInRefused,
    Moment.COMMAND: CommandRefused,
}

_UNSUPPORTED = Pattern(
    r"(unknown|unrecogni[sz]ed|unsupported|unimplemented|invalid|bad|illegal|no such|undefined) (\S+ ){0,2}"
    r"(command|mechanism|auth(entication)? (type|method|scheme|mechanism)|method|verb|keyword)"
    r"|\b(command|mechanism|auth(entication)? (type|method|scheme)|method|apop|auth)\b.{0,30}"
    r"\b(unknown|unrecogni[sz]ed|unsupported|unimplemented|disabled"
    r"|not (supported|implemented|available|enabled|recogni[sz]ed|understood|allowed|permitted|valid|known))"
    r"|^\W*(unimplemented|unsupported|not (supported|implemented)|syntax error|what\?|huh)"
)

_FORM = Pattern(r"syntax|argument|parameter|initial.?response|(invalid|bad|illegal|malformed) command")

_FAULTS: dict[Fault, type[Pop3Error]] = {
    Fault.TOKEN: TokenRefused,
    Fault.SCOPE: ScopeInsufficient,
    Fault.PACE: LoginTooFrequent,
    Fault.SERVER: ServerTemporary,
}

_SENTENCES: dict[type[Pop3Error], Callable[[str, str], str]] = {
    SignInRefused: lambda server, _: f"{server} does not accept this user name and password; check both",
    MaildropBusy: lambda server, _: f"The mailbox at {server} is in use by another session; it frees itself",
    LoginTooFrequent: lambda server, _: f"{server} wants longer pauses between sign-ins",
    ServerTemporary: lambda server, _: f"{server} has a problem of its own that should pass",
    ServerPermanent: lambda server, _: f"{server} has a problem that needs a person; see what it says",
    PopNotEnabled: lambda server, _: f"{server} has POP switched off for this mailbox; switch it on at the provider",
    CommandRefused: lambda server, command: f"{server} refused {command}",
    TokenRefused: lambda server, _: (
        f"{server} does not accept the access token for this user name; sign in again at the provider"
    ),
    ScopeInsufficient: lambda server, _: (
        f"What was consented to at the provider does not cover {server}; sign in again there, and allow all of it"
    ),
}
_NO_TOKENS = "{server} lets nobody sign in with an access token; ask its provider for another way to sign in"
"""Of a refused sign-in with a token that the server never looked at."""


def known_code(text: bytes) -> str:
    """The response code of a text where it is one that decides; ``SYS/TEMP/ANYTHING`` counts as ``SYS/TEMP``."""
    code = response_code(text)
    while code and code not in CODES:
        code = code.rpartition("/")[0]
    return code


def classify(
    text: bytes,
    moment: Moment,
    *,
    server: str = "The server",
    command: str = "",
    hidden: Iterable[str] = (),
    kind: SecretKind = SecretKind.PASSWORD,
    complaint: Complaint | None = None,
) -> Pop3Error:
    """The error that an ``-ERR`` with this text is, with a sentence for a person.

    ``server`` names it in the sentence; whatever is in ``hidden`` does not appear in what is quoted. ``kind`` is what
    was signed in with, ``complaint`` what the server had against it before it refused.
    """
    code = known_code(text)
    leaf = CODES[code] if code else _by_text(text, moment)
    if leaf is ServerPermanent and _by_text(text, moment) is PopNotEnabled:
        leaf = PopNotEnabled
    by_token = kind is SecretKind.ACCESS_TOKEN
    if leaf is SignInRefused and by_token:
        leaf = _of_token(text, complaint)
    said = clean(text, hidden)
    sentence = _SENTENCES[leaf](server, command)
    if leaf is SignInRefused and by_token:
        sentence = _NO_TOKENS.format(server=server)
    message = f"{sentence}. It says: {said}" if said else f"{sentence}."
    if issubclass(leaf, SignInRefused | MaildropBusy) and leaf is not ScopeInsufficient:
        return leaf(message, server_text=said, explicit=code in {"AUTH", "IN-USE"})
    return leaf(message, server_text=said)


def mechanism_unsupported(text: bytes) -> bool:
    """Whether a refusal is of the command or mechanism itself, so that another way to sign in may be tried."""
    return bool(_UNSUPPORTED.search(clean(text))) and known_code(text) in {"", "AUTH"}


def token_unseen(text: bytes) -> bool:
    """Whether a refusal is of the command or mechanism itself, and not of the access token that was to go by it."""
    # the code's own name is no word of the text
    words = clean(text.partition(b"]")[2] if response_code(text) else text)
    return bool(_UNSUPPORTED.search(words)) and known_code(text) in {"", "AUTH"} and not speaks_of_token(words)


def form_refused(text: bytes) -> bool:
    """Whether a refusal of AUTH alone, when nothing was told yet, may be of its form: some want the token at once.

    It may, unless it says that the mechanism is unknown, or that something else is the matter.
    """
    words = clean(text)
    if known_code(text) or _by_text(text, Moment.SIGN_IN) is not SignInRefused:
        return False
    return bool(_FORM.search(words)) or not _UNSUPPORTED.search(words)


def _of_token(text: bytes, complaint: Complaint | None) -> type[Pop3Error]:
    """What a refused sign-in is when it was tried with an access token."""
    if complaint is not None:
        return _FAULTS[complaint.fault]
    return SignInRefused if token_unseen(text) else TokenRefused


def _by_text(text: bytes, moment: Moment) -> type[Pop3Error]:
    words = clean(text)
    for leaf, pattern in _RULES[moment]:
        if pattern.search(words):
            return leaf
    return _OTHERWISE[moment]
