"""``python -m infra.local up|down|demo``: what the make targets call."""

import sys
from argparse import ArgumentParser
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from infra.local.demo import run_demo
from infra.local.errors import LocalRunError
from infra.local.up import bring_down, bring_up, tell_addresses, write_outputs
from infra.local.workspace import Workspace


def main() -> int:
    """Do what was asked; 1 with the reason when it did not work."""
    parser = ArgumentParser(description="popfetch on this machine")
    parser.add_argument("action", choices=["up", "down", "demo"])
    action = parser.parse_args().action
    console = Console(highlight=False, emoji=False, markup=False)
    try:
        workspace = Workspace.of_this_clone()
        if action == "down":
            bring_down(workspace.home, console.print)
        elif action == "demo":
            run_demo(workspace, console)
        else:
            outputs = bring_up(workspace, console.print)
            write_outputs(workspace.outputs_file, outputs)
            tell_addresses(outputs, partial(console.print, soft_wrap=True))
    except LocalRunError as error:
        Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(str(error))
        return 1
    except (BotoCoreError, ClientError) as error:
        Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(f"The engine refused: {error}")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
