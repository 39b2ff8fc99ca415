"""Erasing what a removed account leaves behind."""

from datetime import datetime

from popfetch.domain.errors import PopfetchError
from popfetch.ports.accounts import AccountRemains


class ErasureUnfinished(PopfetchError):
    """Time ran out before everything was erased; the next try goes on from there."""

    code = "erasure_unfinished"
    retryable = True

    def __init__(self, account_id: str) -> None:
        super().__init__(f"Account {account_id} is not wholly erased yet; the next try goes on from there.")


def erase_account(
    remains: AccountRemains, owner_id: str, account_id: str, *, erase_mail: bool, until: datetime
) -> bool:
    """Erase the records of a removed account, and its mail where that was asked for.

    Records go last: the index still says which mail there is while some is left. ``False`` when ``until``
    came first; erasing again goes on from there.
    """
    if erase_mail and not remains.erase_mail(owner_id, account_id, until):
        return False
    return remains.erase_records(account_id, until)
