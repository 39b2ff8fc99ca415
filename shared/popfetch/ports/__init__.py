"""What services need of the outside, as small Protocols, in a room for each outside.

Adapters fulfil them, services call them, and neither knows the other. Ports of the fetch cycle are asynchronous,
because many cycles run side by side; those of the API and of dispatch are plain calls. Every port raises only
``PopfetchError`` leaves, or ``popfetch.pop3.errors.Pop3Error`` leaves where a POP3 server is behind it, or
``popfetch.smtp.errors.SmtpError`` leaves where a submission server is.
"""
