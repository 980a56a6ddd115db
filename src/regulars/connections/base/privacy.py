"""What connections keep of one person: what shops were told, and what platforms asked in their name."""

from datetime import datetime
from typing import Any

from regulars.connections.base.models import PlatformRequest, Tell
from regulars.foundation.privacy import SubjectData, register


def _export_tells(profile_ids: list[int]) -> list[dict[str, Any]]:
    rows = Tell.objects.filter(profile__in=profile_ids).order_by("pk")
    return list(rows.values("connection_id", "channel", "consent", "occurred_at", "state", "told_at"))


def _erase_tells(profile_ids: list[int], at: datetime) -> int:
    return Tell.objects.filter(profile__in=profile_ids).delete()[0]


def _export_requests(profile_ids: list[int]) -> list[dict[str, Any]]:
    rows = PlatformRequest.objects.filter(profile__in=profile_ids).order_by("pk")
    return list(rows.values("connection_id", "kind", "reference", "asked_at", "due_at", "done_at", "outcome"))


def _erase_requests(profile_ids: list[int], at: datetime) -> int:
    """The shop's number of the person goes; that something was asked and done stays as the proof of it."""
    rows = PlatformRequest.objects.filter(profile__in=profile_ids)
    return sum(PlatformRequest.objects.filter(pk=row.pk).update(reference=f"erased {row.pk}") for row in rows)


register(SubjectData("connections_tell", _export_tells, _erase_tells))
register(
    SubjectData(
        "connections_platformrequest",
        _export_requests,
        _erase_requests,
        "that a platform asked for an erasure or a copy, and when it was done",
    )
)
