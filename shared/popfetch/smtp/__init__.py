"""The SMTP protocol as a client that submits mail needs it, without I/O (RFC 4954, 5321, 6409, 2034, 3463, 5248).

``replies`` is what a server said, ``classification`` names what went wrong, ``sign_in`` chooses the proofs of
identity, ``limits`` says how much is too much. The octets themselves are read and written by a library, in the
adapters.
"""
