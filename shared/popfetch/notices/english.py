"""All that popfetch writes to people, in English."""

from datetime import datetime

from popfetch.domain.account import Account, AuthMethod, Security
from popfetch.domain.failures import CONNECTIONS_IN_A_ROW, SIGN_INS_IN_A_ROW
from popfetch.domain.notice import ReplyToQuestion, StoppedAccount
from popfetch.domain.providers import provider_of_host
from popfetch.notices.letter import Action, Letter
from popfetch.notices.page import Page
from popfetch.notices.strangers import account_name, account_title, foreign, quoted

LANGUAGE = "en"

_SECURITY = {Security.TLS: "TLS", Security.STARTTLS: "STARTTLS", Security.NONE: "none"}
_STEPS = "What to do"
_ONCE = "No other mail comes about this until the account has been collected again, or you have started it anew."
_NO_LINKS = (
    "popfetch never asks for a password by mail, and this mail has no links on purpose: open popfetch the way you "
    "always do."
)
_CHECK_NOW = (
    "If nothing had to be changed, choose “check now” for the account in popfetch. Once that works, the account is "
    "collected on schedule again."
)


def sign_in_refused(account: Account, stop: StoppedAccount) -> Letter:
    """The server does not accept user name and password any more."""
    by_password = account.incoming.auth is AuthMethod.PASSWORD
    renewal = (
        "If the password was changed or has expired, open the account in popfetch and set the new incoming password. "
        "The outgoing (SMTP) password is kept apart: if it was changed too, set it as well, or mail cannot be sent."
        if by_password
        else "If the password was changed, or access was withdrawn at the provider, open the account in popfetch and "
        "give it access again."
    )
    return Letter(
        language=LANGUAGE,
        subject=f"popfetch: {account_name(account)} needs your {'password' if by_password else 'consent'}",
        heading=f"popfetch can no longer sign in to {account_title(account)}",
        opening=(
            f"The mail server of your account {account_name(account)} has refused the sign-in {SIGN_INS_IN_A_ROW} "
            "times in a row, or a few times saying plainly that user name or password is wrong. popfetch has stopped "
            "trying, so that the provider does not lock your mailbox."
        ),
        facts=_facts(account, stop, last=quoted(stop.message)),
        steps_heading=_STEPS,
        steps=(
            "Sign in on the provider's own website. If that fails too, reset the password there first.",
            renewal,
            (
                "If the password is right, look into the provider's settings: POP access may be switched off there, or "
                "the provider may want an app password in place of the usual one. Create one there and set it in "
                "popfetch as the incoming password."
            ),
            *_known_trap(account),
            _CHECK_NOW,
        ),
        closing=(_nothing_is_lost("popfetch can sign in again"), _ONCE, _NO_LINKS),
    )


def password_unreadable(account: Account, stop: StoppedAccount) -> Letter:
    """The password that popfetch keeps does not open; the server was not asked."""
    return Letter(
        language=LANGUAGE,
        subject=f"popfetch: {account_name(account)} needs your password",
        heading=f"popfetch has no usable password for {account_title(account)}",
        opening=(
            f"The password that popfetch keeps for your account {account_name(account)} can no longer be opened, so "
            "that it cannot sign in. This is not your provider's doing."
        ),
        facts=_facts(account, stop, last=""),
        steps_heading=_STEPS,
        steps=(
            "Open the account in popfetch and set the incoming password again; it may be the same as before.",
            "Set the outgoing (SMTP) password again as well, if the account has one.",
            "If this happens again, tell whoever runs popfetch for you.",
        ),
        closing=(_nothing_is_lost("popfetch can sign in again"), _ONCE, _NO_LINKS),
    )


def mailbox_out_of_order(account: Account, stop: StoppedAccount) -> Letter:
    """The server says that something is wrong with the mailbox that does not pass by itself."""
    return Letter(
        language=LANGUAGE,
        subject=f"popfetch: {account_name(account)} needs your attention",
        heading=f"The provider has closed {account_title(account)} to popfetch",
        opening=(
            f"The mail server of your account {account_name(account)} says that something is wrong that does not pass "
            "by itself. popfetch has stopped trying."
        ),
        facts=_facts(account, stop, last=quoted(stop.message)),
        steps_heading=_STEPS,
        steps=(
            "Sign in on the provider's own website and see whether the mailbox is locked, full or closed.",
            (
                "See in the provider's settings whether POP access is still switched on, and ask the provider if the "
                "server's words above do not help."
            ),
            *_known_trap(account),
            "If the provider gives you a new password, open the account in popfetch and set it as the incoming one.",
            _CHECK_NOW,
        ),
        closing=(_nothing_is_lost("the provider lets popfetch in again"), _ONCE, _NO_LINKS),
    )


