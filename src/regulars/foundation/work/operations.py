"""Asking for background jobs, and the progress of long work that people watch: the bell."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.manager import JobManager
from procrastinate.tasks import configure_task

from regulars.foundation.errors import Conflict
from regulars.foundation.work.models import Task

_ENDED = ("done", "failed")


def enqueue(
    job: str, *, lock: str | None = None, once: str | None = None, at: datetime | None = None, **arguments: Any
) -> int | None:
    """Asks for a background job by its name, inside the caller's transaction; arguments are ids and plain values, never personal data.

    Jobs with the same ``lock`` run one after the other. ``once``: None comes back, and nothing is asked for, where a job with this key waits
    already. ``at``: not before. Returns the job's number.
    """
    manager = JobManager(DjangoConnector())  # the caller's own connection, also inside a worker
    deferrer = configure_task(name=job, job_manager=manager, lock=lock, queueing_lock=once, schedule_at=at)
    try:
        with transaction.atomic():  # a savepoint: a refused key must not spoil the caller's transaction
            return deferrer.defer(**arguments)
    except AlreadyEnqueued:
        return None


def start_task(
    kind: str,
    title: str,
    at: datetime,
    *,
    staff_id: int | None = None,
    total: int | None = None,
    unit: str = "rows",
    link: str = "",
) -> int:
    """A row for the bell, in state 'waiting' until its first progress. Its number."""
    return Task.objects.create(
        kind=kind, title=title, created_at=at, staff_id=staff_id, total=total, unit=unit, link=link
    ).pk


def progress(
    task_id: int, at: datetime, *, done: int | None = None, total: int | None = None, sentence: str | None = None
) -> None:
    """How far it is; the first call starts its clock. Raises Conflict for a task that has ended."""
    changes: dict[str, Any] = {"state": "running"}
    changes |= {"done": done} if done is not None else {}
    changes |= {"total": total} if total is not None else {}
    changes |= {"sentence": sentence} if sentence is not None else {}
    running = Task.objects.filter(pk=task_id).exclude(state__in=_ENDED)
    running.filter(started_at__isnull=True).update(started_at=at)
    if not running.update(**changes):
        raise Conflict("This piece of work has ended already")


def finish(task_id: int, at: datetime, sentence: str, *, link: str | None = None) -> None:
    """It has ended well: ``sentence`` says so to a person. A second call changes nothing."""
    _end(task_id, at, "done", sentence, link)


def fail(task_id: int, at: datetime, sentence: str, *, link: str | None = None) -> None:
    """It has ended without its result: ``sentence`` says why and what to do. A second call changes nothing."""
    _end(task_id, at, "failed", sentence, link)


def mark_seen(staff_id: int, at: datetime) -> int:
    """A member of staff has opened the bell: what ended before counts as seen. Returns how many."""
    return Task.objects.filter(staff_id=staff_id, state__in=_ENDED, seen_at__isnull=True).update(seen_at=at)


def _end(task_id: int, at: datetime, state: str, sentence: str, link: str | None) -> None:
    changes: dict[str, Any] = {"state": state, "sentence": sentence, "ended_at": at} | (
        {"link": link} if link is not None else {}
    )
    if state == "done":
        changes["total"] = F("done")
    Task.objects.filter(pk=task_id).exclude(state__in=_ENDED).update(**changes)
