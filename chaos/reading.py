"""What a worker does that reads what came in, until something ends the process."""

import os
import threading
from datetime import datetime

from django.conf import settings

from regulars.connections.tracking import jobs
from regulars.foundation.inbox import reading
from regulars.foundation.work.loops import Loop, Stop, drive

LEASE_SECONDS = 1.5  # so that whoever is killed is followed soon
assert jobs.KIND  # noqa: S101  its import registers the parser


def work(crash_at: str, began: float) -> None:
    """``crash_at`` is the point at which this process dies or stops; empty: none. Ends with the process that forked it."""
    settings.CRASH_AT = crash_at
    reading.LEASE_SECONDS = LEASE_SECONDS
    parent, stopping = os.getppid(), threading.Event()

    def read(stop: Stop, at: datetime) -> bool:
        if os.getppid() != parent:
            stopping.set()
        return reading.read_waiting(stop, at)

    drive("chaos", Loop(read, "reading", idle_seconds=0.02), f"chaos:{os.getpid()}", stopping)
