"""Imports in the background: ids as arguments, safe to be run again after a kill."""

from datetime import datetime, timedelta

import structlog

from regulars.connections.files.models import Import, ImportState
from regulars.connections.files.operations import apply_import, check_list, sweep_copies, undo_import
from regulars.foundation import clock
from regulars.foundation.errors import RegularsError
from regulars.foundation.work.jobs import jobs
from regulars.foundation.work.loops import LOOPS, Loop, Stop
from regulars.foundation.work.operations import fail, finish, progress

logger = structlog.get_logger()
_UNEXPECTED = "An unexpected error stopped it; open it to go on where it stopped."
_OFTEN = timedelta(seconds=0.5)


@jobs.task(name="imports.apply")
def apply(import_id: int) -> None:
    """Applies an import, or the rest of one whose worker was killed."""
    shown = clock.now() - _OFTEN

    def show(row: Import) -> None:
        nonlocal shown
        if row.task_id and clock.now() - shown >= _OFTEN:
            shown = clock.now()
            done = sum(row.counts.get(f"rows_{what}", 0) for what in ("taken", "altered", "skipped"))
            progress(row.task_id, shown, done=done)

    if Import.objects.filter(pk=import_id, state=ImportState.DONE).exists():
        return
    try:
        row = apply_import(import_id, clock.now, show)
    except Exception as error:
        _note_failure(import_id, error)
        raise
    if row.task_id:
        progress(row.task_id, clock.now(), done=row.row_count)
        finish(row.task_id, clock.now(), row.sentence)


@jobs.task(name="imports.check")
def check(import_id: int) -> None:
    """Looks at every line of a list's file, or again after its worker was killed."""
    task_id = Import.objects.values_list("task_id", flat=True).get(pk=import_id)

    def show(row: Import) -> None:
        if task_id:
            progress(task_id, clock.now(), done=row.units_applied)

    if not Import.objects.filter(pk=import_id, state=ImportState.CHECKING).exists():
        return
    try:
        check_list(import_id, clock.now, show)
    except Exception as error:
        _note_failure(import_id, error)
        raise
    if task_id:
        progress(task_id, clock.now())
        finish(task_id, clock.now(), "Every line was looked at: decide what is to happen.")


@jobs.task(name="imports.undo")
def undo(import_id: int) -> None:
    """Takes an import back, or goes on with it."""
    task_id = Import.objects.values_list("task_id", flat=True).get(pk=import_id)
    if Import.objects.filter(pk=import_id, state=ImportState.UNDONE).exists():
        return

    def show(done: int, total: int) -> None:
        if task_id:
            progress(task_id, clock.now(), done=done, total=total)

    try:
        row = undo_import(import_id, clock.now, show)
    except Exception as error:
        _note_failure(import_id, error)
        raise
    if task_id:
        progress(task_id, clock.now())
        finish(task_id, clock.now(), row.sentence)


def _note_failure(import_id: int, error: Exception) -> None:
    """The person who waits is told; the job fails with its traceback in the log, without a row of the file."""
    logger.error("import stopped", import_id=import_id, error=type(error).__name__)
    task_id = Import.objects.values_list("task_id", flat=True).get(pk=import_id)
    if task_id:
        fail(task_id, clock.now(), error.sentence if isinstance(error, RegularsError) else _UNEXPECTED)


def sweep(stop: Stop, at: datetime) -> bool:
    """One look at the staged copies."""
    sweep_copies(at)
    return False


LOOPS.register(
    "imports.sweep", Loop(sweep, "Removes staged files that nobody waits for", idle_seconds=3600, is_exclusive=True)
)
