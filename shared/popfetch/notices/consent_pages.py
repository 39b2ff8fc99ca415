"""The pages that a browser shows which comes back from a provider, where nothing came of it and no account is known.

Otherwise the browser is sent on to the console, with what came of it in the address. ``language`` is one of
``languages.LANGUAGES``, or anything that ``language_for`` understands. Each page is served with
``page.CONTENT_SECURITY_POLICY``.
"""

from popfetch.notices.languages import LANGUAGES, Language, language_for


def invalid_page(language: str) -> str:
    """What came back belongs to no sign-in that is waited for: why that is so, is not told apart."""
    return _words(language).consent_not_waited_for().to_html()


def other_browser_page(language: str) -> str:
    """This is not the browser in which the sign-in was started, and nothing is kept of it."""
    return _words(language).consent_in_other_browser().to_html()


def consent_try_again_page(language: str) -> str:
    """Storage did not answer; the sign-in has to be started again."""
    return _words(language).consent_try_again().to_html()


def _words(language: str) -> Language:
    return LANGUAGES[language_for(language)]
