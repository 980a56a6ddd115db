"""What staff decided of properties is carried out, as the loop does it."""

import time
from datetime import datetime

from regulars.foundation.bulk import fetch
from regulars.foundation.work.loops import Stop
from regulars.record.own_events.filling import waiting
from regulars.record.own_events.jobs import keep_in_line

_PATIENCE = 30.0  # seconds


def carry_out(at: datetime) -> None:
    """All of it. Transactions of the server's other databases, which other tests use, may seem to be ours for a moment."""
    until = time.monotonic() + _PATIENCE
    while waiting() and time.monotonic() < until:
        fetch(
            "SELECT pg_stat_clear_snapshot()", []
        )  # one transaction sees the others as they were when it first looked
        if not keep_in_line(Stop(), at):
            time.sleep(0.02)
