"""The outside, one module each: a table item family, a bucket, a queue, a socket.

Each translates the errors of its library into popfetch's own, once, and knows no service.
"""
