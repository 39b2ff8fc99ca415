"""Owners' sessions: signing in and out, and choosing a new password, without telling who has a user here."""

from dataclasses import dataclass

from popfetch.domain.errors import OwnerSignInRefused, SignedOut, StorageUnavailable, TooManyTries
from popfetch.domain.secret import Secret
from popfetch.domain.session import Challenge, Challenged, Session
from popfetch.ports.invocation import Journal
from popfetch.ports.owners import OwnerSessions


@dataclass(frozen=True, slots=True)
class Sessions:
    """The verbs over sessions."""

    owners: OwnerSessions
    journal: Journal

    def sign_in(self, email: str, password: Secret) -> Session | Challenged:
        """Sign in, or learn what is asked for beside the password.

        Raises OwnerSignInRefused, PasswordResetRequired, TooManyTries and StorageUnavailable.
        """
        return self.owners.sign_in(email, password)

    def answer(self, email: str, challenge: Challenge, session: Secret, answer: Secret) -> Session | Challenged:
        """Go on with a sign-in by the answer to its challenge.

        Raises OwnerSignInRefused, CodeRefused, PasswordTooWeak, TooManyTries and StorageUnavailable.
        """
        return self.owners.answer(email, challenge, session, answer)

    def renew(self, refresh_token: Secret | None) -> Session:
        """Go on with a session. Raises SignedOut, TooManyTries and StorageUnavailable."""
        if refresh_token is None:
            raise SignedOut
        return self.owners.renew(refresh_token)

    def end(self, refresh_token: Secret | None) -> None:
        """Sign out: here in any case, while what could not be revoked is noted and ends by itself."""
        if refresh_token is None:
            return
        try:
            self.owners.revoke(refresh_token)
        except (StorageUnavailable, TooManyTries) as error:
            self.journal.warning("session not revoked", error=error.code, reason=error.for_the_log)

    def forget_password(self, email: str) -> None:
        """Have a code sent to a user, if there is one who can get it: whoever asks learns nothing of that.

        A user who was sent too many is as silent. Raises StorageUnavailable.
        """
        try:
            self.owners.send_code(email)
        except (OwnerSignInRefused, TooManyTries) as error:
            self.journal.info("no code sent", error=error.code)

    def reset_password(self, email: str, code: Secret, password: Secret) -> None:
        """Choose a new password. Raises CodeRefused, PasswordTooWeak, TooManyTries and StorageUnavailable."""
        self.owners.reset_password(email, code, password)
