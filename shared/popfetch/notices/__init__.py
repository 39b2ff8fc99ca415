"""What popfetch writes to owners: pure functions from what happened to a mail, with no service behind them.

One module a language holds the words and nothing else; how words become text and HTML is in ``letter``, the same for
all of them. Names, addresses and servers' answers come from strangers: they go through ``foreign`` or ``quoted``.
"""
