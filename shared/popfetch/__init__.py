"""popfetch: collects mail from POP3 mailboxes into one's own AWS account.

Data flows one way: ``functions -> runtime -> (services | adapters) -> ports -> (domain | pop3)``.
Services and adapters never meet; only ``runtime.wiring`` knows both.
"""
