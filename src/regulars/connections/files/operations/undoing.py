"""An import is taken back as a whole: batch by batch, the newest first, each in a transaction of its own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from regulars.connections.files import events
from regulars.connections.files.errors import NotPossibleNow
from regulars.connections.files.models import Import, ImportState, RejectedRows
from regulars.connections.files.operations.applying import Clock
from regulars.foundation.bulk import execute
from regulars.foundation.ids import to_public
from regulars.insight.segments.models import Membership
from regulars.messages.models import Message
from regulars.record.carts.models import Cart
from regulars.record.catalog.operations.undo import undo_products
from regulars.record.customers.operations.undo import undo_people
from regulars.record.events.log import transaction
from regulars.record.events.models import Batch
from regulars.record.orders.models import Order, Refund
from regulars.record.orders.operations.undo import undo_orders
from regulars.workflows.models import Run


@dataclass
class Undoing:
    """What the undo of one import has done so far."""

    removed: int = 0
    restored: int = 0
    people: int = 0
    kept: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        said = f"Undone: {self.removed:,} orders and refunds and {self.people:,} people removed, {self.restored:,} restored."
        if not self.kept:
            return said
        stay = (
            "1 order stays, because it was"
            if len(self.kept) == 1
            else f"{len(self.kept):,} orders stay, because they were"
        )
        return f"{said} {stay} changed since: {', '.join(self.kept[:10])}."


def undo_import(
    import_id: int, now: Clock, on_progress: Callable[[int, int], None] = lambda done, total: None
) -> Import:
    """Removes what the import's batches added, restores what they changed, and appends import.undone.

    An order that somebody else changed since stays and is named; so does a person who has been written to or is in a workflow.
    Can be killed and begun again at any moment: what is undone once is not there to be undone again. Raises NotPossibleNow.
    """
    begun = (ImportState.DONE, ImportState.FAILED, ImportState.UNDOING)
    if not Import.objects.filter(pk=import_id, state__in=begun).update(state=ImportState.UNDOING):
        raise NotPossibleNow("Only an import that is done, or that failed, can be undone")
    row = Import.objects.get(pk=import_id)
    reference = to_public(Import.PREFIX, row.uid)
    batches = list(
        Batch.objects.filter(source="import", reference=reference).order_by("-id").values_list("id", flat=True)
    )
    done = Undoing()
    for number, batch_id in enumerate(batches, start=1):
        _undo_batch(batch_id, done, now())
        on_progress(number, len(batches))
    return _finish(row, done, now())


def _undo_batch(batch_id: int, done: Undoing, at: datetime) -> None:
    with transaction("undo", str(batch_id)) as log:
        undone = undo_orders(batch_id)
        undo_products(batch_id)
        execute("DELETE FROM consent_consententry WHERE batch_id = %s", [batch_id])
        execute("DELETE FROM consent_suppressionentry WHERE batch_id = %s", [batch_id])
        gone = undo_people(batch_id, log, at, _who_stays)
    done.removed += undone.removed
    done.restored += undone.restored
    done.kept += undone.kept
    done.people += len(gone)


def _who_stays(profiles: set[int]) -> set[int]:
    """Whoever has orders, refunds or carts left, was written to, or is in a workflow; the others' derived rows go."""
    ids = list(profiles)
    stay: set[int] = set()
    for model in (Order, Refund, Cart, Message, Run):
        stay |= set(model.objects.filter(profile__in=ids).values_list("profile_id", flat=True))
    going = [profile for profile in ids if profile not in stay]
    Membership.objects.filter(profile__in=going).delete()
    return stay


def _finish(row: Import, done: Undoing, at: datetime) -> Import:
    with transaction("undo", to_public(Import.PREFIX, row.uid)) as log:
        log.append(events.import_undone(row.pk, len(done.kept), at))
        Import.objects.filter(pk=row.pk).update(state=ImportState.UNDONE, ended_at=at, sentence=done.sentence)
        RejectedRows.objects.filter(source=row).delete()
    row.refresh_from_db()
    return row
