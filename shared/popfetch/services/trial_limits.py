"""How often an owner may have sign-ins tried, so that popfetch guesses nobody's password and probes nobody's hosts.

A new way in counts whether it is tried at once or by the next fetch. The owner's limit goes first; that of a mailbox is
the owner's too, so that nobody keeps another from theirs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from popfetch.domain.errors import TooManySignIns
from popfetch.domain.rate_limit import Limit
from popfetch.ports.invocation import Clock
from popfetch.ports.rate_limits import RateLimits
from popfetch.services.sign_in_trial import SignInTrial

BY_OWNER = "SIGN_IN_OWNER"
BY_MAILBOX = "SIGN_IN_MAILBOX"
"""What is counted: the sign-ins that an owner has tried, and those at one mailbox."""

TRIALS_OF_OWNER = Limit(120, within=timedelta(minutes=10))
"""More than it takes to add as many accounts as an owner can have."""

TRIALS_AT_MAILBOX = Limit(10, within=timedelta(minutes=15))
"""At a host and port, under one user name: as many as it takes to find the right settings."""


@dataclass(frozen=True, slots=True)
class TrialLimits:
    """Counts an owner's trials against both limits."""

    limits: RateLimits
    clock: Clock

    def count(self, owner_id: str, trials: Sequence[SignInTrial]) -> None:
        """Count sign-ins that an owner wants to be tried. Raises TooManySignIns, and StorageUnavailable."""
        now = self.clock()
        for trial in trials:
            if wait := self.limits.take(BY_OWNER, owner_id, TRIALS_OF_OWNER, now):
                raise TooManySignIns("You have had sign-ins tried too often", wait)
            server = trial.server
            mailbox = "\0".join((owner_id, server.host, str(server.port), server.username.casefold()))
            if wait := self.limits.take(BY_MAILBOX, mailbox, TRIALS_AT_MAILBOX, now):
                raise TooManySignIns(f"The sign-in at {server.host} was tried too often", wait)
