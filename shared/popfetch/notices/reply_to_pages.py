"""The pages that the link to an address leads to, which is asked whether it wants the replies to an account's mail.

Opening the link changes nothing, for programs open links too; pressing the button posts to the same URL. ``language``
is one of ``languages.LANGUAGES``, or anything that ``language_for`` understands. Each is served with
``page.CONTENT_SECURITY_POLICY``.
"""

from popfetch.notices.languages import LANGUAGES, Language, language_for


def question_page(address: str, account_email: str, language: str) -> str:
    """The question, with the one button that answers it."""
    return _words(language).reply_to_asked(address, account_email).to_html()


def confirmed_page(address: str, account_email: str, language: str) -> str:
    """The answer is in force."""
    return _words(language).reply_to_confirmed(address, account_email).to_html()


def invalid_link_page(language: str) -> str:
    """The link is not valid, or not any more: which of the reasons it is, is not told apart."""
    return _words(language).link_invalid().to_html()


def try_again_page(language: str) -> str:
    """Something failed that has nothing to do with the link."""
    return _words(language).try_again().to_html()


def _words(language: str) -> Language:
    return LANGUAGES[language_for(language)]
