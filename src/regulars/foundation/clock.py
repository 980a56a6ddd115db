"""Time is an argument. Only the edges (a view, a loop, a command) ask this module what time it is."""

from datetime import UTC, datetime


def now() -> datetime:
    """Present moment in UTC; for edges only, never in ``rules``, ``operations`` or ``queries``."""
    return datetime.now(UTC)
