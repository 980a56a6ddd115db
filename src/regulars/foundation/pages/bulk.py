"""One thing done to many rows: at once where they are few, else in slices in the background, with progress in the bell.

Whom it is done to is settled when it is asked for: the ids of all that match then are put down in slices, with whom they were chosen
by. Each slice goes in one short transaction, and with it its own entry: killed at any moment it goes on with the slice that is left,
and nobody is done twice. It is audited once, with how many were chosen and how many it changed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import translation
from django.utils.translation import gettext

from regulars.foundation.access.models import StaffMember
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.audit.operations import record
from regulars.foundation.errors import InvalidInput, NotAllowed
from regulars.foundation.pages.formats import format_number
from regulars.foundation.pages.lists import BulkAction, ListPage
from regulars.foundation.pages.models import BulkRun, BulkSlice
from regulars.foundation.registry import Registry
from regulars.foundation.retrying import retried
from regulars.foundation.work.operations import enqueue, fail, finish, progress, start_task

AT_ONCE = 500  # rows that are done while whoever asked waits
SLICE = 250  # rows of one transaction, which lasts well under a second

BULK: Registry[BulkAction] = Registry("bulk action")  # by 'list.action', for workers; filled by modules' jobs.py


def register(page: ListPage) -> None:
    """Lets workers carry out what this list offers."""
    for action in page.actions:
        BULK.register(_name(page, action), action)


def do(
    page: ListPage, action: BulkAction, ids: Sequence[int], form: Mapping[str, str], viewer: Viewer, at: datetime
) -> str:
    """The sentence of what was done, or of what was begun. Raises what the action raises, and then nothing was changed."""
    chosen = sorted(set(ids))
    if len(chosen) > AT_ONCE and not action.is_one_step:
        return _begin(page, action, chosen, form, viewer, at)
    changed = action.run(chosen, form, viewer, at)
    record(_name(page, action), viewer, "", {"chosen": len(chosen), "changed": changed}, at=at)
    return action.say(changed, form)


def _name(page: ListPage, action: BulkAction) -> str:
    return f"{page.name}.{action.name}"


@retried
def _begin(
    page: ListPage, action: BulkAction, chosen: list[int], form: Mapping[str, str], viewer: Viewer, at: datetime
) -> str:
    """Puts everything down and does the first slice at once: what cannot be is refused while whoever asked still sees it."""
    if viewer.staff_id is None:
        raise InvalidInput(gettext("Only a member of staff can do this."))
    first, rest = chosen[:SLICE], chosen[SLICE:]
    word = form.get("input", "")
    title = " ".join(filter(None, (f"{page.title}: {action.label}", word)))
    with transaction.atomic():
        run = BulkRun.objects.create(
            task_id=start_task("bulk", title, at, staff_id=viewer.staff_id, total=len(chosen)),
            action=_name(page, action),
            word=word,
            staff_id=viewer.staff_id,
            store_ids=None if viewer.store_ids is None else sorted(viewer.store_ids),
            total=len(chosen),
            done=len(first),
            began_at=at,
        )
        slices = (BulkSlice(run=run, ids=rest[start : start + SLICE]) for start in range(0, len(rest), SLICE))
        BulkSlice.objects.bulk_create(slices, batch_size=1000)
        enqueue("pages.bulk", run_id=run.pk)
        run.changed = action.run(first, form, viewer, at)
        run.save(update_fields=["changed"])
    return gettext("Begun for %s. You can leave this page: the bell shows how far it is.") % format_number(len(chosen))


def carry_on(run_id: int, now: Callable[[], datetime]) -> None:
    """Does what is left of a run; of one that is over, nothing. What goes wrong ends its task with a sentence, and is raised."""
    run = BulkRun.objects.get(pk=run_id)
    if run.ended_at is not None:
        return
    try:
        viewer = _viewer(run)
        with translation.override(viewer.language):
            while (done := _do_slice(run, viewer, now())) is not None:
                progress(run.task_id, now(), done=done)
            _finish(run, viewer, now())
    except Exception as error:
        sentence = error.sentence if isinstance(error, NotAllowed) else gettext("An unexpected error stopped it.")
        done = BulkRun.objects.values_list("done", flat=True).get(pk=run_id)
        words = gettext("%(done)s of %(total)s are done.")
        fail(
            run.task_id, now(), f"{sentence} {words % {'done': format_number(done), 'total': format_number(run.total)}}"
        )
        raise


def _viewer(run: BulkRun) -> Viewer:
    """Whoever asked, with the rights that they have now and at most the stores that they chose from. Raises NotAllowed."""
    viewer = StaffMember.objects.get(pk=run.staff_id).viewer()
    viewer.require(BULK[run.action].permission)
    stores = viewer.store_ids
    if run.store_ids is not None:
        stores = frozenset(run.store_ids) if stores is None else stores & frozenset(run.store_ids)
    return replace(viewer, store_ids=stores)


@retried
def _do_slice(run: BulkRun, viewer: Viewer, at: datetime) -> int | None:
    """One transaction. How many rows are done now; None when no slice is left."""
    with transaction.atomic():
        piece = BulkSlice.objects.select_for_update(skip_locked=True).filter(run=run).order_by("id").first()
        if piece is None:
            return None
        changed = BULK[run.action].run(piece.ids, {"input": run.word}, viewer, at)
        piece.delete()
        mine = BulkRun.objects.filter(pk=run.pk)
        mine.update(done=F("done") + len(piece.ids), changed=F("changed") + changed)
        return mine.values_list("done", flat=True).get()


def _finish(run: BulkRun, viewer: Viewer, at: datetime) -> None:
    with transaction.atomic():
        ours = BulkRun.objects.filter(pk=run.pk, ended_at=None, done=F("total"))
        if not ours.update(ended_at=at):
            return  # another worker has the last slice in hand, and ends it
        changed = BulkRun.objects.values_list("changed", flat=True).get(pk=run.pk)
        finish(run.task_id, at, BULK[run.action].say(changed, {"input": run.word}))
        record(run.action, viewer, "", {"chosen": run.total, "changed": changed}, at=at)
