"""The operator's own autoconfig file, which is shipped with popfetch or lies beside it: fulfils ``AutoconfigFiles``."""

import asyncio
from pathlib import Path

from popfetch.adapters.autoconfig_file import read_own_autoconfig
from popfetch.domain.errors import LookupFailed
from popfetch.domain.mail_settings import MailAddress
from popfetch.ports.settings_lookup import Autoconfig


class OwnAutoconfigFile:
    """The file at ``path``, read anew for each address, so that a change counts at once."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    async def read(self, address: MailAddress) -> Autoconfig:
        """What the file says for an address. Raises LookupFailed where it says nothing, or cannot be read."""
        try:
            content = await asyncio.to_thread(self._path.read_bytes)
        except OSError as error:
            raise LookupFailed(
                f"The operator's autoconfig file {self._path} cannot be read: {type(error).__name__}."
            ) from error
        return read_own_autoconfig(content, address)
