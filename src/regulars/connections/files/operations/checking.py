"""A list's file is looked at line by line before anything is decided: how many are known, how many are not, and what cannot be read."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from django.db import transaction as database

from regulars.connections.files.errors import NotPossibleNow
from regulars.connections.files.layouts import lists
from regulars.connections.files.layouts.base import Kind
from regulars.connections.files.models import Import, ImportState, RejectedRows
from regulars.connections.files.operations.applying import Batch, Clock, Pace, batches, keep_rejects
from regulars.connections.files.operations.listing import without_unknown
from regulars.connections.files.operations.sources import Source, source_of
from regulars.connections.files.operations.staging import (
    Staged,
    change_options,
    enqueue_work,
    record_copy,
    start_import,
)
from regulars.connections.files.options import Options
from regulars.foundation.errors import RegularsError
from regulars.foundation.shop.models import Store
from regulars.record.lists.models import CustomerList
from regulars.record.lists.queries import find_people

_ROWS = 5_000


def stage_list(
    staged: Staged, target: CustomerList, *, store: Store, takes_off: bool, at: datetime, staff_id: int | None
) -> Import:
    """Records a sealed copy as one of a list, and asks for every line to be looked at. Raises RefusedFile, as ``record_copy`` does."""
    options = Options(layout=lists.NAME, list_id=target.pk, takes_off=takes_off)
    with database.atomic():
        row = record_copy(
            staged, kind=Kind.LIST, store=store, at=at, options=options, staff_id=staff_id, can_be_mapped=True
        )
        _ask(row, at)
    return row


def choose_columns(row: Import, mapping: dict[str, str], at: datetime) -> None:
    """Which columns hold whom, said by a person. Every line is looked at anew. Raises RefusedFile, NotPossibleNow."""
    with database.atomic():
        _forget(row)
        change_options(row, Options(**{**row.options, "mapping": mapping}))
        _ask(row, at)


def _ask(row: Import, at: datetime) -> None:
    """Not where nothing at all can be read: then a person says first which column is meant."""
    if not row.sentence:
        enqueue_work(row, at, "imports.check", (ImportState.STAGED,), ImportState.CHECKING, "Check")
        row.refresh_from_db()


def check_list(import_id: int, now: Clock, on_progress: Callable[[Import], None] = lambda row: None) -> Import:
    """Looks at every line; nothing but the counts and the unreadable and unknown lines is kept. Begun again, it begins at the first line.

    Counts: ``rows_known``, ``rows_unknown`` and ``rows_unreadable``, which add up to the file's rows. Raises NotPossibleNow, CopyGone.
    """
    row = Import.objects.select_related("store").filter(pk=import_id, state=ImportState.CHECKING).first()
    if row is None:
        raise NotPossibleNow
    _forget(row)
    try:
        source = source_of(row)
        for batch in batches(row, source, Pace(_ROWS)):
            _look(row, source, batch, now())
            on_progress(row)
    except RegularsError as error:
        _end_look(row, error.sentence)
        raise
    _end_look(row)
    row.refresh_from_db()
    return row


def _end_look(row: Import, problem: str = "") -> None:
    """Nothing where it was ended meanwhile: somebody in it was erased."""
    Import.objects.filter(pk=row.pk, state=ImportState.CHECKING).update(state=ImportState.STAGED, sentence=problem)


def _look(row: Import, source: Source, batch: Batch, at: datetime) -> None:
    """Counts one batch. ``units_applied`` is where its lines stand among the rejected; nothing is applied yet."""
    found = find_people([one for built in batch.built for one in built.listed], row.store_id)
    unreadable = sum(not built.listed for built in batch.built)
    counts = Counter(row.counts)
    counts.update(
        rows_known=sum(profile is not None for profile in found),
        rows_unknown=found.count(None),
        rows_unreadable=unreadable,
    )
    with database.atomic():
        notes = [
            (note, cells.cells)
            for unit, built in zip(batch.units, without_unknown(batch.units, batch.built, found), strict=True)
            for note in built.notes.values()
            for cells in unit.rows
        ]
        if notes:
            keep_rejects(row, source, notes)
        row.units_applied, row.counts = row.units_applied + len(batch.units), dict(counts)
        ours = Import.objects.filter(pk=row.pk, state=ImportState.CHECKING)
        if not ours.update(counts=row.counts, worked_at=at):  # somebody in it was erased: nothing of it is kept
            raise NotPossibleNow


def _forget(row: Import) -> None:
    """What an earlier look found."""
    RejectedRows.objects.filter(source=row).delete()
    row.units_applied, row.counts = 0, {}
    Import.objects.filter(pk=row.pk).update(counts={}, units_applied=0)


def is_checked(row: Import) -> bool:
    """Whether it can be decided: every line was looked at."""
    return row.state == ImportState.STAGED and "rows_known" in row.counts


def start_list(row: Import, makes_new: bool, at: datetime) -> None:
    """The decision: puts the known on the list (or takes them off), and with ``makes_new`` the others as new profiles. In the background.

    Raises NotPossibleNow before every line was looked at.
    """
    if not is_checked(row):
        raise NotPossibleNow("Every line of this file is looked at first")
    with database.atomic():
        _forget(row)
        row.options = {**row.options, "makes_new": makes_new}
        Import.objects.filter(pk=row.pk, state=ImportState.STAGED).update(options=row.options)
        start_import(row, at)
