"""The stack on this machine: the embedded engine, the deployed template, an owner, a demo mailbox.

Everything it makes lies below ``.local/`` of this clone, and it ends only processes that it started itself. It
deploys ``template.yaml`` with ``sam``, unchanged, and from there on uses only what any client could: the API with an
owner's token, and AWS's own interfaces at the engine's address.
"""
