"""Runs one command and tells what it took: ``python -I -S launch.py RESULT COMMAND ...``.

What it took is what the kernel says when it has ended, its children with it. As a process begins with the memory of
the one that started it in its account, this one imports next to nothing: no peak below its own 9 MB can be seen.
"""

import os
import sys
import time


def main() -> None:
    """Run the command; write wall seconds, processor seconds, peak octets and exit status on one line."""
    result, *command = sys.argv[1:]
    start = time.monotonic()
    process = os.posix_spawnp(command[0], command, os.environ)
    _, status, used = os.wait4(process, 0)
    seconds = time.monotonic() - start
    with open(result, "w") as file:  # noqa: PTH123 - pathlib would be the largest thing in this process
        file.write(f"{seconds} {used.ru_utime + used.ru_stime} {used.ru_maxrss * 1024} {status}")


main()
