"""Reads the log for entries into workflows that are on."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from regulars.record.customers.events import MERGED, SPLIT
from regulars.record.events.readers import Reader, Recorded
from regulars.workflows.models import Workflow
from regulars.workflows.runs.deciding import definition_of
from regulars.workflows.runs.following import follow_map
from regulars.workflows.runs.starting import start_runs
from regulars.workflows.triggers import TRIGGERS


def start_from(events: Sequence[Recorded], at: datetime) -> None:
    """Begins the runs that these events call for; imported history calls for none."""
    for workflow in Workflow.objects.filter(is_on=True, live__isnull=False).order_by("id"):
        settings = definition_of(workflow.live_id or 0).trigger
        trigger = TRIGGERS[settings["kind"]]
        wanted = [e for e in events if e.kind in trigger.events]
        start_runs(workflow, trigger.arrivals(settings, wanted), at)


ENTRIES = Reader(
    "workflows.entries", frozenset(kind for _, trigger in TRIGGERS.items() for kind in trigger.events), start_from
)


def follow_merges(events: Sequence[Recorded], at: datetime) -> None:
    """Runs follow their profiles to the customers that these belong to now."""
    joined, parted = (_customers(e for e in events if e.kind == kind) for kind in (MERGED, SPLIT))
    follow_map(joined | parted, parted, at)


def _customers(events: Iterable[Recorded]) -> set[int]:
    return {c for e in events for c in (e.data["kept"], *e.data.get("gone", []), *e.data.get("new", []))}


MERGES = Reader("workflows.merges", frozenset({MERGED, SPLIT}), follow_merges)
