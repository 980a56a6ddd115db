"""What can be asked about imports."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from django.db.models import QuerySet

from regulars.connections.files.models import Import, RejectedRows
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.bulk import fetch
from regulars.foundation.errors import NotFound
from regulars.foundation.ids import from_public
from regulars.foundation.sealing import Cell, unseal
from regulars.foundation.vault.keys import key_ring

_UNMATCHED = """
SELECT DISTINCT r.id FROM orders_refund r JOIN orders_refundline rl ON rl.refund_id = r.id
WHERE rl.line_id IS NULL AND r.profile_id IS NOT NULL AND r.id > %s
  AND r.batch_id IN (SELECT id FROM events_batch WHERE source = 'import' AND reference = %s)
ORDER BY r.id LIMIT 500
"""


def unmatched_refunds(reference: str) -> Iterator[list[int]]:
    """Refunds that an import brought and whose lines match no order line yet; ids in slices of 500."""
    last = 0
    while ids := [row for (row,) in fetch(_UNMATCHED, [last, reference])]:
        yield ids
        last = ids[-1]


@dataclass(frozen=True)
class Reject:
    """A row that was skipped or altered, with its line in the file and the reason."""

    line: int
    outcome: str
    reason: str
    cells: list[str]


def list_rejects(row: Import) -> Iterator[Reject]:
    """Rows of the reject file in the order in which they were met, opened batch by batch."""
    key = key_ring().unwrap(row.master_id, bytes(row.wrapped_key), row.pk)
    for batch in RejectedRows.objects.filter(source=row).order_by("first_unit").iterator(chunk_size=10):
        plain = unseal(key, bytes(batch.lines), Cell("files_rejectedrows", str(row.uid), batch.first_unit))
        yield from (Reject(*entry) for entry in json.loads(plain))


def list_imports(
    viewer: Viewer, text: str = "", kinds: Sequence[str] = (), states: Sequence[str] = ()
) -> QuerySet[Import]:
    """Imports of the viewer's stores, newest first."""
    rows = Import.objects.select_related("store").order_by("-created_at", "-id")
    if viewer.store_ids is not None:
        rows = rows.filter(store__in=viewer.store_ids)
    rows = rows.filter(file_name__icontains=text) if text else rows
    rows = rows.filter(kind__in=kinds) if kinds else rows
    return rows.filter(state__in=states) if states else rows


def get_import(public_id: str, viewer: Viewer) -> Import:
    """Raises NotFound, also for an import of a store that the viewer does not see."""
    row = list_imports(viewer).select_related("store", "task").filter(uid=from_public(Import.PREFIX, public_id)).first()
    if row is None:
        raise NotFound(f"There is no import {public_id}")
    return row


def reject_table(row: Import, count: int) -> list[Reject]:
    """The first rows of the reject file."""
    return list(islice(list_rejects(row), count))
