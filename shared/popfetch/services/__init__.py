"""The verbs of popfetch: each service is a call over domain rules and ports, and knows no adapter."""
