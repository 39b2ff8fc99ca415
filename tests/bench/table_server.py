"""moto as a server whose transactions cost what they write, not what the table holds.

moto copies all of a table before each transaction, so that it can put it back when one fails; after some thousands of
messages that is all it does. Here it keeps no copy: a transaction that is refused may be half done, which no benchmark
comes upon, as each account has one cycle at a time.

Run as ``python -m tests.bench.table_server``: prints its port and serves until its input ends.
"""

from moto.dynamodb.models.table import Table

from tests.real.moto_process import serve


def main() -> None:
    """Serve until standard input ends."""
    Table.__deepcopy__ = lambda table, _: table  # type: ignore[attr-defined]
    serve()


if __name__ == "__main__":
    main()
