"""What can be asked of the log's readers."""

from dataclasses import dataclass

from django.db.models import Count, Min

from regulars.record.events.models import ParkedEvent


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
