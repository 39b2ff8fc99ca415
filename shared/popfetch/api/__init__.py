"""The HTTP API's edge: what comes in is checked here, what goes out is shaped here, errors become answers here.

The models turn JSON into the commands of services and records into JSON; no rule of the domain is decided here,
and no secret leaves through here.
"""
