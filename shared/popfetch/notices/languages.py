"""The languages that popfetch writes in, and which one a person gets."""

import re
from collections.abc import Mapping
from typing import Protocol

from popfetch.domain.account import Account, Standing
from popfetch.domain.notice import Mail, ReplyToQuestion, StoppedAccount
from popfetch.domain.provider import Provider
from popfetch.notices import english, vietnamese
from popfetch.notices.letter import Letter
from popfetch.notices.page import Page
from popfetch.notices.ways_in import by_token


class Language(Protocol):
    """What the module of a language has: a function for each thing that can happen."""

    def sign_in_refused(self, account: Account, stop: StoppedAccount) -> Letter:
        """The server does not accept what popfetch signs in with any more."""

    def consent_needed(self, account: Account, stop: StoppedAccount) -> Letter:
        """There is no consent to the mailbox any more, or it does not cover what popfetch needs."""

    def password_unreadable(self, account: Account, stop: StoppedAccount) -> Letter:
        """The password that popfetch keeps does not open; the server was not asked."""

    def mailbox_out_of_order(self, account: Account, stop: StoppedAccount) -> Letter:
        """The server says that something is wrong with the mailbox that does not pass by itself."""

    def server_unreachable(self, account: Account, stop: StoppedAccount) -> Letter:
        """The server could not be connected to, many times in a row."""

    def confirm_reply_to(self, question: ReplyToQuestion) -> Letter:
        """An address is asked whether it wants the replies to an account's mail; its reader may be a stranger."""

    def reply_to_asked(self, address: str, account_email: str) -> Page:
        """The question that the link leads to."""

    def reply_to_confirmed(self, address: str, account_email: str) -> Page:
        """The answer is in force."""

    def provider_help(self, provider: Provider) -> str:
        """What the owner of a mailbox at a provider has to do first."""

    def link_invalid(self) -> Page:
        """The link is not valid, or not any more."""

    def try_again(self) -> Page:
        """Something failed that has nothing to do with the link."""

    def consent_not_waited_for(self) -> Page:
        """What came back from a provider belongs to no sign-in that is waited for."""

    def consent_in_other_browser(self) -> Page:
        """A sign-in came back in another browser than the one in which it was started."""

    def consent_try_again(self) -> Page:
        """Storage did not answer when a sign-in came back."""


LANGUAGES: Mapping[str, Language] = {"en": english, "vi": vietnamese}
"""By primary language subtag, in lower case."""

_DEFAULT = "en"

_BLANK = " \t"
_RANGE = re.compile(
    r"(?P<range>\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)"
    r"(?:[ \t]*;[ \t]*[qQ]=(?P<quality>0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?"
)
"""A language range with its quality (RFC 4647, section 2.1; RFC 9110, section 12.4.2)."""


def language_for(locale: str) -> str:
    """The language for whoever prefers ``locale``, a tag in either common form: ``vi``, ``vi-VN`` or ``vi_VN``."""
    primary = _primary(locale)
    return primary if primary in LANGUAGES else _DEFAULT


def language_accepted(accept_language: str) -> str:
    """The language that suits an Accept-Language header best (RFC 9110, section 12.5.4), for when no other is known.

    What is no range with a quality is passed over. Who accepts none of ours gets the default all the same.
    """
    wanted: dict[str, float] = {}
    for item in accept_language.split(","):
        found = _RANGE.fullmatch(item.strip(_BLANK))
        if found:
            name = _primary(found["range"])
            wanted[name] = max(wanted.get(name, 0), float(found["quality"] or 1))
    offered = {name: wanted.get(name, wanted.get("*", 0)) for name in (_DEFAULT, *LANGUAGES)}
    # of equals the one that was named first
    order = [*wanted, *offered]
    best = max(offered, key=lambda name: (offered[name], -order.index(name)))
    return best if offered[best] else _DEFAULT


def provider_help(provider: Provider, language: str) -> str:
    """What the owner of a mailbox at a provider has to do first, in one of the languages."""
    return LANGUAGES[language].provider_help(provider)


def mail_about(stop: StoppedAccount, account: Account, locale: str = "") -> Mail:
    """The mail that tells an owner of a stopped account, in their language where there is one."""
    return _letter(LANGUAGES[language_for(locale)], account, stop).to_mail()


def mail_asking(question: ReplyToQuestion, locale: str = "") -> Mail:
    """The mail that asks an address whether it wants the replies to an account's mail.

    ``locale`` is the owner's, as nothing is known of who reads it.
    """
    return LANGUAGES[language_for(locale)].confirm_reply_to(question).to_mail()


def _primary(tag: str) -> str:
    return tag.replace("_", "-").partition("-")[0].lower()


def _letter(language: Language, account: Account, stop: StoppedAccount) -> Letter:
    if stop.standing is Standing.CONNECTION_FAILED:
        return language.server_unreachable(account, stop)
    if _needs_consent(account, stop):
        return language.consent_needed(account, stop)
    if stop.code == "secret_unreadable":
        return language.password_unreadable(account, stop)
    if stop.code in {"permanent", "pop_not_enabled"}:
        return language.mailbox_out_of_order(account, stop)
    return language.sign_in_refused(account, stop)


def _needs_consent(account: Account, stop: StoppedAccount) -> bool:
    """Whether it is consent that is missing, and no password; also where it took a password's place meanwhile."""
    token_does_not_open = stop.code == "secret_unreadable" and by_token(account.incoming)
    return stop.code == "consent_needed" or account.lacks_consent or token_does_not_open
