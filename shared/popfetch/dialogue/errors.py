"""The root of what can go wrong with a mail server, whatever it speaks."""

from typing import ClassVar


class MailServerError(Exception):
    """A conversation with a mail server went wrong.

    ``code`` is the word that the logs and the account's state use, the same in all protocols where the thing is the
    same; ``retryable`` says whether time alone may heal it. ``server_text`` is what the server said, cleaned of
    control characters and secrets and cut to a length fit for a log.
    """

    code: ClassVar[str]
    retryable: ClassVar[bool] = True

    def __init__(self, message: str, *, server_text: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.server_text = server_text
