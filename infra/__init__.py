"""What surrounds the stack: the local run, the locks, the set-up of machines. Nothing here ships to AWS.

Code here may import ``popfetch``; nothing in ``shared`` or ``functions`` may import from here.
"""
