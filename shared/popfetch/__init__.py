"""popfetch: collects mail from POP3 mailboxes into one's own AWS account.

Data flows one way: ``functions -> runtime -> (services | adapters) -> ports -> (domain | pop3)``.
Services and adapters never meet; only ``runtime.wiring`` knows both.
"""

import gc
import os

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    # A tenth of a cold start would go by in looking for garbage, of which imports make none. What a handler's module
    # does last of its imports turns the collector on again: ``runtime.observability.new_journal``.
    gc.disable()
