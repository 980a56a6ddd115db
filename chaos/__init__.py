"""Proof by force: two real workers, a real PostgreSQL and a real mail server; the workers are killed at random and at every named point.

``python -m chaos`` (``make chaos``) runs the long form and prints a table; ``tests/test_chaos.py`` runs a short one. What must hold stands
in ``verdict``. The seed is printed, and the same seed kills in the same order.
"""
