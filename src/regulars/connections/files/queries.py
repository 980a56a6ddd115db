"""What can be asked about imports."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db.models import QuerySet

from regulars.connections.files.models import Import, ImportState, RejectedRows
from regulars.connections.files.sealed import key_of, lines_of, name_of
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.bulk import fetch
from regulars.foundation.errors import NotFound
from regulars.foundation.ids import from_public

_OF_LISTS = "list"  # they have pages of their own
_SILENT = timedelta(minutes=2)  # no batch lasts so long
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
    key = key_of(row)
    batches = RejectedRows.objects.filter(source=row).select_related("source").order_by("first_unit")
    for batch in batches.iterator(chunk_size=10):
        yield from (Reject(*entry) for entry in lines_of(batch, key))  # type: ignore[arg-type]


def reject_rows(row: Import) -> tuple[list[str], Iterator[list[Any]]]:
    """The reject file: its header, and line number, what became of the row, why, and the row's cells."""
    header = ["line", "outcome", "reason", *row.format.get("headers", [])]
    return header, ([reject.line, reject.outcome, reject.reason, *reject.cells] for reject in list_rejects(row))


def list_imports(
    viewer: Viewer, text: str = "", kinds: Sequence[str] = (), states: Sequence[str] = ()
) -> QuerySet[Import]:
    """Imports of the viewer's stores, newest first; uploads of lists for those who make lists."""
    rows = Import.objects.select_related("store").order_by("-created_at", "-id")
    if viewer.store_ids is not None:
        rows = rows.filter(store__in=viewer.store_ids)
    if not viewer.may("lists.edit"):
        rows = rows.exclude(kind=_OF_LISTS)
    if text:  # names are sealed: they are opened one by one, which a shop's few thousand imports allow
        rows = rows.filter(pk__in=[row.pk for row in rows if text.casefold() in name_of(row).casefold()])
    rows = rows.filter(kind__in=kinds) if kinds else rows
    return rows.filter(state__in=states) if states else rows


def get_import(public_id: str, viewer: Viewer) -> Import:
    """Raises NotFound, also for an import of a store that the viewer does not see, and for a list's."""
    rows = list_imports(viewer).exclude(kind=_OF_LISTS)
    row = rows.select_related("store", "task").filter(uid=from_public(Import.PREFIX, public_id)).first()
    if row is None:
        raise NotFound(f"There is no import {public_id}")
    return row


def get_upload(public_id: str) -> Import:
    """One of a list. Raises NotFound."""
    rows = Import.objects.filter(kind=_OF_LISTS).select_related("store", "task")
    row = rows.filter(uid=from_public(Import.PREFIX, public_id)).first()
    if row is None:
        raise NotFound(f"There is no upload {public_id}")
    return row


def is_silent(row: Import, at: datetime) -> bool:
    """Whether the process that applies or undoes the import has gone: it can then be taken up by another one."""
    is_at_work = row.state in {ImportState.CHECKING, ImportState.RUNNING, ImportState.UNDOING}
    return is_at_work and at - (row.worked_at or row.created_at) > _SILENT


def reject_table(row: Import, count: int) -> list[Reject]:
    """The first rows of the reject file."""
    return list(islice(list_rejects(row), count))
