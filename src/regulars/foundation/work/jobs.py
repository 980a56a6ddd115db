"""Coarse background jobs (import, compaction, reconcile): Procrastinate's, idempotent, with ids as arguments.

A module registers its own with ``@jobs.task(name="imports.apply")`` in its ``jobs.py`` and asks for one with ``operations.enqueue``.
"""

from datetime import datetime

from asgiref.sync import async_to_sync
from procrastinate.contrib.django import app as jobs
from procrastinate.jobs import Status

from regulars.foundation.work.loops import LOOPS, Loop, Stop

__all__ = ["jobs"]

STALLED_SECONDS = 30.0  # without a heartbeat of its worker
_MOST_ATTEMPTS = 3  # a job that killed its worker so often is not tried again


def rescue_stalled_jobs(stop: Stop, at: datetime) -> bool:
    """Takes up jobs whose worker was killed; those that have killed three end as failed."""
    return async_to_sync(_rescue)()


async def _rescue() -> bool:
    manager = jobs.job_manager
    stalled = list(await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS))
    for job in stalled:
        if job.attempts + 1 >= _MOST_ATTEMPTS:
            await manager.finish_job(job, status=Status.FAILED, delete_job=False)
        else:
            await manager.retry_job(job)
    return False


LOOPS.register(
    "work.rescue",
    Loop(rescue_stalled_jobs, "Takes up background jobs whose worker was killed", idle_seconds=10, is_exclusive=True),
)
