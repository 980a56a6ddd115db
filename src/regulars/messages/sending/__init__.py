"""The ledger's way from planned to sent, in five short transactions with nothing slow inside any of them.

``claiming`` leases due messages, ``marking`` checks everything and commits 'sending', ``channels.mail`` hands over outside of any
transaction, ``recording`` writes what came of it, ``recovering`` clears up after a process that died; ``driving`` is the loop's one call.
"""
