"""What a process keeps of its wiring, ended and forgotten: each test wires anew, to a stack of its own."""

import inspect
import pkgutil
from importlib import import_module

from popfetch import runtime
from popfetch.runtime.event_loop import event_loop


def forget_wiring() -> None:
    """Forget every piece that the runtime has built, and end its event loop."""
    if event_loop.cache_info().currsize:
        event_loop().close()
    for module in pkgutil.iter_modules(runtime.__path__, f"{runtime.__name__}."):
        for _, found in inspect.getmembers(import_module(module.name), lambda member: hasattr(member, "cache_clear")):
            found.cache_clear()
