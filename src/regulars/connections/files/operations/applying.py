"""A staged file goes into the record: in batches of at most a second, each of which commits how far the import has come."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from time import perf_counter

import psycopg
from django.db import DataError, IntegrityError

from regulars.connections.files import copies, events
from regulars.connections.files.errors import NotPossibleNow
from regulars.connections.files.layouts.base import Built, Kind, Note, build_safely
from regulars.connections.files.models import Import, ImportState, RejectedRows
from regulars.connections.files.operations.listing import write_list
from regulars.connections.files.operations.sources import Source, source_of
from regulars.connections.files.operations.writing import LABELS, write
from regulars.connections.files.queries import unmatched_refunds
from regulars.connections.files.reading import Unit, data_rows, units
from regulars.connections.files.sealed import Line, kept_cells, seal_lines
from regulars.foundation.ahead import ahead
from regulars.foundation.bulk import Statistics
from regulars.foundation.errors import InvalidInput, RegularsError
from regulars.foundation.ids import to_public
from regulars.foundation.retrying import retry
from regulars.record.events.log import transaction
from regulars.record.orders.operations import Known, match_refunds

Clock = Callable[[], datetime]
# What the database says to a value that it cannot hold; COPY's errors come from the driver itself.
_REFUSALS = (DataError, IntegrityError, psycopg.DataError, psycopg.IntegrityError, InvalidInput)
_UNEXPECTED = "An unexpected error stopped it; what was done so far stays, and it can be continued."
_TARGET_SECONDS = 0.6
_FEWEST_ROWS, _MOST_ROWS = 200, 20_000
_GROWING = (
    "events_eventkey",
    "customers_identity",
    "customers_profile",
    "customers_customerprofile",
    "customers_identitylink",
    "customers_contactversion",
    "customers_customercard",
    "consent_consententry",
    "catalog_product",
    "catalog_variant",
    "orders_order",
    "orders_orderline",
    "orders_refund",
    "orders_refundline",
    "orders_customerfigures",
    "lists_listmember",
)


@dataclass
class Pace:
    """How many rows a batch takes, so that it lasts about half a second on this machine."""

    rows: int = 1_000

    def learn(self, rows: int, seconds: float) -> None:
        wanted = int(rows * _TARGET_SECONDS / max(seconds, 0.001))
        self.rows = max(_FEWEST_ROWS, min(wanted, 2 * self.rows, _MOST_ROWS))


@dataclass
class Batch:
    """Units that are applied together, with what they say."""

    units: list[Unit] = field(default_factory=list)
    built: list[Built] = field(default_factory=list)

    @property
    def row_count(self) -> int:
        return sum(len(unit.rows) for unit in self.units)

    def halves(self) -> tuple["Batch", "Batch"]:
        middle = len(self.units) // 2
        return Batch(self.units[:middle], self.built[:middle]), Batch(self.units[middle:], self.built[middle:])


def apply_import(import_id: int, now: Clock, on_progress: Callable[[Import], None] = lambda row: None) -> Import:
    """Applies an import, or the rest of one that was interrupted; the same file again changes nothing.

    Each batch commits with the number of units taken up, so that a kill at any moment loses nothing and repeats nothing. Of two
    processes that apply one import the slower is refused. Raises NotPossibleNow, CopyGone; what stops it otherwise is noted, and it can
    be continued. Events: those of the record, and import.done.
    """
    row = _begin(import_id, now())
    try:
        return _apply(row, now, on_progress)
    except NotPossibleNow:  # another process has it: that one says how it ends
        raise
    except Exception as error:
        sentence = error.sentence if isinstance(error, RegularsError) else _UNEXPECTED
        Import.objects.filter(pk=import_id, state=ImportState.RUNNING).update(
            state=ImportState.FAILED, sentence=sentence
        )
        raise


def _apply(row: Import, now: Clock, on_progress: Callable[[Import], None]) -> Import:
    source = source_of(row)
    pace, known, statistics = Pace(), Known(), Statistics(_GROWING)
    for batch in ahead(batches(row, source, pace)):
        began = perf_counter()
        _apply_batch(row, source, batch, now(), known)
        pace.learn(batch.row_count, perf_counter() - began)
        statistics.after(batch.row_count)
        on_progress(row)
    return _finish(row, now())


def _begin(import_id: int, at: datetime) -> Import:
    begun = (ImportState.STAGED, ImportState.WAITING, ImportState.RUNNING, ImportState.FAILED)
    ready = Import.objects.filter(pk=import_id, state__in=begun).exclude(state=ImportState.STAGED, sentence__gt="")
    if not ready.update(state=ImportState.RUNNING, worked_at=at, sentence=""):
        row = Import.objects.get(pk=import_id)
        is_unmapped = row.state == ImportState.STAGED
        raise NotPossibleNow(
            row.sentence if is_unmapped else "This import is over: it can be undone, or the file imported again"
        )
    return Import.objects.select_related("store").get(pk=import_id)


def batches(row: Import, source: Source, pace: Pace) -> Iterator[Batch]:
    kept = row.format.get("pieces")
    pieces = source.check().pieces if kept is None else {bytes.fromhex(name): count for name, count in kept.items()}
    with source.open() as file:
        rows = data_rows(file, source.format)
        batch, size = Batch(), 0
        for unit in islice(units(rows, source.key_column, pieces), row.units_applied, None):
            batch.units.append(unit)
            batch.built.append(build_safely(source.layout, unit, source.reading, len(source.headers)))
            size += len(unit.rows)
            if size >= pace.rows:
                yield batch
                batch, size = Batch(), 0
        if batch.units:
            yield batch


def _apply_batch(row: Import, source: Source, batch: Batch, at: datetime, known: Known) -> None:
    """One transaction. What the record refuses as a whole is halved until the unit is found that it refuses, which is skipped."""
    try:
        retry(lambda: _write_batch(row, source, batch, at, known))
    except _REFUSALS as error:
        if len(batch.units) > 1:
            for half in batch.halves():
                _apply_batch(row, source, half, at, known)
            return
        reason = error.sentence if isinstance(error, InvalidInput) else "the record cannot hold this"
        refused = Batch(batch.units, [Built.skipped(batch.units[0], reason)])
        retry(lambda: _write_batch(row, source, refused, at, known))


def _write_batch(row: Import, source: Source, batch: Batch, at: datetime, known: Known) -> None:
    """One transaction; where it fails, what was learned in it goes with it."""
    stood = row.units_applied, row.counts
    try:
        with transaction("import", to_public(Import.PREFIX, row.uid)) as log:
            if source.layout.kind == Kind.LIST:
                done = write_list(row, batch.units, batch.built, log, at)
                batch, gained = Batch(batch.units, done.built), done.gained
            else:
                gained = write(batch.built, log, row.store, at, known)
            _advance(row, source, batch, gained, at)
    except Exception:
        row.units_applied, row.counts = stood
        known.forget()
        raise


def _advance(row: Import, source: Source, batch: Batch, gained: Counter[str], at: datetime) -> None:
    """Stores how far the import has come, in the batch's own transaction; refused where another process was faster."""
    notes = [
        (unit, built.notes[r.line], r.cells)
        for unit, built in zip(batch.units, batch.built, strict=True)
        for r in unit.rows
        if r.line in built.notes
    ]
    skipped = sum(note.is_skipped for _, note, _ in notes)
    counts = Counter(row.counts) + gained
    counts["rows_skipped"] += skipped
    counts["rows_altered"] += len(notes) - skipped
    counts["rows_taken"] += batch.row_count - len(notes)
    if notes:
        keep_rejects(row, source, [(note, cells) for _, note, cells in notes])
    before, after = row.units_applied, row.units_applied + len(batch.units)
    ours = Import.objects.filter(pk=row.pk, units_applied=before, state=ImportState.RUNNING)
    if not ours.update(units_applied=after, counts=counts, worked_at=at):
        raise NotPossibleNow("Another process took this import over")
    row.units_applied, row.counts = after, dict(counts)


