"""What the log holds of a person: events stay as bare numbers, what was sealed in them goes."""

from datetime import datetime
from typing import Any

from django.db import connection

from regulars.foundation.privacy import SubjectData, keep, register
from regulars.foundation.sealing import Cell
from regulars.foundation.subjects import exported
from regulars.record.events.models import Event, ParkedEvent


def _cell(row: Event, column: str) -> Cell:
    """An event's sealed part is bound to its profile: its position is drawn only after it was sealed."""
    return Cell("events_event", column, row.profile_id or 0)


def _export_events(profile_ids: list[int]) -> list[dict[str, Any]]:
    return exported(Event.objects.filter(profile_id__in=profile_ids).order_by("position"), place=_cell)


def _erase_events(profile_ids: list[int], at: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE events_event SET sealed = NULL, data = data - '{properties,clear,declared}'::text[]"
            " WHERE profile_id = ANY(%s) AND (sealed IS NOT NULL OR data ?| '{properties,clear,declared}'::text[])",
            [profile_ids],
        )
        return int(cursor.rowcount)


register(SubjectData("events_event", _export_events, _erase_events, "that something happened, when, with bare numbers"))
register(
    SubjectData(
        "events_parkedevent",
        lambda ids: exported(ParkedEvent.objects.filter(profile_id__in=ids)),
        keep,
        "positions of the log and the kind of error",
    )
)
