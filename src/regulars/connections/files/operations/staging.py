"""A file comes in: copied under seal, looked at, checked whole. A refusal leaves nothing."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import BinaryIO
from uuid import UUID

from django.db import transaction as database
from django.db.models import Q

from regulars.connections.files import copies
from regulars.connections.files.errors import CopyGone, NotPossibleNow, Unmapped
from regulars.connections.files.layouts.base import Kind, Note, build_safely
from regulars.connections.files.models import Import, ImportState
from regulars.connections.files.operations.sources import Source, open_source
from regulars.connections.files.options import Options
from regulars.connections.files.queries import is_silent
from regulars.connections.files.reading import Checked, Unit, data_rows, units
from regulars.connections.files.recognising import find_missing
from regulars.connections.files.sealed import key_of, seal_name
from regulars.foundation.ids import new_uid, to_public
from regulars.foundation.inbox.frames import forget_files, list_files
from regulars.foundation.sealing import new_key
from regulars.foundation.shop.models import Store
from regulars.foundation.vault.keys import key_ring
from regulars.foundation.vault.rows import reserve_ids
from regulars.foundation.work.operations import enqueue, start_task

PREVIEW_UNITS = 200
WITH_COPY = (ImportState.CHECKING, ImportState.STAGED, ImportState.WAITING, ImportState.RUNNING, ImportState.FAILED)
_FORGOTTEN = timedelta(days=7)
_ORPHAN = timedelta(days=1)
_MOST_PIECES = 1000


def stage_import(
    file: BinaryIO,
    *,
    kind: Kind,
    file_name: str,
    store: Store,
    at: datetime,
    options: Options | None = None,
    staff_id: int | None = None,
    largest: int = copies.LARGEST_FILE,
) -> Import:
    """Copies the file under seal, finds out how it is written and checks it whole; nothing is imported yet.

    Raises RefusedFile (its subclasses say why) and InvalidInput for options that cannot be; then nothing is left behind.
    """
    (options or Options()).checked(kind)
    uid = new_uid()
    try:
        staged = take_copy(file, file_name, at, uid=uid, largest=largest)
        return record_copy(staged, kind=kind, store=store, at=at, options=options, staff_id=staff_id)
    except BaseException:
        copies.remove_copy(uid)
        raise


@dataclass(frozen=True)
class Staged:
    """A sealed copy that no import knows of yet."""

    uid: UUID
    key: bytes
    copied: copies.Copied
    file_name: str


def take_copy(
    file: BinaryIO, file_name: str, at: datetime, *, uid: UUID | None = None, largest: int = copies.LARGEST_FILE
) -> Staged:
    """Copies a file under seal. Raises TooLarge and CutFile; then, as with any failure, what was copied is the caller's to remove."""
    uid, key = uid or new_uid(), new_key()
    return Staged(uid, key, copies.write_copy(copies.plain_pieces(file), uid, key, at, largest), file_name)


def record_copy(
    staged: Staged,
    *,
    kind: Kind,
    store: Store,
    at: datetime,
    options: Options | None = None,
    staff_id: int | None = None,
    can_be_mapped: bool = False,
) -> Import:
    """The second half of ``stage_import``: the copy is acknowledged. One that is refused is the caller's to remove.

    ``can_be_mapped``: somebody can still say which column holds what, so that a file which cannot be read as it was guessed is kept, with
    what is missing as its sentence.
    """
    chosen = (options or Options()).checked(kind)
    source = open_source(staged.uid, staged.key, kind, store, chosen, at)
    checked = source.check()
    missing = _what_is_missing(source, kind)
    if missing and not can_be_mapped:
        raise missing
    row = Import(
        id=reserve_ids("files_import", 1)[0],
        uid=staged.uid,
        store=store,
        kind=kind.value,
        sealed_name=seal_name(staged.key, staged.uid, staged.file_name),
        sha256=staged.copied.sha256,
        size=staged.copied.size,
        staff_id=staff_id,
        created_at=at,
    )
    row.master_id, row.wrapped_key = key_ring().wrap(staged.key, row.pk)
    _note_reading(row, source, checked, chosen, missing)
    row.save(force_insert=True)
    return row


def sweep_copies(at: datetime) -> int:
    """Removes copies that nobody waits for: uploads whose process died, and files that lay a week without anybody going on. How many.

    An import that has not begun goes then also where its copy went before it, with its day.
    """
    kept = list_files()
    is_waiting = Q(state__in=WITH_COPY, uid__in=list(kept)) | Q(state=ImportState.STAGED)
    waiting = {row.uid: row for row in Import.objects.filter(is_waiting)}
    forgotten = [row for row in waiting.values() if at - (row.worked_at or row.created_at) > _FORGOTTEN]
    orphans = [uid for uid, came in kept.items() if uid not in waiting and at - came > _ORPHAN]
    for row in forgotten:
        drop_copy(row, "Its copy was kept for a week and then removed")
    forget_files(orphans)
    return len(forgotten) + len(orphans)


def drop_copy(row: Import, why: str) -> None:
    """Removes the staged copy of an import that is not over; one that has not begun goes with it, another stops for good."""
    with database.atomic():
        if not Import.objects.filter(pk=row.pk, state=ImportState.STAGED).delete()[0]:
            sentence = f"{why}: undo it, or import the file again; what was taken from it is known already."
            Import.objects.filter(pk=row.pk, state__in=WITH_COPY).update(state=ImportState.FAILED, sentence=sentence)
        copies.remove_copy(row.uid)


