"""The POP3 protocol without I/O: bytes in, events out; no socket, no clock (RFC 1939, 2449, 2595, 3206, 5034).

A session ends at the first byte that does not fit; nothing here guesses its way on.
"""
