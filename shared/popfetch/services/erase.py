"""Erasing what a removed account leaves behind."""

from datetime import datetime

from popfetch.ports import AccountRemains


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
