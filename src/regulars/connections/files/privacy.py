"""Rows of files that were skipped or altered may speak of a person who is in the record: they go with them."""

import json
from datetime import datetime
from typing import Any

from regulars.connections.files.models import Import, RejectedRows
from regulars.foundation.privacy import SubjectData, register
from regulars.foundation.sealing import Cell, KeyRing, seal, unseal
from regulars.foundation.vault.keys import key_ring
from regulars.foundation.vault.rotation import WRAPPED
from regulars.record.customers.queries import customers_of, read_identities

Line = list[Any]


def _needles(profile_ids: list[int]) -> set[str]:
    """Identifiers of the person, as a file would spell them."""
    known = [identity for customer in set(customers_of(profile_ids).values()) for identity in read_identities(customer)]
    return {identity.value.lower() for identity in known if len(identity.value) > 2}


def _speaks_of(line: Line, needles: set[str]) -> bool:
    cells = [str(cell).strip().lower() for cell in line[-1]]
    return any(cell in needles or any("@" in needle and needle in cell for needle in needles) for cell in cells)


def _cell(rows: RejectedRows) -> Cell:
    return Cell("files_rejectedrows", str(rows.source.uid), rows.first_unit)


def _opened(rows: RejectedRows) -> tuple[bytes, list[Line]]:
    key = key_ring().unwrap(rows.source.master_id, bytes(rows.source.wrapped_key), rows.source.pk)
    lines: list[Line] = json.loads(unseal(key, bytes(rows.lines), _cell(rows)))
    return key, lines


def _export(profile_ids: list[int]) -> list[dict[str, Any]]:
    needles = _needles(profile_ids)
    found = []
    for rows in RejectedRows.objects.select_related("source").order_by("pk").iterator():
        _, lines = _opened(rows)
        found += [{"import": rows.source.pk, "line": line} for line in lines if _speaks_of(line, needles)]
    return found


def _erase(profile_ids: list[int], at: datetime) -> int:
    needles, count = _needles(profile_ids), 0
    for rows in RejectedRows.objects.select_related("source").order_by("pk").iterator():
        key, lines = _opened(rows)
        kept = [[*line[:-1], []] if _speaks_of(line, needles) else line for line in lines]
        if kept != lines:
            count += 1
            rows.lines = seal(key, json.dumps(kept).encode(), _cell(rows))
            rows.save(update_fields=["lines"])
    return count


def _rewrap(ring: KeyRing) -> int:
    """The keys of staged copies and reject files, under the first master key."""
    rows = Import.objects.exclude(master_id=ring.current_id)
    for row in rows:
        plain = ring.unwrap(row.master_id, bytes(row.wrapped_key), row.pk)
        row.master_id, row.wrapped_key = ring.wrap(plain, row.pk)
        row.save(update_fields=["master_id", "wrapped_key"])
    return len(rows)


WRAPPED.register("files", _rewrap)
register(SubjectData("files_rejectedrows", _export, _erase, "line numbers and reasons, without what stood in the line"))
