"""Where popfetch has no sender of its own: the question about a reply address goes through the account's own server.

A real postfix takes it, a real dovecot has it for the reader, and the link in it is what puts the address into force.
"""

from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from popfetch.adapters.host_guard import HostGuard
from popfetch.adapters.smtp_dialer import SmtpDialer
from popfetch.domain.account import Direction
from popfetch.domain.notice import Mail
from popfetch.domain.secret import Secret
from popfetch.services.account_mail import AccountMail
from popfetch.services.reply_to import ReplyToAddresses
from popfetch.services.sign_in_trial import SignInTestRefused
from tests.builders.accounts import OWNER, an_account
from tests.builders.aws import Aws
from tests.builders.journals import RecordingJournal
from tests.builders.kept_accounts import KeptAccounts
from tests.builders.reply_to import AskedAddresses, token_of
from tests.real.dovecot import PASSWORD, Dovecot
from tests.real.smtp_server import DOMAIN, SmtpServer

pytestmark = pytest.mark.real

ACCOUNT_ID = an_account().account_id
READER = f"bert@{DOMAIN}"


def asking(cloud: Aws, smtp: SmtpServer, password: str) -> tuple[ReplyToAddresses, KeptAccounts]:
    """The verbs over reply addresses, for an account whose server is the real one, and what is kept."""
    kept = KeptAccounts(cloud)
    sealed = kept.vault.seal(Secret(password), OWNER, ACCOUNT_ID, Direction.OUTGOING)
    kept.table.add(
        an_account(email=f"anna@{DOMAIN}", name="Anna Ünger", outgoing=smtp.submission("anna"), outgoing_secret=sealed)
    )
    journal = RecordingJournal()
    dialer = SmtpDialer(HostGuard(allow_private=True), ca_file=smtp.ca_file)
    own = AccountMail(replace(kept.sessions(journal), dialer=dialer), clock=lambda: kept.now)
    return replace(AskedAddresses(kept, journal, mailer=None).service, account_mailer=own), kept


def test_the_question_arrives_and_its_link_puts_the_address_into_force(
    cloud: Aws, smtp: SmtpServer, dovecot: Dovecot
) -> None:
    addresses, kept = asking(cloud, smtp, PASSWORD)

    # when
    addresses.ask_for(
        OWNER, ACCOUNT_ID, READER, lambda token: f"https://popfetch.example/v1/reply-to/confirm?token={token}"
    )

    # then
    smtp.await_delivery("bert")
    with dovecot.reader("bert") as reader:
        (content,) = reader.messages().values()
        reader.quit()
    message = message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    assert str(message["From"]) == f"Anna Ünger <anna@{DOMAIN}>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith(f"@{DOMAIN}>")
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert isinstance(text, EmailMessage)
    assert isinstance(html, EmailMessage)
    token = token_of(Mail("", text.get_content(), html.get_content(), "en"))
    assert addresses.look_at(token).address == READER
    assert kept.table.get(OWNER, ACCOUNT_ID).account.reply_to.in_force == ""
    assert addresses.confirm(token).address == READER
    assert kept.table.get(OWNER, ACCOUNT_ID).account.reply_to.in_force == READER


def test_a_refused_password_asks_nobody_and_shows_at_the_outgoing_side(cloud: Aws, smtp: SmtpServer) -> None:
    addresses, kept = asking(cloud, smtp, "not this one")
    with pytest.raises(SignInTestRefused):
        addresses.ask_for(OWNER, ACCOUNT_ID, READER, str)
    account = kept.table.get(OWNER, ACCOUNT_ID).account
    assert account.reply_to.question is None
    assert account.outgoing_failure is not None
    assert account.outgoing_failure.code == "authentication"
