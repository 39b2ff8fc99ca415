"""The languages that notices are written in, and which one an owner gets."""

from collections.abc import Mapping
from typing import Protocol

from popfetch.domain.account import Account, Standing
from popfetch.domain.notice import Mail, StoppedAccount
from popfetch.notices import english
from popfetch.notices.letter import Letter


class Language(Protocol):
    """What the module of a language has: a function for each thing that can happen."""

    def sign_in_refused(self, account: Account, stop: StoppedAccount) -> Letter:
        """The server does not accept user name and password any more."""

    def password_unreadable(self, account: Account, stop: StoppedAccount) -> Letter:
        """The password that popfetch keeps does not open; the server was not asked."""

    def mailbox_out_of_order(self, account: Account, stop: StoppedAccount) -> Letter:
        """The server says that something is wrong with the mailbox that does not pass by itself."""

    def server_unreachable(self, account: Account, stop: StoppedAccount) -> Letter:
        """The server could not be connected to, many times in a row."""


LANGUAGES: Mapping[str, Language] = {"en": english}
"""By primary language subtag, in lower case."""

_DEFAULT = "en"


def mail_about(stop: StoppedAccount, account: Account, locale: str = "") -> Mail:
    """The mail that tells an owner of a stopped account, in their language where there is one.

    ``locale`` is a language tag in either common form: ``vi``, ``vi-VN`` or ``vi_VN``.
    """
    primary = locale.replace("_", "-").partition("-")[0].lower()
    return _letter(LANGUAGES.get(primary, LANGUAGES[_DEFAULT]), account, stop).to_mail()


def _letter(language: Language, account: Account, stop: StoppedAccount) -> Letter:
    if stop.standing is Standing.CONNECTION_FAILED:
        return language.server_unreachable(account, stop)
    if stop.code == "secret_unreadable":
        return language.password_unreadable(account, stop)
    if stop.code in {"permanent", "pop_not_enabled"}:
        return language.mailbox_out_of_order(account, stop)
    return language.sign_in_refused(account, stop)
