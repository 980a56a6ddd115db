"""What can be asked of the log's readers."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Min, QuerySet

from regulars.record.events.models import Event, ParkedEvent


@dataclass(frozen=True)
class Parked:
    """Events of one profile that wait for one reader, with the reason of the first."""

    reader: str
    profile_id: int | None
    count: int
    reason: str


def list_parked() -> list[Parked]:
    """What is parked, by reader and profile, oldest first."""
    groups = (
        ParkedEvent.objects.filter(replayed_at__isnull=True)
        .values("reader", "profile_id")
        .annotate(count=Count("id"), first=Min("id"))
        .order_by("first")
    )
    reasons = dict(ParkedEvent.objects.filter(id__in=[g["first"] for g in groups]).values_list("id", "reason"))
    return [Parked(g["reader"], g["profile_id"], g["count"], reasons[g["first"]]) for g in groups]


def parked_matching(readers: Collection[str] = (), profile_ids: Any = None) -> QuerySet[ParkedEvent]:
    """What is parked; of these readers and profiles (ids, or a query set of them) where they are given."""
    rows = ParkedEvent.objects.filter(replayed_at=None)
    rows = rows.filter(reader__in=readers) if readers else rows
    return rows if profile_ids is None else rows.filter(profile_id__in=profile_ids)


def events_at(positions: Collection[int]) -> dict[int, Event]:
    """By position; those whose month was dropped are not there any more."""
    return {event.position: event for event in Event.objects.filter(position__in=positions)}
