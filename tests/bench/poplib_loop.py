"""What anybody would write with Python's own poplib: ``python poplib_loop.py HOST PORT USER CA_FILE FILE``.

The password is in ``POP3_PASSWORD``; messages go into one file. A script of the standard library alone.
"""

import os
import poplib
import ssl
import sys
from pathlib import Path


def main() -> None:
    """Take a mailbox."""
    host, port, user, ca_file, mbox = sys.argv[1:]
    session = poplib.POP3_SSL(host, int(port), context=ssl.create_default_context(cafile=ca_file))
    session.user(user)
    session.pass_(os.environ["POP3_PASSWORD"])
    count, _ = session.stat()
    with Path(mbox).open("wb") as file:
        for number in range(1, count + 1):
            _, lines, _ = session.retr(number)
            file.write(b"From poplib Thu Jan  1 00:00:00 1970\n" + b"\n".join(lines) + b"\n\n")
    session.quit()


main()
