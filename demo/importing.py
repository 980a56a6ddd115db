"""History goes in through the product's own importer, as a shop's would."""

from datetime import datetime
from pathlib import Path

from demo.progress import Line
from regulars.connections.files.layouts import Kind
from regulars.connections.files.models import Import, ImportState
from regulars.connections.files.operations import apply_import, stage_import
from regulars.connections.files.options import Options
from regulars.connections.files.sealed import name_of
from regulars.foundation.clock import now
from regulars.foundation.shop.models import Store


def import_file(
    path: Path, kind: Kind, store: Store, at: datetime, line: Line, options: Options | None = None
) -> Import:
    """Stages and applies a file; one that was interrupted goes on where it stopped, one that is done is left alone."""
    earlier = Import.objects.filter(store=store).order_by("-id")
    row = next((row for row in earlier if name_of(row) == path.name), None)
    if row is None or row.state == ImportState.STAGED:
        with path.open("rb") as file:
            row = stage_import(file, kind=kind, file_name=path.name, store=store, at=at, options=options)
    if row.state != ImportState.DONE:
        row = apply_import(row.pk, now, lambda r: line.show(_rows_done(r), r.row_count))
    path.unlink()
    return row


def _rows_done(row: Import) -> int:
    return sum(row.counts.get(name, 0) for name in ("rows_taken", "rows_altered", "rows_skipped"))
