"""What submission servers say when they say no, and what it means."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popfetch.dialogue import sasl
from popfetch.dialogue.bearer import Complaint, Verdict
from popfetch.dialogue.sasl import Credentials, SecretKind
from popfetch.dialogue.texts import HIDDEN, SHORTEST_PIECE
from popfetch.smtp.classification import (
    Moment,
    classify,
    mechanism_refused,
    no_starttls,
    token_verdict,
    too_large,
    utf8_not_offered,
)
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

QQ_LISTS_IT_ALL = (
    "Login fail. Account is abnormal, service is not open, password is incorrect, login frequency limited, or system is"
    " busy. More information at https://x.test"
)
SIGN_IN: list[tuple[int, str, type[SmtpError]]] = [
    # Gmail
    (535, "5.7.8 Username and Password not accepted. For more information, go to https://x.test", SignInRefused),
    (534, "5.7.9 Application-specific password required. For more information, go to", AppPasswordNeeded),
    (534, "5.7.14 <https://x.test/> Please log in via your web browser and then try again.", ServerPermanent),
    (534, "5.7.9 Please log in with your web browser and then try again. Learn more at", ServerPermanent),
    (454, "4.7.0 Too many login attempts, please try again later.", SignInTooFrequent),
    (454, "4.7.0 Cannot authenticate due to a temporary system problem. Try again later.", ServerTemporary),
    (421, "4.7.28 Gmail has detected an unusual amount of mail", SignInTooFrequent),
    (421, "4.3.0 Temporary System Problem. Try again later", ServerTemporary),
    # Microsoft
    (535, "5.7.3 Authentication unsuccessful [AB1PR01CA0001.prod.exchangelabs.com]", SignInRefused),
    (535, "5.7.139 Authentication unsuccessful, the user credentials were incorrect.", SignInRefused),
    (535, "5.7.139 Authentication unsuccessful, basic authentication is disabled.", PasswordSignInOff),
    (
        535,
        "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
        PasswordSignInOff,
    ),
    (
        535,
        "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.",
        PasswordSignInOff,
    ),
    (
        535,
        "5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy.",
        PasswordSignInOff,
    ),
    (
        535,
        "5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully.",
        PasswordSignInOff,
    ),
    (550, "5.7.30 Basic authentication is not supported for Client Submission.", PasswordSignInOff),
    (504, "5.7.4 Unrecognized authentication type", PasswordSignInOff),
    (451, "4.7.500 Server busy. Please try again later", ServerTemporary),
    (432, "4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", SignInTooFrequent),
    # Yahoo, AOL
    (535, "5.7.0 (#AUTH005) Too many bad auth attempts.", SignInTooFrequent),
    (535, "5.7.0 (#MBR1212) Incorrect username or password.", SignInRefused),
    (534, "5.7.9 (#AUTH012) Application-specific password required", AppPasswordNeeded),
    # Zoho, Fastmail, OVH, GMX
    (535, "Authentication Failed", SignInRefused),
    (530, "Must issue a STARTTLS command first.", TlsFailed),
    (535, "5.7.0 Incorrect username or password", SignInRefused),
    (535, "5.7.1 Authentication failed", SignInRefused),
    (535, "Authentication credentials invalid", SignInRefused),
    # Yandex, mail.ru
    (535, "5.7.8 Error: authentication failed: Invalid user or password!", SignInRefused),
    (
        535,
        "5.7.8 Error: authentication failed: This user does not have access rights to this service",
        PasswordSignInOff,
    ),
    (535, "5.7.0 NEOBHODIM parol prilozheniya / Application password is REQUIRED", AppPasswordNeeded),
    # QQ, NetEase
    (535, "Login Fail. Please enter your authorization code to login. More information in http://x", AppPasswordNeeded),
    (
        535,
        QQ_LISTS_IT_ALL,
        SignInRefused,
    ),
    (535, "Error: 请使用授权码登录。", AppPasswordNeeded),
    (535, "Error: authentication failed", SignInRefused),
    (550, "User has no permission", PasswordSignInOff),
    # postfix with dovecot, old and new
    (535, "5.7.8 Error: authentication failed: UGFzc3dvcmQ6", SignInRefused),
    (535, "5.7.8 Error: authentication failed:", SignInRefused),
    (535, "5.7.8 Error: authentication failed: (reason unavailable)", SignInRefused),
    (535, "5.7.8 Error: authentication failed: authentication service unavailable", ServerTemporary),
    (454, "4.7.0 Temporary authentication failure: Connection lost to authentication server", ServerTemporary),
    (535, "5.7.8 Error: authentication failed: Connection lost to authentication server", ServerTemporary),
    (503, "5.5.1 Error: authentication not enabled", PasswordSignInOff),
    (421, "4.7.0 mail.test Error: too many errors", SignInTooFrequent),
    (538, "5.7.11 Encryption required for requested authentication mechanism", TlsFailed),
    # exim, cPanel
    (535, "Incorrect authentication data", SignInRefused),
    (435, "Unable to authenticate at present", ServerTemporary),
    (503, "AUTH command used when not advertised", PasswordSignInOff),
    (504, "UNSUPPORTED authentication mechanism not supported", PasswordSignInOff),
    # qmail, Courier, dovecot submission, sendmail
    (535, "authorization failed (#5.7.0)", SignInRefused),
    (535, "authentication failed (#5.7.1)", SignInRefused),
    (454, "4.3.0 oops, unable to write pipe (#4.3.0)", ServerTemporary),
    (523, "5.7.10 Plaintext authentication disallowed on non-secure (SSL/TLS) connections.", TlsFailed),
    (535, "5.7.0 authentication failed", SignInRefused),
    (530, "5.7.0 Authentication requires TLS", TlsFailed),
    # the unspecific
    (535, "", SignInRefused),
    (534, "5.7.9 Authentication mechanism is too weak", PasswordSignInOff),
    (502, "5.5.2 Command not recognized", PasswordSignInOff),
    (550, "5.7.1 authentication failed", SignInRefused),
    (554, "5.7.1 who knows", ServerPermanent),
    (501, "5.5.2 Cannot decode", ServerPermanent),
    (535, "5.7.13 User account disabled", ServerPermanent),
    (535, "5.7.8 Your account has been suspended", ServerPermanent),
    (535, "5.7.8 Your account is temporarily locked", ServerTemporary),
    (550, "Your IP address is blocked", ServerPermanent),
    (535, "5.7.8 Internal server error", ServerTemporary),
    (535, "4.7.8 who knows", ServerTemporary),
    (454, "5.7.8 Authentication failed, invalid password", ServerTemporary),
    (451, "Authentication failed: wrong password", ServerTemporary),
    (421, "", ServerTemporary),
]


@pytest.mark.parametrize(("code", "text", "leaf"), SIGN_IN)
def test_sign_in_is_told_apart(code: int, text: str, leaf: type[SmtpError]) -> None:
    assert type(classify(Reply(code, text.encode()), Moment.SIGN_IN)) is leaf
    assert type(classify(Reply(code, text.upper().encode()), Moment.SIGN_IN)) is leaf


@pytest.mark.parametrize("moment", [Moment.GREETING, Moment.HELLO])
@pytest.mark.parametrize(
    ("code", "text", "leaf"),
    [
        (421, "4.3.2 Service not available, closing transmission channel", ServerTemporary),
        (421, "4.7.0 Too many concurrent connections", SignInTooFrequent),
        (450, "4.7.1 Client host rejected: cannot find your hostname", ServerTemporary),
        (554, "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using a.test", ServerPermanent),
        (554, "5.3.2 Service unavailable", ServerTemporary),
        (554, "5.7.1 Your password for this address is invalid", ServerPermanent),
        (554, "Too many connections", SignInTooFrequent),
        (550, "5.7.1 TLS required", TlsFailed),
        (550, "", ServerPermanent),
        (535, "5.7.8 authentication failed", ServerPermanent),
    ],
)
def test_a_server_that_does_not_even_greet_is_not_a_wrong_password(
    code: int, text: str, leaf: type[SmtpError], moment: Moment
) -> None:
    assert type(classify(Reply(code, text.encode()), moment)) is leaf


@pytest.mark.parametrize(
    ("code", "text", "leaf"),
    [
        (454, "4.7.0 TLS not available due to local problem", ServerTemporary),
        (421, "4.7.0 too many errors", SignInTooFrequent),
        (502, "5.5.1 command not implemented", TlsFailed),
        (530, "5.7.0 authentication failed", TlsFailed),
    ],
)
def test_no_starttls_is_no_tls(code: int, text: str, leaf: type[SmtpError]) -> None:
    error = classify(Reply(code, text.encode()), Moment.STARTTLS, server="S")
    assert type(error) is leaf
    if leaf is TlsFailed:
        assert error.message == f"{no_starttls('S').message.removesuffix('.')}. It says: {text}"


SENDING: list[tuple[Moment, int, str, type[SmtpError]]] = [
    # whose address it is
    (Moment.MAIL, 553, "5.7.1 <x@example.com>: Sender address rejected: not owned by user anna", SenderRefused),
    (Moment.RECIPIENT, 553, "5.7.1 <x@example.com>: Sender address rejected: not owned by user anna", SenderRefused),
    (Moment.RECIPIENT, 550, "5.1.0 <x@example.com>: Sender address rejected: User unknown", SenderRefused),
    (Moment.MAIL, 553, "5.7.1 Sender address rejected: not owned by auth user.", SenderRefused),
    (Moment.CONTENT, 550, "5.7.60 SMTP; Client does not have permissions to send as this sender", SenderRefused),
    (Moment.CONTENT, 554, "5.2.252 SendAsDenied; anna@x.test not allowed to send as bert@x.test", SenderRefused),
    (Moment.CONTENT, 554, "5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiException", SenderRefused),
    (Moment.CONTENT, 550, "5.1.8 Access denied, bad outbound sender AS(42003)", SenderRefused),
    (Moment.CONTENT, 550, "5.7.501 Access denied, spam abuse detected", SenderRefused),
    (Moment.MAIL, 553, "5.1.8 <x@nowhere.test>... Domain of sender address does not exist", SenderRefused),
    (Moment.MAIL, 553, "5.1.7 The sender's address was syntactically invalid", SenderRefused),
    (Moment.MAIL, 550, "Requested action not taken: mailbox unavailable Sender address is not allowed.", SenderRefused),
    (Moment.CONTENT, 551, "5.7.1 Not authorised to send from this header address", SenderRefused),
    (Moment.CONTENT, 550, "5.7.0 From address is not one of your addresses", SenderRefused),
    (Moment.MAIL, 553, "Relaying disallowed as x@example.com", SenderRefused),
    (Moment.MAIL, 501, "mail from address must be same as authorization user", SenderRefused),
    (Moment.MAIL, 553, "Mail from must equal authorized user", SenderRefused),
    (Moment.CONTENT, 554, "Message rejected: Email address is not verified. The following failed", SenderRefused),
    (Moment.RECIPIENT, 550, "Sender verify failed", SenderRefused),
    (Moment.MAIL, 550, "not local sender over smtp", SenderRefused),
    (Moment.MAIL, 554, "5.7.1 who knows", SenderRefused),
    (Moment.MAIL, 550, "", SenderRefused),
    # how much was sent
    (Moment.MAIL, 421, "4.7.0 Our system has detected an unusual rate of mail from your account", SendingTooFrequent),
    (Moment.CONTENT, 421, "4.7.28 Gmail has detected something", SendingTooFrequent),
    (
        Moment.RECIPIENT,
        450,
        "4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages",
        SendingTooFrequent,
    ),
    (Moment.CONTENT, 550, "5.4.5 Daily user sending limit exceeded. For more information on Gmail", SendingTooFrequent),
    (Moment.MAIL, 550, "5.4.5 Daily SMTP relay limit exceeded for customer.", SendingTooFrequent),
    (
        Moment.CONTENT,
        554,
        "5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to process message",
        SendingTooFrequent,
    ),
    (Moment.CONTENT, 432, "4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", SendingTooFrequent),
    (Moment.RECIPIENT, 452, "4.5.3 Your message has too many recipients", SendingTooFrequent),
    (Moment.RECIPIENT, 452, "too many recipients", SendingTooFrequent),
    (Moment.RECIPIENT, 550, "5.5.3 Too many recipients", SendingTooFrequent),
    (Moment.RECIPIENT, 450, "4.7.1 Error: too much mail from 192.0.2.1", SendingTooFrequent),
    (Moment.RECIPIENT, 554, "5.7.1 <x@y.test>: Sender address rejected: Ratelimit exceeded", SendingTooFrequent),
    (Moment.CONTENT, 454, "Throttling failure: Maximum sending rate exceeded.", SendingTooFrequent),
    (Moment.CONTENT, 454, "Throttling failure: Daily message quota exceeded.", SendingTooFrequent),
    (Moment.CONTENT, 550, "5.4.6 Unusual sending activity detected. Please try after sometime", SendingTooFrequent),
    (
        Moment.RECIPIENT,
        550,
        "Domain x.test has exceeded the max emails per hour (100/100 (100%)) allowed. Message discarded.",
        SendingTooFrequent,
    ),
    (Moment.MAIL, 550, "5.7.1 You have exceeded your sending limit", SendingTooFrequent),
    # how large it is
    (Moment.MAIL, 552, "5.3.4 Message size exceeds fixed limit", MessageTooLarge),
    (Moment.CONTENT, 552, "5.3.4 Error: message file too big", MessageTooLarge),
    (Moment.CONTENT, 552, "5.3.4 Your message exceeded Google's message size limits. Please visit", MessageTooLarge),
    (Moment.CONTENT, 552, "5.2.3 Message exceeds maximum fixed size (26214400)", MessageTooLarge),
    (Moment.MAIL, 552, "Message size exceeds maximum permitted", MessageTooLarge),
    (Moment.MAIL, 552, "sorry, that message size exceeds my databytes limit (#5.3.4)", MessageTooLarge),
    (Moment.CONTENT, 554, "message size limit exceeded", MessageTooLarge),
    (Moment.CONTENT, 552, "Requested mail action aborted: exceeded storage allocation", MessageTooLarge),
    (Moment.CONTENT, 552, "", MessageTooLarge),
    (Moment.CONTENT, 552, "5.7.0 This message was blocked because its content presents a risk", MessageRefused),
    # who gets it
    (Moment.RECIPIENT, 550, "5.1.1 <x@example.com>: Recipient address rejected: User unknown", RecipientRefused),
    (Moment.RECIPIENT, 550, "Requested action not taken: mailbox unavailable", RecipientRefused),
    (Moment.RECIPIENT, 552, "5.2.2 <x@y.test> Quota exceeded (mailbox for user is full)", RecipientRefused),
    (Moment.RECIPIENT, 552, "5.2.2 mailbox full", RecipientRefused),
    (Moment.RECIPIENT, 552, "Mailbox limit exceeded", RecipientRefused),
    (Moment.RECIPIENT, 550, "5.2.1 The email account that you tried to reach is disabled", RecipientRefused),
    (Moment.RECIPIENT, 550, "This user account has been suspended", RecipientRefused),
    (Moment.RECIPIENT, 554, "5.7.1 <x@y.test>: Relay access denied", RecipientRefused),
    (Moment.RECIPIENT, 551, "User not local", RecipientRefused),
    (Moment.RECIPIENT, 501, "5.1.3 Bad recipient address syntax", RecipientRefused),
    (Moment.DATA, 554, "5.5.1 Error: no valid recipients", RecipientRefused),
    (Moment.DATA, 503, "Valid RCPT command must precede DATA", RecipientRefused),
    (Moment.CONTENT, 550, "5.1.1 The email account that you tried to reach does not exist", RecipientRefused),
    (Moment.RECIPIENT, 452, "4.2.2 The email account that you tried to reach is over quota", ServerTemporary),
    (Moment.RECIPIENT, 452, "mailbox has exceeded its limit", ServerTemporary),
    # letters
    (Moment.RECIPIENT, 553, "5.6.7 Non-ASCII addresses not permitted for that recipient", Utf8NotOffered),
    (Moment.MAIL, 550, "5.6.7 Must use SMTPUTF8", Utf8NotOffered),
    # what it holds
    (Moment.CONTENT, 554, "5.7.1 Message rejected as spam", MessageRefused),
    (
        Moment.CONTENT,
        550,
        "5.7.1 [192.0.2.1] This message is likely unsolicited mail. To reduce spam, this message has been blocked.",
        MessageRefused,
    ),
    (Moment.CONTENT, 554, "5.6.0 Message content is not acceptable", MessageRefused),
    (Moment.CONTENT, 554, "Transaction failed Reject due to policy restrictions.", MessageRefused),
    (Moment.CONTENT, 550, "The content of the message is suspected spam", MessageRefused),
    (Moment.CONTENT, 554, "5.7.9 Message not accepted for policy reasons.", MessageRefused),
    (Moment.CONTENT, 550, "", MessageRefused),
    (Moment.DATA, 554, "5.7.1 <DATA>: Data command rejected: Access denied", MessageRefused),
    # who asks
    (Moment.MAIL, 530, "5.7.0 Authentication Required.", SignInRefused),
    (Moment.MAIL, 530, "5.7.57 Client not authenticated to send mail.", SignInRefused),
    (Moment.MAIL, 550, "5.7.1 Authentication required", SignInRefused),
    (Moment.RECIPIENT, 550, "SMTP authentication is required", SignInRefused),
    (Moment.MAIL, 503, "Error: need EHLO and AUTH first !", SignInRefused),
    (Moment.RECIPIENT, 535, "5.7.8 Authentication credentials invalid", SignInRefused),
    (Moment.MAIL, 530, "5.7.0 Must issue a STARTTLS command first", TlsFailed),
    (Moment.MAIL, 550, "5.7.1 Your account has been suspended", ServerPermanent),
    (Moment.CONTENT, 554, "5.2.0 WASCL UserAction verdict is not None. Actual verdict is Suspend.", ServerPermanent),
    (Moment.MAIL, 552, "5.2.2 Mailbox size limit exceeded", ServerPermanent),
    (
        Moment.RECIPIENT,
        554,
        "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.test",
        ServerPermanent,
    ),
    (
        Moment.CONTENT,
        550,
        "5.7.708 Service unavailable. Access denied, traffic not accepted from this IP",
        ServerPermanent,
    ),
    # what will pass
    (Moment.MAIL, 421, "4.3.2 Service shutting down", ServerTemporary),
    (Moment.MAIL, 452, "4.3.1 Insufficient system storage", ServerTemporary),
    (Moment.RECIPIENT, 450, "4.7.1 <x@y.test>: Recipient address rejected: Greylisted", ServerTemporary),
    (Moment.RECIPIENT, 450, "4.1.8 <x@y.test>: Sender address rejected: Domain not found", ServerTemporary),
    (Moment.CONTENT, 421, "4.4.2 Error: timeout exceeded", ServerTemporary),
    (Moment.CONTENT, 451, "4.3.0 Error: queue file write error", ServerTemporary),
    (Moment.CONTENT, 554, "5.3.0 Temporary problem, please try again later", ServerTemporary),
    (Moment.CONTENT, 451, "", ServerTemporary),
    (Moment.CONTENT, 550, "4.7.1 who knows", ServerTemporary),
]


@pytest.mark.parametrize(("moment", "code", "text", "leaf"), SENDING)
def test_sending_is_told_apart(moment: Moment, code: int, text: str, leaf: type[SmtpError]) -> None:
    assert type(classify(Reply(code, text.encode()), moment)) is leaf
    assert type(classify(Reply(code, text.upper().encode()), moment)) is leaf


@pytest.mark.parametrize(
    ("octets", "limit", "words"),
    [
        (30_000_000, 25_000_000, "has 30.0 MB, and S takes 25.0 MB at most"),
        (26_214_401, 26_214_400, "has 26.3 MB, and S takes 26.2 MB at most"),
        (10_485_761, 10_485_760, "has 10.5 MB, and S takes 10.4 MB at most"),
        (1_500_000, 10_240, "has 1.5 MB, and S takes 10.2 KB at most"),
        (10_241, 10_240, "has 10.3 KB, and S takes 10.2 KB at most"),
    ],
)
def test_two_sizes_are_told_in_words_that_differ(octets: int, limit: int, words: str) -> None:
    error = too_large("S", octets, limit)
    assert error.limit == limit
    assert words in error.message


def test_what_a_server_does_not_offer_needs_no_words_of_its_own() -> None:
    error = utf8_not_offered("S")
    assert error.message.startswith("S does not deliver to addresses with other letters than a to z before the @;")
    assert error.server_text == ""


@pytest.mark.parametrize("moment", [Moment.MAIL, Moment.RECIPIENT, Moment.DATA, Moment.CONTENT])
def test_a_refusal_of_a_message_quotes_the_server(moment: Moment) -> None:
    error = classify(Reply(554, b"5.7.1 no\n5.7.1 thanks"), moment, server="smtp.example.com:465")
    assert error.message.startswith("smtp.example.com:465 does not ")
    assert error.message.endswith(". It says: 5.7.1 no thanks")


@given(code=st.integers(400, 499), text=st.binary(max_size=200), moment=st.sampled_from(Moment))
def test_nothing_temporary_is_ever_held_against_the_password(code: int, text: bytes, moment: Moment) -> None:
    assert type(classify(Reply(code, text), moment)) in {ServerTemporary, SignInTooFrequent, SendingTooFrequent}


@given(text=st.sampled_from([text for _, text, _ in SIGN_IN]), status=st.from_regex(r"\A4\.[0-9]\.[0-9]{1,3}\Z"))
def test_no_more_is_anything_whose_status_is_temporary(text: str, status: str) -> None:
    error = classify(Reply(535, f"{status} {text}".encode()), Moment.SIGN_IN)
    assert error.retryable
    assert type(error) in {ServerTemporary, SignInTooFrequent}


@given(code=st.integers(400, 599), text=st.binary(max_size=300), moment=st.sampled_from(Moment))
def test_whatever_is_said_is_something(code: int, text: bytes, moment: Moment) -> None:
    error = classify(Reply(code, text), moment, server="smtp.example.com:465")
    assert error.code != SmtpError.code
    assert "smtp.example.com:465" in error.message
    assert len(error.server_text) <= 200
    assert error.server_text.isprintable()


@pytest.mark.parametrize(
    ("text", "explicit"), [("5.7.8 no", True), ("5.7.0 authentication failed", False), ("", False)]
)
def test_only_its_own_status_is_explicit(text: str, explicit: bool) -> None:
    error = classify(Reply(535, text.encode()), Moment.SIGN_IN)
    assert isinstance(error, SignInRefused)
    assert error.explicit is explicit


def test_a_needed_app_password_counts_as_a_refused_sign_in() -> None:
    error = classify(Reply(534, b"5.7.9 Application-specific password required"), Moment.SIGN_IN)
    assert isinstance(error, SignInRefused)
    assert error.code == "authentication"
    assert "app password" in error.message


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (504, ""),
        (504, "5.5.4 Unrecognized authentication type"),
        (535, "5.7.8 Error: authentication failed: Invalid authentication mechanism"),
        (501, "5.5.4 Syntax: AUTH mechanism"),
        (534, "5.7.9 Authentication mechanism is too weak"),
        (502, "Unsupported authentication method"),
        (432, "4.7.12 A password transition is needed"),
    ],
)
def test_a_refusal_of_the_mechanism_is_recognised(code: int, text: str) -> None:
    assert mechanism_refused(Reply(code, text.encode()))


@pytest.mark.parametrize(
    ("code", "text"),
    [(code, text) for code, text, leaf in SIGN_IN if leaf in {SignInRefused, SignInTooFrequent, AppPasswordNeeded}]
    + [(454, "4.7.0 Temporary authentication failure"), (432, "4.3.2 limit"), (235, "mechanism not supported")],
)
def test_a_refusal_of_the_password_is_not_taken_for_one_of_the_mechanism(code: int, text: str) -> None:
    assert not mechanism_refused(Reply(code, text.encode()))


def test_the_sentence_names_the_server_and_quotes_it() -> None:
    error = classify(Reply(535, b"5.7.8 bad\n5.7.8 password"), Moment.SIGN_IN, server="smtp.example.com:465")
    assert error.message == (
        "smtp.example.com:465 does not accept this user name and password; check both. It says: 5.7.8 bad password"
    )
    assert error.server_text == "5.7.8 bad password"


@given(
    text=st.binary(max_size=300),
    secret=st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), min_size=8, max_size=30).filter(
        lambda text: text != HIDDEN
    ),
    at=st.integers(0, 300),
    moment=st.sampled_from(Moment),
)
def test_an_echoed_secret_never_shows(text: bytes, secret: str, at: int, moment: Moment) -> None:
    plain = str(classify(Reply(535, text), moment, server="S"))
    error = classify(Reply(535, text[:at] + secret.encode() + text[at:]), moment, server="S", hidden=[secret])
    for shown in (str(error), error.server_text, repr(error)):
        assert secret not in shown or secret in plain


@given(
    secret=st.text("abcdefghijkmnopqrstuvwxyz0123456789+/", min_size=6, max_size=40).filter(
        lambda text: sum(map(str.isalnum, text)) >= 4
    ),
    cuts=st.lists(st.integers(0, 40), max_size=5),
    glue=st.sampled_from(["\n", "\n5.7.8 ", " ", "\x00", "-", "\x1b[1m"]),
)
def test_a_secret_in_pieces_never_shows(secret: str, cuts: list[int], glue: str) -> None:
    places = sorted({0, *(cut for cut in cuts if cut < len(secret)), len(secret)})
    pieces = [secret[a:b] for a, b in pairwise(places)]
    reply = Reply(535, f"5.7.8 No: {glue.join(pieces)}".encode())
    error = classify(reply, Moment.SIGN_IN, server="S", hidden=[secret])
    shown = "".join(filter(str.isalnum, error.server_text))
    assert "".join(filter(str.isalnum, secret)) not in shown


TOKEN = "".join(f"{number:x}" for number in range(1_000, 1_300))


def of_token(code: int, text: str, status: str | None = None, moment: Moment = Moment.SIGN_IN) -> SmtpError:
    """The error that a refusal is where an access token was signed in with."""
    complaint = None if status is None else Complaint(status)
    return classify(Reply(code, text.encode()), moment, server="S", kind=SecretKind.ACCESS_TOKEN, complaint=complaint)


class TestAccessTokens:
    @pytest.mark.parametrize(("code", "text", "leaf"), SIGN_IN)
    def test_are_told_apart_as_passwords_are(self, code: int, text: str, leaf: type[SmtpError]) -> None:
        refused = leaf in {SignInRefused, AppPasswordNeeded}
        assert type(of_token(code, text)) is (TokenRefused if refused else leaf)

    @pytest.mark.parametrize(
        ("text", "explicit"),
        [
            ("5.7.8 Username and Password not accepted.", True),
            ("5.7.3 Authentication unsuccessful", False),
            ("5.7.139 Authentication unsuccessful, the user credentials were incorrect.", False),
            ("", False),
        ],
    )
    def test_are_refused_outright_only_by_their_own_status(self, text: str, explicit: bool) -> None:
        error = of_token(535, text)
        assert isinstance(error, TokenRefused)
        assert isinstance(error, SignInRefused)
        assert (error.code, error.retryable, error.explicit) == ("authentication", False, explicit)

    def test_are_not_helped_by_an_app_password(self) -> None:
        assert type(of_token(534, "5.7.9 Application-specific password required")) is TokenRefused

    @pytest.mark.parametrize("status", [None, "400", "insufficient_scope"])
    def test_do_not_help_where_smtp_is_switched_off(self, status: str | None) -> None:
        text = "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox."
        error = of_token(535, text, status)
        assert type(error) is PasswordSignInOff
        assert error.code == "sign_in_off"
        assert error.message == (
            "S lets nobody sign in to this mailbox with an access token; switch SMTP on in the provider's settings, or"
            f" ask whoever runs it. It says: {text}"
        )

    @pytest.mark.parametrize(
        ("code", "text"),
        [
            (535, "5.7.8 Error: authentication failed: Invalid authentication mechanism"),
            (504, "5.5.4 Unrecognized authentication type"),
            (504, ""),
        ],
    )
    def test_that_were_never_looked_at_are_not_held_to_be_bad(self, code: int, text: str) -> None:
        assert type(of_token(code, text)) is PasswordSignInOff

    def test_are_not_taken_for_unknown_mechanisms(self) -> None:
        assert type(of_token(535, "5.7.8 Unknown auth type of token")) is TokenRefused

    @pytest.mark.parametrize(
        ("code", "text"),
        [(535, "5.7.8 no"), (535, ""), (501, "5.5.2 Cannot decode"), (500, "what?"), (534, ""), (554, "5.7.0 no")],
    )
    @pytest.mark.parametrize(
        ("status", "leaf"),
        [
            ("400", TokenRefused),
            ("invalid_token", TokenRefused),
            ("whatever", TokenRefused),
            ("403", ScopeInsufficient),
            ("insufficient_scope", ScopeInsufficient),
            ("429", SignInTooFrequent),
            ("500", ServerTemporary),
            ("temporarily_unavailable", ServerTemporary),
        ],
    )
    def test_are_told_apart_by_what_the_server_had_against_them(
        self, code: int, text: str, status: str, leaf: type[SmtpError]
    ) -> None:
        assert type(of_token(code, text, status)) is leaf

    @pytest.mark.parametrize("status", ["400", "insufficient_scope", "503"])
    @pytest.mark.parametrize(
        ("code", "text", "leaf"),
        [
            (454, "4.7.0 Too many login attempts", SignInTooFrequent),
            (454, "4.7.0 Temporary authentication failure", ServerTemporary),
            (535, "5.7.0 Too many bad auth attempts.", SignInTooFrequent),
            (535, "5.7.8 Your account has been suspended", ServerPermanent),
            (538, "5.7.11 Encryption required", TlsFailed),
        ],
    )
    def test_matter_less_than_what_else_a_refusal_says(
        self, code: int, text: str, leaf: type[SmtpError], status: str
    ) -> None:
        assert type(of_token(code, text, status)) is leaf

    def test_that_lack_a_consent_need_a_new_one(self) -> None:
        error = of_token(535, "5.7.8 no", "insufficient_scope")
        assert isinstance(error, ScopeInsufficient)
        assert isinstance(error, SignInRefused)
        assert (error.code, error.retryable, error.explicit) == ("consent_needed", False, True)
        assert error.message == (
            "What was consented to at the provider does not cover S; sign in again there, and allow all of it."
            " It says: 5.7.8 no"
        )

    @pytest.mark.parametrize(
        ("moment", "code", "text"),
        [
            (Moment.MAIL, 530, "5.7.57 Client not authenticated to send mail."),
            (Moment.RECIPIENT, 535, "5.7.8 Authentication credentials invalid"),
        ],
    )
    def test_may_be_over_while_mail_is_sent(self, moment: Moment, code: int, text: str) -> None:
        error = of_token(code, text, moment=moment)
        assert type(error) is TokenRefused
        assert error.message == (
            f"S takes no mail by the sign-in that it was given; sign in again at the provider. It says: {text}"
        )

    @given(
        code=st.integers(400, 599),
        text=st.text(st.characters(codec="ascii"), max_size=100) | st.sampled_from([text for _, text, _ in SIGN_IN]),
        status=st.none() | st.sampled_from(["400", "403", "503", "429"]),
        moment=st.sampled_from(Moment),
    )
    def test_are_never_called_a_password(self, code: int, text: str, status: str | None, moment: Moment) -> None:
        error = of_token(code, text, status, moment)
        assert "password" not in error.message.partition(" It says: ")[0].lower()

    @given(
        build=st.sampled_from([sasl.xoauth2, sasl.oauthbearer]),
        raw=st.booleans(),
        begin=st.integers(0, 1_500),
        octets=st.integers(SHORTEST_PIECE, 1_500),
        around=st.tuples(st.binary(max_size=30), st.binary(max_size=30)),
        status=st.none() | st.just("400"),
        moment=st.sampled_from(Moment),
    )
    def test_leave_no_trace(
        self,
        build: Callable[[Credentials], sasl.Exchange],
        raw: bool,
        begin: int,
        octets: int,
        around: tuple[bytes, bytes],
        status: str | None,
        moment: Moment,
    ) -> None:
        credentials = Credentials("alex@example.com", TOKEN, SecretKind.ACCESS_TOKEN)
        exchange = build(credentials)
        echo = (exchange.answers[0](b"") if raw else exchange.initial_response() or b"")[begin : begin + octets]
        error = classify(
            Reply(535, around[0] + echo + around[1]),
            moment,
            hidden=credentials.traces(),
            kind=SecretKind.ACCESS_TOKEN,
            complaint=None if status is None else Complaint(status),
        )
        for shown in (str(error), error.server_text, repr(error)):
            for trace in credentials.traces():
                pieces = (trace[at : at + SHORTEST_PIECE] for at in range(len(trace) - SHORTEST_PIECE + 1))
                assert not any(piece in shown for piece in pieces)

    @pytest.mark.parametrize(
        ("code", "text", "verdict"),
        [
            (501, "5.5.4 Syntax: AUTH mechanism", Verdict.FORM),
            (501, "5.5.4 Syntax error in parameters: invalid auth", Verdict.FORM),
            (501, "5.5.2 Cannot decode", Verdict.FORM),
            (501, "", Verdict.FORM),
            (500, "5.5.2 Line too long", Verdict.FORM),
            (500, "5.5.6 Authentication Exchange line is too long", Verdict.FORM),
            (500, "5.3.3 Unrecognized command", Verdict.FORM),
            (502, "5.5.2 Error: command not recognized", Verdict.FORM),
            (555, "5.5.2 Syntax error, goodbye.", Verdict.FORM),
            (501, "AUTH initial response not supported", Verdict.FORM),
            (504, "5.5.4 Unrecognized authentication type", Verdict.MECHANISM),
            (504, "", Verdict.MECHANISM),
            (501, "5.5.4 Unknown mechanism", Verdict.MECHANISM),
            (535, "5.7.8 Error: authentication failed: Invalid authentication mechanism", Verdict.MECHANISM),
            (535, "5.7.8 auth mechanism: token not supported", Verdict.FINAL),
            (535, "5.7.8 Username and Password not accepted.", Verdict.FINAL),
            (535, "5.7.3 Authentication unsuccessful", Verdict.FINAL),
            (535, "", Verdict.FINAL),
            (501, "5.5.124 Invalid XOAUTH2 auth data", Verdict.FINAL),
            (501, "5.7.0 Authentication failed", Verdict.FINAL),
            (501, "5.5.4 Authentication failed", Verdict.FINAL),
            (432, "4.7.12 A password transition is needed", Verdict.FINAL),
            (501, "4.5.2 Syntax error", Verdict.FINAL),
            (500, "too many syntax errors", Verdict.FINAL),
            (501, "5.5.4 Your IP address is blocked", Verdict.FINAL),
            (421, "4.7.0 Syntax error", Verdict.FINAL),
            (454, "4.7.0 Temporary authentication failure", Verdict.FINAL),
            (502, "5.5.1 Command not implemented", Verdict.FINAL),
            (503, "5.5.1 Error: authentication not enabled", Verdict.FINAL),
        ],
    )
    def test_may_be_tried_in_another_way_only_where_the_refusal_is_not_of_them(
        self, code: int, text: str, verdict: Verdict
    ) -> None:
        assert token_verdict(Reply(code, text.encode()), challenged=False) is verdict
        assert token_verdict(Reply(code, text.encode()), challenged=True) is Verdict.FINAL
