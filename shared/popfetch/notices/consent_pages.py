"""The pages that a browser shows after its owner was at a provider to consent to a mailbox, and the front page.

What a browser brings back is answered in place only where nothing came of it and the account is not known; otherwise
the browser is sent on to the front page, with what came of it in the address. So all that the front page is given may
be made up by anybody: it is looked up and never shown. ``language`` is one of ``languages.LANGUAGES``, or anything that
``language_for`` understands. Each page is served with ``page.CONTENT_SECURITY_POLICY``.
"""

from popfetch.notices.languages import LANGUAGES, Language, language_for

CONNECTED, FAILED = "connected", "failed"
"""What can come of a sign-in, as the front page takes it."""


def invalid_page(language: str) -> str:
    """What came back belongs to no sign-in that is waited for: why that is so, is not told apart."""
    return _words(language).consent_not_waited_for().to_html()


def other_browser_page(language: str) -> str:
    """This is not the browser in which the sign-in was started, and nothing is kept of it."""
    return _words(language).consent_in_other_browser().to_html()


def consent_try_again_page(language: str) -> str:
    """Storage did not answer; the sign-in has to be started again."""
    return _words(language).consent_try_again().to_html()


def front_page(language: str, outcome: str, code: str) -> str:
    """What came of a sign-in, or what popfetch is where ``outcome`` is neither CONNECTED nor FAILED.

    ``code`` is the code of the error that it failed with, or of the trouble beside a consent that is kept, empty for
    none; one that is not known is told in general words.
    """
    words = _words(language)
    if outcome == CONNECTED:
        return words.consent_kept(code).to_html()
    if outcome == FAILED:
        return words.consent_not_kept(code).to_html()
    return words.front().to_html()


def _words(language: str) -> Language:
    return LANGUAGES[language_for(language)]
