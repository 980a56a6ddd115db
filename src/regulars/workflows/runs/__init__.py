"""The shell around the engine: takes due runs, reads the facts that they ask for, writes what the engine decided.

``claiming`` hands out leases with fences, ``deciding`` reads facts set-wise and calls the engine, ``writing`` puts state, trace and effects
down in one transaction; ``driving`` is the loop's one call, ``starting`` begins runs.
"""
