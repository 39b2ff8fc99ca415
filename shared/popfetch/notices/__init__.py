"""What popfetch writes to people: pure functions from what happened to a mail or a page, with no service behind them.

One module a language holds the words and nothing else; how words become text and HTML is in ``letter``, ``page`` and
``document``, the same for all of them. Names, addresses and servers' answers come from strangers: they go through
``foreign`` or ``quoted``.
"""
