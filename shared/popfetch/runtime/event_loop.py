"""The event loop that a function of the API runs its conversations with other servers on."""

import asyncio
from functools import cache


@cache
def event_loop() -> asyncio.Runner:
    """The process's event loop, made on first use.

    It is never closed: at the end of ``asyncio.run`` a host whose addresses are still being looked up, in a thread
    that cannot be interrupted, would hold the answer back for as long as the system's resolver goes on trying.
    """
    return asyncio.Runner()
