"""Keeping the warehouse: append what the log brought, compact, rebuild, prune.

Crash-safe by order: files get their final names first, then one transaction publishes them. What a kill leaves behind is a file that no
snapshot names, which :func:`prune` removes.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Max

from regulars.foundation.crash import crash_point, declare
from regulars.foundation.errors import Conflict
from regulars.foundation.learning import learn
from regulars.foundation.warehouse_tables import WAREHOUSE_TABLES
from regulars.insight.warehouse import changes, compaction, erasing, files
from regulars.insight.warehouse.changes import Addition
from regulars.insight.warehouse.compaction import Merge
from regulars.insight.warehouse.models import WarehouseFile, WarehouseSnapshot
from regulars.insight.warehouse.queries import ROWS, Pinned, pin, pinned, record_position, touched_tables
from regulars.record.events.models import Batch

LOCK = 0x5245_5748  # 'REWH': one process at a time changes the warehouse
GRACE = timedelta(hours=1)  # longer than any query may take
FILES_WRITTEN = declare("warehouse.files-written", "Files have their final names, and no snapshot names them yet")

PRUNING = declare("warehouse.pruning", "No row names the old files any more, and they lie there still")


class WarehouseBusy(Conflict):
    """Another process is writing the warehouse at the moment: try again in a minute."""

    code = "warehouse-busy"


def sync(at: datetime) -> Pinned:
    """Appends everything that the record knows and the warehouse does not; gives the snapshot that holds it. Raises WarehouseBusy.

    Where files of about one size have become many, they become one (``compaction``). A table that another edition of the program wrote is
    written anew.
    """
    with _alone(), _one_view():
        learn()
        before, upto = pin(), record_position()
        stale = _stale(before, upto)
        if upto == before.position and before.id and not stale:
            return before
        kept, additions = _news(before, upto, stale)
        _let_touched_go()
        after = pinned(_publish(kept, additions, upto, at))
    merges = compaction.plan(_newest_files())
    return _merge(merges, at) if merges else after


def compact(at: datetime, tables: Sequence[str] | None = None) -> Pinned:
    """Makes one file of each table's files, with every version's end written into it. The same rows as before. Raises WarehouseBusy."""
    learn()
    return _merge(compaction.whole(pin(), tables or list(WAREHOUSE_TABLES)), at)


def forget(at: datetime) -> bool:
    """Leaves out versions that ended longer ago than their table keeps them, once in so long for each table. Whether there was such a
    table. Raises WarehouseBusy.
    """
    old = {f.table for f in _newest_files() if f.kind == ROWS and _is_overdue(f, at)}
    merges = [
        replace(one, forgotten=_position_at(at - (one.table.keeps_ended or timedelta())))
        for one in compaction.whole(pin(), old)
    ]
    if merges:
        _merge(merges, at)
    return bool(merges)


def _is_overdue(file: WarehouseFile, at: datetime) -> bool:
    table = WAREHOUSE_TABLES[file.table]
    return table.keeps_ended is not None and file.written_at < at - table.keeps_ended


def _position_at(moment: datetime) -> int:
    """Of the log, then."""
    newest = Batch.objects.filter(recorded_at__lt=moment).aggregate(newest=Max("last_position"))["newest"]
    return int(newest or 0)


def _merge(merges: Sequence[Merge], at: datetime) -> Pinned:
    with _alone():
        before, held = pin(), _newest_files()
        names = {
            f.name for f in held
        }  # nobody else merged them meanwhile, and what has another shape is written anew by the next sync
        valid = [one for one in merges if one.gone <= names and before.shapes.get(one.table.name) == one.table.shape]
        additions = [a for one in valid for a in compaction.carry_out(one, before)]
        gone = {name for one in valid for name in one.gone}
        return pinned(_publish([f for f in held if f.name not in gone], additions, before.position, at, before.shapes))


def rebuild(at: datetime) -> Pinned:
    """Writes the warehouse anew from the record: what is known now is the same; removed rows are gone from the past as well."""
    with _alone(), _one_view():
        learn()
        upto = record_position()
        additions = [a for _, table in WAREHOUSE_TABLES.items() for a in changes.everything(table, upto)]
        _let_touched_go()
        return pinned(_publish([], additions, upto, at))


def prune(at: datetime, grace: timedelta = GRACE) -> int:
    """Deletes files that no reader can need any more, and those that a killed process left. Files deleted."""
    with _alone():
        old = WarehouseFile.objects.filter(retired_at__lt=at - grace)
        names = list(old.values_list("name", flat=True))
        with transaction.atomic():
            newest = WarehouseSnapshot.objects.order_by("-id").first()
            if newest:
                WarehouseSnapshot.objects.filter(id__lt=newest.id, published_at__lt=at - grace).delete()
            old.delete()
        known = set(WarehouseFile.objects.values_list("name", flat=True))
        strays = [
            p for p in files.folder().iterdir() if p.name not in known and p.stat().st_mtime < (at - grace).timestamp()
        ]
        gone = {files.folder() / name for name in names} | set(strays)
        crash_point(PRUNING)
        for path in gone:
            path.unlink(missing_ok=True)
        return len(gone)


@contextmanager
def _alone() -> Iterator[None]:
    """Holds the warehouse's lock for the session, so that it is held before the transaction takes its view. Raises WarehouseBusy."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            raise WarehouseBusy
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


