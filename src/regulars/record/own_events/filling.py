"""What was recorded before a decision of staff is brought in line with it, a stretch of the log at a time.

Whoever records asks for the declarations in its transaction (``queries.declared_of``), so only transactions that were on their way at the
decision may not know of it. Once all of those have ended, the log's head is the place up to which there is something to do; a kill loses
one stretch.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import transaction

from regulars.foundation.bulk import execute, fetch
from regulars.foundation.retrying import retried
from regulars.foundation.sealing import CannotOpen, unseal
from regulars.foundation.vault import keys
from regulars.foundation.work.loops import Stop
from regulars.record.events.log import head
from regulars.record.events.recorded import cell_of
from regulars.record.own_events.models import DeclaredProperty
from regulars.record.own_events.rules import OWN_KINDS, fitted

STRETCH = 20_000  # positions in one transaction

_NEXT_TRANSACTION = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
# A snapshot names transactions of all databases of the server.
_OLDER = """
SELECT EXISTS (
    SELECT FROM pg_snapshot_xip(pg_current_snapshot()) x WHERE x < %s::text::xid8
    AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.backend_xid = x::xid AND a.datname <> current_database())
)
"""


def waiting() -> DeclaredProperty | None:
    """The oldest decision that is not carried out yet; withdrawals first."""
    rows = DeclaredProperty.objects.filter(gone_at=None).order_by("pk")
    return rows.exclude(withdrawn_at=None).first() or rows.filter(ready_at=None).first()


@retried
def work_on(declared: DeclaredProperty, stop: Stop, at: datetime) -> bool:
    """One stretch more; at the end of the last one the property is ready, or gone. Whether it got on."""
    with transaction.atomic():
        stop.check_fence()
        row = DeclaredProperty.objects.select_for_update().get(pk=declared.pk)
        if row.upto is None:
            _settle(row)
        upto = min(row.position + STRETCH, head() if row.upto is None else row.upto)
        (_take_away if row.withdrawn_at else _fill)(row, upto)
        has_moved, row.position = upto > row.position, max(row.position, upto)
        is_done = row.upto is not None and row.position >= row.upto
        if is_done:
            setattr(row, "gone_at" if row.withdrawn_at else "ready_at", at)
        row.save(update_fields=["position", "upto", "transactions", "ready_at", "gone_at"])
    return has_moved or is_done


def _settle(row: DeclaredProperty) -> None:
    """Finds out up to where there is something to do, as soon as nobody can add to it who does not know of the decision."""
    if row.transactions is None:
        row.transactions = fetch(_NEXT_TRANSACTION, [])[0][0]
    if not fetch(_OLDER, [str(row.transactions)])[0][0]:
        row.upto = head()


_OWN = """
SELECT position, recorded_at, profile_id, kind, data -> 'properties', sealed FROM events_event
WHERE position > %s AND position <= %s AND kind = ANY(%s) AND data ->> 'name' = %s AND profile_id IS NOT NULL
ORDER BY position FOR UPDATE
"""
_SET = """
UPDATE events_event e SET data = jsonb_set(e.data, '{declared}', coalesce(e.data -> 'declared', '{}') || v.said)
FROM unnest(%s::bigint[], %s::timestamptz[], %s::jsonb[]) AS v(position, recorded_at, said)
WHERE e.position = v.position AND e.recorded_at = v.recorded_at
"""
_REMOVE = """
UPDATE events_event SET data = data #- ARRAY['declared', %s]
WHERE position > %s AND position <= %s AND kind = ANY(%s) AND data -> 'declared' ? %s
"""


def _fill(row: DeclaredProperty, upto: int) -> None:
    """The rows are locked before they are read: who is erased meanwhile has either gone from them, or is erased from what is written."""
    events = fetch(_OWN, [row.position, upto, list(OWN_KINDS), row.event])
    said = [
        (position, recorded_at, value) for position, recorded_at, value in _values(row, events) if value is not None
    ]
    if said:
        positions, moments, values = zip(*said, strict=True)
        told = [json.dumps({str(row.pk): value}) for value in values]
        execute(_SET, [list(positions), list(moments), told])


def _values(row: DeclaredProperty, events: Sequence[Any]) -> list[tuple[int, datetime, Any]]:
    type_ = row.plain.type
    plain = keys.find_keys({profile for _, _, profile, _, _, sealed in events if sealed is not None})
    found = []
    for position, recorded_at, profile, kind, clear, sealed in events:
        said = _read(clear or "{}")
        if row.name not in said and sealed is not None and profile in plain:
            said = _opened(kind, bytes(sealed), plain[profile], profile)
        found.append((position, recorded_at, fitted(said.get(row.name), type_)))
    return found


def _opened(kind: str, sealed: bytes, key: bytes, profile: int) -> dict[str, Any]:
    """The properties among what is sealed: a tracker's event holds all of the call there. Nothing of what cannot be opened."""
    try:
        said = _read(unseal(key, sealed, cell_of(profile)))
    except CannotOpen:
        return {}
    rest = said.get("rest", {}) if kind == OWN_KINDS[0] else said
    return rest if isinstance(rest, dict) else {}


_read = partial(json.loads, parse_float=Decimal)  # a fraction as it was told


def _take_away(row: DeclaredProperty, upto: int) -> None:
    execute(_REMOVE, [str(row.pk), row.position, upto, list(OWN_KINDS), str(row.pk)])
