"""Which ways to sign in are tried, in which order, and when the next one may be tried after a refusal.

Over TLS the order is PLAIN, USER/PASS, LOGIN, and the challenge mechanisms last: the line is safe already, and many
servers announce challenges, or show an APOP timestamp, that they cannot check because they keep only hashes. A
mechanism that works beats one that would be stronger on paper.

Without TLS, which the owner must have asked for, it is CRAM-MD5, APOP, and only then the ways that show the
password.

USER/PASS closes every list: servers without CAPA have it, and some leave it out of CAPA by mistake. In clear it does
not where all that a server offers hides the password; dovecot then announces USER none the less, beside a SASL line
that lacks PLAIN.

The next way is tried only when the last refusal was of the mechanism itself; when APOP failed, because a timestamp in
a greeting is no offer and many servers that show one have no APOP; or, over TLS, when CRAM-MD5 failed without the
server saying ``[AUTH]``. Anything else would count as a second failed sign-in, and lock people out of their own
mailboxes. Going on from APOP without TLS gives nothing away that was safe: whoever could make APOP fail could as well
take the timestamp out of the greeting.

An access token goes by XOAUTH2, then by OAUTHBEARER, and only once the server asks for it: every server must take AUTH
alone (RFC 5034, section 4), Microsoft's take nothing else, and few tokens would fit on a line of 255 octets. It goes
along with AUTH only where the server refuses AUTH alone, or hangs up at it; then the 255 are set aside, for there is no
other way into such a server. See ``popfetch.dialogue.bearer`` for how many tries there are.
"""

from collections.abc import Callable
from enum import Enum

from popfetch.dialogue import bearer, sasl
from popfetch.dialogue.bearer import Attempt, Verdict
from popfetch.pop3.classification import form_refused, known_code, mechanism_unsupported, token_unseen
from popfetch.pop3.replies import Capabilities


class Way(Enum):
    """A way to sign in."""

    PLAIN = "PLAIN"
    USER = "USER"
    LOGIN = "LOGIN"
    CRAM_MD5 = "CRAM-MD5"
    APOP = "APOP"
    OAUTHBEARER = "OAUTHBEARER"
    XOAUTH2 = "XOAUTH2"


EXCHANGES: dict[Way, Callable[[sasl.Credentials], sasl.Exchange]] = {
    Way.PLAIN: sasl.plain,
    Way.LOGIN: sasl.login,
    Way.CRAM_MD5: sasl.cram_md5,
    Way.OAUTHBEARER: sasl.oauthbearer,
    Way.XOAUTH2: sasl.xoauth2,
}
"""The ways that are SASL mechanisms; the others have commands of their own."""

_PASSWORD_OVER_TLS = (Way.PLAIN, Way.USER, Way.LOGIN, Way.CRAM_MD5, Way.APOP)
_PASSWORD_IN_CLEAR = (Way.CRAM_MD5, Way.APOP, Way.PLAIN, Way.USER, Way.LOGIN)
_HIDE_THE_PASSWORD = frozenset({Way.CRAM_MD5, Way.APOP})
_TOKEN = (Way.XOAUTH2, Way.OAUTHBEARER)


def ways_with_password(offer: Capabilities | None, *, timestamp: bool, protected: bool) -> tuple[Way, ...]:
    """The ways to try, best first. ``offer`` is ``None`` when the server has no CAPA; never empty."""
    order = _PASSWORD_OVER_TLS if protected else _PASSWORD_IN_CLEAR
    ways = tuple(way for way in order if _offered(way, offer, timestamp=timestamp))
    if not protected and offer is not None and ("SASL" in offer or "USER" not in offer):
        hiding = tuple(way for way in ways if way in _HIDE_THE_PASSWORD)
        if hiding and {*hiding, Way.USER}.issuperset(ways):
            return hiding
    return ways if Way.USER in ways else (*ways, Way.USER)


def ways_with_token(offer: Capabilities | None) -> tuple[Way, ...]:
    """The ways to try with an access token; XOAUTH2, which every provider of tokens has, when none is announced."""
    ways = tuple(way for way in _TOKEN if offer is not None and way.value in offer.mechanisms)
    return ways or (Way.XOAUTH2,)


def token_attempts(offer: Capabilities | None, credentials: sasl.Credentials) -> tuple[Attempt, ...]:
    """What to try with an access token, best first; never empty."""
    return bearer.attempts((EXCHANGES[way](credentials) for way in ways_with_token(offer)), longest_line=0)


def token_verdict(text: bytes, *, token_sent: bool, challenged: bool) -> Verdict:
    """What the refusal ``text`` of an attempt with an access token is of.

    ``token_sent`` says whether the token was on the wire by then, ``challenged`` whether the server had asked for
    anything: if so it has the mechanism, in this form.
    """
    if challenged:
        return Verdict.FINAL
    if not token_sent and form_refused(text):
        return Verdict.FORM
    judged = token_sent and known_code(text)
    return Verdict.MECHANISM if token_unseen(text) and not judged else Verdict.FINAL


def may_try_next(way: Way, text: bytes, *, protected: bool, credentials_sent: bool) -> bool:
    """Whether the refusal ``text`` leaves room for another way.

    ``credentials_sent`` says whether the password, or a proof made from it, was on the wire when the server refused.
    """
    code = known_code(text)
    if mechanism_unsupported(text):
        # dovecot announces USER though it lacks PLAIN, and says so only after PASS: no password was judged
        return code == "" or not credentials_sent or (way is Way.USER and protected)
    if way is Way.APOP:
        return code in {"", "AUTH"}
    if code:
        return False
    if way is Way.CRAM_MD5 and credentials_sent:
        return protected
    return not credentials_sent and way in EXCHANGES


def _offered(way: Way, offer: Capabilities | None, *, timestamp: bool) -> bool:
    if way is Way.APOP:
        return timestamp
    if way is Way.USER:
        return offer is None or "USER" in offer
    return offer is not None and way.value in offer.mechanisms
