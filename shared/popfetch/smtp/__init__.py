"""The SMTP protocol as a client that submits mail needs it, without I/O.

RFC 5321 and 6409, with RFC 1870, 2034, 3463, 4954, 5248 and 6531.

``replies`` is what a server said, ``classification`` names what went wrong, ``sign_in`` chooses the proofs of
identity, ``commands`` are those that tell of a message, ``content`` is the message as it goes over the line, ``limits``
says how much is too much. The octets themselves are read and written by a library, in the adapters.
"""
