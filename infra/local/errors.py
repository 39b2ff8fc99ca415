"""What can go wrong on this machine, in words for the person at the terminal."""


class LocalRunError(Exception):
    """The local run cannot go on; the message says why and what to do."""