def address_of(row: Import) -> str:
    """Its page."""
    folder = "list-uploads" if row.kind == Kind.LIST else "imports"
    return f"/{folder}/{to_public(Import.PREFIX, row.uid)}"


def start_import(row: Import, at: datetime) -> None:
    """Asks for an import to be applied in the background. Raises NotPossibleNow for one that has begun, or must be mapped first."""
    if row.state == ImportState.STAGED and row.sentence:
        raise NotPossibleNow(row.sentence)
    if not copies.has_copy(row.uid):
        raise CopyGone
    enqueue_work(row, at, "imports.apply", (ImportState.STAGED, ImportState.FAILED), ImportState.WAITING, "Import")


def can_continue(row: Import, at: datetime) -> bool:
    """Whether an import that stopped, or whose process has gone, can go on where it stood."""
    has_stopped = row.state == ImportState.FAILED or (row.state == ImportState.RUNNING and is_silent(row, at))
    return has_stopped and copies.has_copy(row.uid)


def start_undo(row: Import, at: datetime) -> None:
    """Asks for an import to be undone in the background. Raises NotPossibleNow for one that is not over."""
    enqueue_work(
        row, at, "imports.undo", (ImportState.DONE, ImportState.FAILED), ImportState.UNDOING, "Undo of the import"
    )


def enqueue_work(
    row: Import, at: datetime, job: str, before: tuple[ImportState, ...], after: ImportState, title: str
) -> None:
    """Asks for a job, and shows its progress in the bell. Raises NotPossibleNow for an import in another state than ``before``."""
    with database.atomic():
        allowed = (*before, ImportState(row.state)) if is_silent(row, at) else before
        if not Import.objects.filter(pk=row.pk, state__in=allowed, worked_at=row.worked_at).update(state=after):
            raise NotPossibleNow
        title = f"{title} of {row.kind}"  # the file's name may speak of somebody: a task's title is in clear
        link = address_of(row)
        task = start_task("import", title, at, staff_id=row.staff_id, total=row.row_count, link=link)
        Import.objects.filter(pk=row.pk).update(task_id=task)
        enqueue(job, lock=f"import {row.pk}", import_id=row.pk)


def change_options(row: Import, options: Options) -> Import:
    """Other choices for an import that has not begun; what is still to be mapped becomes its sentence.

    Raises RefusedFile where the file cannot be read so; then nothing changes.
    """
    if row.state != ImportState.STAGED:
        raise NotPossibleNow("This import has begun: its mapping can no longer be changed")
    chosen = options.checked(Kind(row.kind))
    source = open_source(row.uid, key_of(row), Kind(row.kind), row.store, chosen, row.created_at)
    checked = source.check()
    _note_reading(row, source, checked, chosen, _what_is_missing(source, Kind(row.kind)))
    row.save(update_fields=["row_count", "layout", "format", "options", "sentence"])
    return row


def _note_reading(row: Import, source: Source, checked: Checked, chosen: Options, missing: Unmapped | None) -> None:
    row.row_count = checked.row_count
    row.sentence = missing.sentence if missing else ""
    row.layout = source.layout.name
    row.format = {**source.format.to_json(), "headers": source.headers, "pieces": _few(checked.pieces)}
    mapping = dict(source.layout.columns) if source.layout.name.startswith("any-") else chosen.mapping
    row.options = replace(chosen, layout=source.layout.name, mapping=mapping).to_json()


def _few(pieces: dict[bytes, int]) -> dict[str, int] | None:
    """What was found of units whose rows stand apart; None for too many to keep, which are then looked for again."""
    return {name.hex(): count for name, count in pieces.items()} if len(pieces) <= _MOST_PIECES else None


def discard_import(row: Import) -> None:
    """Forgets a staged file that is not wanted after all. Raises NotPossibleNow once it has begun."""
    with database.atomic():
        if not Import.objects.filter(pk=row.pk, state=ImportState.STAGED).delete()[0]:
            raise NotPossibleNow("This import has begun: undo it instead")
        copies.remove_copy(row.uid)


@dataclass(frozen=True)
class Sampled:
    """One unit of a preview: its rows' first line, what it says, and what is to be said about its rows."""

    line: int
    said: list[object]
    notes: list[Note]


def sample_units(source: Source, count: int = PREVIEW_UNITS) -> list[Sampled]:
    """What the first units of the file say; for the preview."""
    with source.open() as file:
        rows = data_rows(file, source.format)
        return [_sampled(source, unit) for unit in islice(units(rows, source.key_column, {}), count)]


def _sampled(source: Source, unit: Unit) -> Sampled:
    built = build_safely(source.layout, unit, source.reading, len(source.headers))
    return Sampled(unit.rows[0].line, built.said, list(built.notes.values()))


def _what_is_missing(source: Source, kind: Kind) -> Unmapped | None:
    """A file without a column that must be there, or of whose beginning nothing can be used, is the wrong one, or wrongly mapped."""
    if missing := find_missing(source.headers, source.layout):
        return missing
    sampled = sample_units(source)
    if any(unit.said for unit in sampled):
        return None
    reason = next((note.reason for unit in sampled for note in unit.notes), "nothing in them")
    return Unmapped(
        f"None of the first {len(sampled)} records can be read as {kind}: {reason} (line {sampled[0].line})"
    )
