"""What conversations with mail servers have in common, whatever the protocol; no I/O.

``sasl`` computes proofs of identity, ``bearer`` says what may become of an access token, ``texts`` makes a server's
words fit to be quoted. Nothing here knows a protocol, an error of popfetch or anything else of it: the protocols stand
on this room, never the other way.
"""
