"""All that popfetch writes to people, in English."""

from datetime import datetime, timedelta

from popfetch.domain.account import Account, Security
from popfetch.domain.failures import CONNECTIONS_IN_A_ROW, SIGN_INS_IN_A_ROW
from popfetch.domain.notice import ReplyToQuestion, StoppedAccount
from popfetch.domain.oauth import FLOW_LIFETIME
from popfetch.domain.provider import Provider
from popfetch.notices.letter import Action, Letter
from popfetch.notices.page import Page
from popfetch.notices.strangers import account_name, account_title, foreign, quoted
from popfetch.notices.ways_in import by_token, mailbox_to_sign_in_as, provider_with_trap

LANGUAGE = "en"

_SECURITY = {Security.TLS: "TLS", Security.STARTTLS: "STARTTLS", Security.NONE: "none"}
_MINUTES = FLOW_LIFETIME // timedelta(minutes=1)
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
_CLOSE = "You can close this page. The account in popfetch always shows how it stands."


def sign_in_refused(account: Account, stop: StoppedAccount) -> Letter:
    """The server does not accept what popfetch signs in with any more."""
    return _token_refused(account, stop) if by_token(account.incoming) else _password_refused(account, stop)


def _password_refused(account: Account, stop: StoppedAccount) -> Letter:
    kept_apart = (
        ""
        if by_token(account.outgoing)
        else " The outgoing (SMTP) password is kept apart: if it was changed too, set it as well, or mail cannot be "
        "sent."
    )
    return Letter(
        language=LANGUAGE,
        subject=f"popfetch: {account_name(account)} needs your password",
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
            (
                "If the password was changed or has expired, open the account in popfetch and set the new incoming "
                f"password.{kept_apart}"
            ),
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


def _token_refused(account: Account, stop: StoppedAccount) -> Letter:
    return Letter(
        language=LANGUAGE,
        subject=f"popfetch: {account_name(account)} needs you to check the sign-in",
        heading=f"popfetch can no longer sign in to {account_title(account)}",
        opening=(
            f"The mail server of your account {account_name(account)} has refused the sign-in {SIGN_INS_IN_A_ROW} "
            "times in a row, or a few times saying plainly that it does not accept the consent you gave popfetch at "
            "the provider. popfetch has stopped trying, so that the provider does not lock your mailbox."
        ),
        facts=_facts(account, stop, last=quoted(stop.message)),
        steps_heading=_STEPS,
        steps=(
            "Sign in on the provider's own website. If that fails too, mend that first.",
            (
                "See in the provider's settings whether POP access is still switched on. At a company or a school, "
                "whoever administers the mailbox may have to allow it."
            ),
            *_known_trap(account),
            (
                "If all is well there, open the account in popfetch and choose “sign in again”. At the provider, sign "
                f"in as the very mailbox that this account is for ({mailbox_to_sign_in_as(account)}), and allow all "
                "that is asked."
            ),
            _CHECK_NOW,
        ),
        closing=(_nothing_is_lost("popfetch can sign in again"), _ONCE, _NO_LINKS),
    )


def consent_needed(account: Account, stop: StoppedAccount) -> Letter:
    """There is no consent to the mailbox any more, or it does not cover what popfetch needs."""
    return Letter(
        language=LANGUAGE,
        subject=f"popfetch: {account_name(account)} needs you to sign in again",
        heading=f"popfetch needs your consent to collect {account_title(account)}",
        opening=(
            "popfetch no longer has consent at the provider to open the mailbox of your account "
            f"{account_name(account)}, or not for all that it needs. Consent ends when it is withdrawn, when it is not "
            "used for a long time, when the password is changed, or when an administrator decides so. Until you sign "
            "in again, the account is not collected."
        ),
        facts=_facts(account, stop, last=quoted(stop.message) if stop.code == "consent_needed" else ""),
        steps_heading=_STEPS,
        steps=(
            "Open popfetch the way you always do, open the account, and choose “sign in again”.",
            (
                "On the provider's page, sign in as the very mailbox that this account is for "
                f"({mailbox_to_sign_in_as(account)}), and allow all that is asked."
            ),
            (
                "If the provider refuses, look into the security settings of your account there. At a company or a "
                "school, ask whoever administers the mailbox."
            ),
            (
                "There is nothing to enter in popfetch. Once the sign-in has worked, the account is collected on "
                "schedule again."
            ),
        ),
        closing=(_nothing_is_lost("you have signed in again"), _ONCE, _NO_LINKS),
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
            (
                "If the provider says that popfetch has no access any more, open the account in popfetch and choose "
                "“sign in again”."
                if by_token(account.incoming)
                else "If the provider gives you a new password, open the account in popfetch and set it as the "
                "incoming one."
            ),
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


def provider_help(provider: Provider) -> str:
    """What the owner of a mailbox at a provider has to do first."""
    return provider.help


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


def consent_not_waited_for() -> Page:
    """What came back from a provider belongs to no sign-in that is waited for."""
    return Page(
        language=LANGUAGE,
        title="popfetch: sign-in not valid",
        heading="This sign-in is not valid any more",
        opening=(
            f"It was used already, more than {_MINUTES} minutes have passed, or popfetch does not know it. Opening "
            "this page has changed nothing."
        ),
        closing=(
            (
                "If you use popfetch: open the account there, see whether it is connected, and start the sign-in again "
                "if it is not."
            ),
            "Otherwise there is nothing to do; you can close this page.",
        ),
    )


def consent_in_other_browser() -> Page:
    """A sign-in came back in another browser than the one in which it was started."""
    return Page(
        language=LANGUAGE,
        title="popfetch: another browser",
        heading="This is not the browser in which the sign-in was started",
        opening=(
            "So popfetch keeps nothing of it. If somebody sent you a link that led here: close this page and give its "
            "address to nobody. Whoever has it may be able to read your mail."
        ),
        closing=(
            (
                "If you started the sign-in yourself, in another program: hand that program the address of this page, "
                f"within {_MINUTES} minutes of the start."
            ),
        ),
    )


def consent_try_again() -> Page:
    """Storage did not answer when a sign-in came back."""
    return Page(
        language=LANGUAGE,
        title="popfetch: please try again",
        heading="That did not work",
        opening=(
            "Something failed at popfetch. Wait a minute, then start the sign-in again from the account in popfetch. "
            "You can close this page."
        ),
    )


def _reply_facts(address: str, account_email: str) -> tuple[tuple[str, str], ...]:
    return (("Mail is sent from", foreign(account_email)), ("Replies go to", foreign(address)))


def _known_trap(account: Account) -> tuple[str, ...]:
    """What popfetch knows of the provider that people stumble over."""
    provider = provider_with_trap(account)
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
