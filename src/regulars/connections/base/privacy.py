"""What connections keep of one person: what shops were told, and what platforms asked in their name."""

from datetime import datetime
from typing import Any

from regulars.connections.base.models import PlatformRequest, Tell
from regulars.foundation.privacy import SubjectData, register
from regulars.foundation.subjects import exported


def _export_tells(profile_ids: list[int]) -> list[dict[str, Any]]:
    return exported(Tell.objects.filter(profile__in=profile_ids).order_by("pk"))


def _erase_tells(profile_ids: list[int], at: datetime) -> int:
    return Tell.objects.filter(profile__in=profile_ids).delete()[0]


def _export_requests(profile_ids: list[int]) -> list[dict[str, Any]]:
    return exported(PlatformRequest.objects.filter(profile__in=profile_ids).order_by("pk"))


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
