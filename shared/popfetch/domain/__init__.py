"""The rules of collecting mail, as plain data and pure functions.

Nothing here opens a socket, reads a clock or knows of AWS, pydantic or the POP3 wire: time, identity and
whatever else comes from outside is a parameter. What is true of an account, a wheel slot, a ledger or a cycle
is decided here and nowhere else.
"""
