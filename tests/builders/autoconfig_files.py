"""Autoconfig files as domains publish them, one server a call."""


def a_server(
    kind: str = "pop3",
    host: str = "pop.example.com",
    port: str = "995",
    security: str = "SSL",
    username: str = "%EMAILADDRESS%",
    more: str = "<authentication>password-cleartext</authentication>",
) -> str:
    element = "outgoingServer" if kind == "smtp" else "incomingServer"
    return (
        f'<{element} type="{kind}"><hostname>{host}</hostname><port>{port}</port>'
        f"<socketType>{security}</socketType><username>{username}</username>{more}</{element}>"
    )


def a_file(*servers: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><clientConfig version="1.1"><emailProvider id="example.com">'
        f"<domain>example.com</domain><displayName>Example</displayName>{''.join(servers)}"
        "</emailProvider></clientConfig>"
    ).encode()
