"""Long work, background jobs and leases, for Prometheus."""

from collections.abc import Iterable

from django.db import connection
from django.db.models import Count
from procrastinate.contrib.django.models import ProcrastinateJob

from regulars.foundation.health.metrics import GAUGES, Gauge
from regulars.foundation.work.models import Task

Rows = Iterable[tuple[tuple[str, ...], float]]


def _tasks() -> Rows:
    return [((state,), n) for state, n in Task.objects.values_list("state").annotate(Count("id"))]


def _jobs() -> Rows:
    return [((state,), n) for state, n in ProcrastinateJob.objects.values_list("status").annotate(Count("id"))]


def _leases() -> Rows:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, until > clock_timestamp() FROM work_lease")
        return [((name,), float(is_held)) for name, is_held in cursor.fetchall()]


GAUGES.register("tasks", Gauge("Pieces of long work that people watch, by state", _tasks, ("state",)))
GAUGES.register("jobs", Gauge("Background jobs, by state", _jobs, ("state",)))
GAUGES.register("loop_is_driven", Gauge("1 while a worker holds the lease of an exclusive loop", _leases, ("loop",)))
