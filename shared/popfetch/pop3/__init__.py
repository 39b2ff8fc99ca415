"""The POP3 protocol without I/O: bytes in, events out; no socket, no clock (RFC 1939, 2449, 2595, 3206, 5034).

A session ends at the first byte that does not fit; nothing here guesses its way on. ``commands`` are what goes out,
``session`` turns what comes in into ``events``, ``replies`` reads their text, ``sasl`` and ``sign_in`` choose and
compute the proofs of identity, ``classification`` names what went wrong, ``limits`` says how much is too much.
"""