def keep_rejects(row: Import, source: Source, notes: Sequence[tuple[Note, list[str]]]) -> None:
    """Under the number of units that came before."""
    lines: list[Line] = [
        [note.line, "skipped" if note.is_skipped else "altered", note.reason, kept_cells(cells)]
        for note, cells in notes
    ]
    RejectedRows.objects.create(
        source=row,
        first_unit=row.units_applied,
        row_count=len(lines),
        lines=seal_lines(source.key, row.uid, row.units_applied, lines),
    )


def _finish(row: Import, at: datetime) -> Import:
    """The last words: refunds that came before their orders are matched, the event is appended, the staged copy goes."""
    reference = to_public(Import.PREFIX, row.uid)
    for refund_ids in unmatched_refunds(reference):
        with transaction("import", reference):
            match_refunds(refund_ids)
    sentence = summary(row)
    with transaction("import", reference) as log:
        finished = Import.objects.filter(pk=row.pk, state=ImportState.RUNNING, units_applied=row.units_applied)
        if not finished.update(state=ImportState.DONE, ended_at=at, sentence=sentence):
            raise NotPossibleNow("Another process took this import over")
        log.append(events.import_done(row.pk, row.row_count, row.counts.get("rows_skipped", 0), at))
        copies.remove_copy(row.uid)
    row.refresh_from_db()
    return row


def summary(row: Import) -> str:
    """What became of the rows, in one sentence whose numbers add up to the file's."""
    counts = row.counts
    taken, altered, skipped = (counts.get(f"rows_{what}", 0) for what in ("taken", "altered", "skipped"))
    parts = [f"{counts[name]:,} {label[counts[name] != 1]}" for name, label in LABELS.items() if counts.get(name)]
    became = ", ".join(parts) or "nothing that was not known"
    rows = "1 row" if row.row_count == 1 else f"{row.row_count:,} rows"
    sums = f"{taken:,} taken as they are, {altered:,} altered, {skipped:,} skipped"
    return f"{rows}: {sums}. {became[0].upper()}{became[1:]}."
