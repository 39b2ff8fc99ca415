"""The rules of collecting and sending mail, as plain data and pure functions.

Nothing here opens a socket, reads a clock or knows of AWS, pydantic or the POP3 wire: time, identity and
whatever else comes from outside is a parameter. What is true of an account, a wheel slot, a ledger, a cycle or a mail
is decided here and nowhere else.
"""
