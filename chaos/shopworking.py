"""What a worker does for a connected shop, in turn, until something ends the process: reads what came in, goes on with pulls."""

import os
import threading
from datetime import datetime

from django.conf import settings
from django.db import connection

from regulars.connections.base import jobs  # the parser of what shops tell
from regulars.connections.base.accounts import client_of
from regulars.connections.base.models import Connection, Pull, PullState
from regulars.connections.base.operations import pulling
from regulars.foundation import clock
from regulars.foundation.inbox import reading
from regulars.foundation.work.loops import Loop, Stop, drive

_PULLING = 0x5055_4C4C  # 'PULL': of two workers one pulls at a time, as a job's lock has it
TURN_SECONDS = 0.5


def work(crash_at: str, began: float) -> None:
    """``crash_at`` is the point at which this process dies; empty: none. Ends with the process that forked it."""
    settings.CRASH_AT = crash_at
    pulling.TURN_SECONDS, reading.LEASE_SECONDS = TURN_SECONDS, 1.5
    owner, parent, stopping = f"chaos:{os.getpid()}", os.getppid(), threading.Event()

    def take_turns(stop: Stop, at: datetime) -> bool:
        if os.getppid() != parent:
            stopping.set()
        _pull()
        return reading.read_waiting(stop, clock.now())

    drive("chaos", Loop(take_turns, jobs.__doc__ or "", idle_seconds=0.05), owner, stopping)


def _pull() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_PULLING])
        if not cursor.fetchone()[0]:
            return
    try:
        for row in Connection.objects.all():
            client_of(row.platform, row.address).sleep = lambda seconds: None
        for pull in Pull.objects.exclude(state__in=(PullState.DONE, PullState.FAILED)).order_by("pk"):
            pulling.pull_on(pull.pk, clock.now)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_PULLING])