@contextmanager
def _one_view() -> Iterator[None]:
    """One transaction that sees one state of the record in all its queries; inside another transaction it takes what that sees."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def _stale(before: Pinned, upto: int) -> set[str]:
    """Tables to be written anew: by another edition of the program; or changed in place while the log stood still, so that what was before
    has no position of its own.
    """
    another = {name for name, table in WAREHOUSE_TABLES.items() if before.shapes.get(name) != table.shape}
    noted = touched_tables() if upto == before.position else set()
    return another | {
        name for name, table in WAREHOUSE_TABLES.items() if any(f"'{source}'" in table.touched for source in noted)
    }


def _news(before: Pinned, upto: int, stale: Collection[str]) -> tuple[list[WarehouseFile], list[Addition]]:
    """Files that stay, and those that are new."""
    state = erasing.forget(before, upto)
    kept = [f for f in _newest_files() if f.name not in state.gone and f.table not in stale]
    additions = [a for a in state.additions if a.table not in stale]
    for name, table in WAREHOUSE_TABLES.items():
        additions += (
            changes.everything(table, upto) if name in stale else changes.since(table, state.before, upto, state.erased)
        )
    return kept, additions


def _let_touched_go() -> None:
    """Those notes that this view of the record sees: later ones are for the next time."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM warehouse_touched")


def _newest_files() -> list[WarehouseFile]:
    snapshot = WarehouseSnapshot.objects.order_by("-id").first()
    return list(WarehouseFile.objects.filter(id__in=snapshot.files)) if snapshot else []


def _publish(
    kept: Sequence[WarehouseFile],
    additions: Sequence[Addition],
    position: int,
    at: datetime,
    shapes: Mapping[str, str] | None = None,
) -> WarehouseSnapshot:
    """One transaction: the new files' rows, the snapshot, and the retirement of what it no longer names."""
    crash_point(FILES_WRITTEN)
    with transaction.atomic():
        added = WarehouseFile.objects.bulk_create(
            WarehouseFile(
                table=a.table,
                kind=a.kind,
                name=a.written.name,
                rows=a.written.rows,
                size=a.written.size,
                is_open=a.written.is_open,
                written_at=at,
            )
            for a in additions
        )
        named = [f.id for f in (*kept, *added)]
        WarehouseFile.objects.filter(retired_at=None).exclude(id__in=named).update(retired_at=at)
        by = shapes or {name: table.shape for name, table in WAREHOUSE_TABLES.items()}
        return WarehouseSnapshot.objects.create(position=position, files=named, shapes=by, published_at=at)