def server_unreachable(account: Account, stop: StoppedAccount) -> Letter:
    """The server could not be connected to, many times in a row."""
    return Letter(
        language=LANGUAGE,
        subject=f"popfetch: {account_name(account)} cannot be reached",
        heading=f"popfetch cannot reach the mail server of {account_title(account)}",
        opening=(
            f"popfetch tried {CONNECTIONS_IN_A_ROW} times in a row to connect to the mail server of your account "
            f"{account_name(account)}, and did not succeed once. It has stopped trying."
        ),
        facts=_facts(account, stop, last=quoted(stop.message)),
        steps_heading=_STEPS,
        steps=(
            (
                "Compare host, port and security above with what the provider's help pages say about POP today; "
                "providers change them now and then."
            ),
            "If they differ, correct the incoming server of the account in popfetch.",
            "If they are the same, see whether the provider reports a disturbance, or no longer offers POP.",
            _CHECK_NOW,
        ),
        closing=(_nothing_is_lost("the server can be reached again"), _ONCE, _NO_LINKS),
    )


def confirm_reply_to(question: ReplyToQuestion) -> Letter:
    """An address is asked whether it wants the replies to an account's mail; its reader may be a stranger."""
    return Letter(
        language=LANGUAGE,
        subject="popfetch: shall replies come to this address?",
        heading="Shall replies come to this address?",
        opening=(
            "Someone who sends mail with popfetch, from the account below, wants the replies to come to this address. "
            "That only happens once you have confirmed it."
        ),
        facts=(
            ("Mail is sent from", quoted(question.account_email)),
            ("The link works until", _instant(question.expires_at)),
        ),
        action=Action("See the question and confirm", question.link),
        closing=(
            "The link opens a page with a button; only pressing that button confirms. The link works once.",
            "If you did not ask for this, do nothing: no replies come to this address without your confirmation.",
            "popfetch never asks for a password, neither by mail nor on the page that the link opens.",
        ),
    )


def reply_to_asked(address: str, account_email: str) -> Page:
    """The question that the link leads to."""
    return Page(
        language=LANGUAGE,
        title="popfetch: confirm the reply address",
        heading="Shall replies come to this address?",
        opening=(
            "Someone who sends mail with popfetch, from the account below, wants the replies to come to your address."
        ),
        facts=_reply_facts(address, account_email),
        button="Yes, send replies here",
        closing=(
            "If you did not ask for this, close the page: no replies come to your address without your confirmation.",
            "popfetch asks for no password here.",
        ),
    )


def reply_to_confirmed(address: str, account_email: str) -> Page:
    """The answer is in force."""
    return Page(
        language=LANGUAGE,
        title="popfetch: reply address confirmed",
        heading="The reply address is confirmed",
        opening="From now on, replies go to the address that you confirmed. You can close this page.",
        facts=_reply_facts(address, account_email),
    )


def link_invalid() -> Page:
    """The link is not valid, or not any more."""
    return Page(
        language=LANGUAGE,
        title="popfetch: link not valid",
        heading="This link is not valid any more",
        opening=(
            "It was used already, its time is over, a newer link has taken its place, or it was not copied whole. "
            "Opening it has changed nothing."
        ),
        closing=(
            (
                "If you use popfetch: open the settings of the account there, see whether the reply address is "
                "confirmed, and ask for a new link if it is not."
            ),
            "Otherwise there is nothing to do; you can close this page.",
        ),
    )


def try_again() -> Page:
    """Something failed that has nothing to do with the link."""
    return Page(
        language=LANGUAGE,
        title="popfetch: please try again",
        heading="That did not work",
        opening="Something failed at popfetch. Wait a minute, then open the link in the mail once more.",
    )


def _reply_facts(address: str, account_email: str) -> tuple[tuple[str, str], ...]:
    return (("Mail is sent from", foreign(account_email)), ("Replies go to", foreign(address)))


def _known_trap(account: Account) -> tuple[str, ...]:
    """What popfetch knows of the provider that people stumble over."""
    provider = provider_of_host(account.incoming.host)
    return (f"About {provider.name}: {provider.help}",) if provider else ()


def _facts(account: Account, stop: StoppedAccount, *, last: str) -> tuple[tuple[str, str], ...]:
    incoming = account.incoming
    return (
        ("Account", account_name(account)),
        ("Incoming server", f"{foreign(incoming.host)}, port {incoming.port}, security {_SECURITY[incoming.security]}"),
        ("User name", foreign(incoming.username)),
        ("Not collected since", _instant(stop.stopped_at)),
        *((("What happened last", last),) if last else ()),
    )


def _instant(at: datetime) -> str:
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def _nothing_is_lost(once: str) -> str:
    return (
        "Nothing is lost: what has been collected stays where it is, and what is on the server is collected as soon "
        f"as {once}."
    )
