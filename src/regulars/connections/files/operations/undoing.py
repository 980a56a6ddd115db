"""An import is taken back as a whole: batch by batch, the newest first, each in a transaction of its own."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime

from regulars.connections.files import copies, events
from regulars.connections.files.errors import NotPossibleNow
from regulars.connections.files.models import Import, ImportState, RejectedRows
from regulars.connections.files.operations.applying import Clock
from regulars.foundation.bulk import execute
from regulars.foundation.ids import to_public
from regulars.foundation.retrying import retried
from regulars.insight.segments.models import Membership
from regulars.messages.models import Message
from regulars.record.carts.models import Cart
from regulars.record.carts.operations import let_orders_go, settle_carts
from regulars.record.carts.queries import silence_of_carts
from regulars.record.catalog.operations.undo import undo_products
from regulars.record.customers.models import CustomerProfile
from regulars.record.customers.operations import resolve
from regulars.record.customers.operations.undo import undo_people
from regulars.record.events.log import transaction
from regulars.record.events.models import Batch
from regulars.record.lists.models import ListMember
from regulars.record.lists.operations import forget_profiles, take_back
from regulars.record.orders.models import Order, Refund
from regulars.record.orders.operations import refresh_figures
from regulars.record.orders.operations.undo import Undone, undo_orders
from regulars.workflows.models import Run

_NAMED = 10  # orders that stay are named in the summary, so many of them


@dataclass(frozen=True)
class Undoing:
    """What the undo of one import has done so far; commits with each batch that it takes back, the newest first."""

    removed: int = 0
    restored: int = 0
    people: int = 0
    kept: int = 0
    kept_numbers: tuple[str, ...] = ()  # the first of them
    last_batch: int | None = None

    def with_batch(self, batch_id: int, undone: Undone, people: int) -> "Undoing":
        numbers = (*self.kept_numbers, *undone.kept)[:_NAMED]
        return Undoing(
            self.removed + undone.removed,
            self.restored + undone.restored,
            self.people + people,
            self.kept + len(undone.kept),
            numbers,
            batch_id,
        )

    @property
    def sentence(self) -> str:
        said = f"Undone: {self.removed:,} orders and refunds and {self.people:,} people removed, {self.restored:,} restored."
        if not self.kept:
            return said
        stay = "1 order stays, because it was" if self.kept == 1 else f"{self.kept:,} orders stay, because they were"
        return f"{said} {stay} changed since: {', '.join(self.kept_numbers)}."


def undo_import(
    import_id: int, now: Clock, on_progress: Callable[[int, int], None] = lambda done, total: None
) -> Import:
    """Removes what the import's batches added, restores what they changed, and appends import.undone.

    An order that somebody else changed since stays and is named; so does a person who has been written to or is in a workflow.
    Can be killed and begun again at any moment: each batch commits with what the undo has done so far. Raises NotPossibleNow.
    """
    begun = (ImportState.DONE, ImportState.FAILED, ImportState.UNDOING)
    if not Import.objects.filter(pk=import_id, state__in=begun).update(state=ImportState.UNDOING, worked_at=now()):
        raise NotPossibleNow("Only an import that is done, or that failed, can be undone")
    row = Import.objects.get(pk=import_id)
    copies.remove_copy(row.uid)  # of one that failed: it will not be continued
    done = _stored(row)
    ours = Batch.objects.filter(source="import", reference=to_public(Import.PREFIX, row.uid)).order_by("-id")
    batches = list(ours.values_list("id", flat=True))
    left = [batch_id for batch_id in batches if done.last_batch is None or batch_id < done.last_batch]
    for number, batch_id in enumerate(left, start=1 + len(batches) - len(left)):
        done = _undo_batch(row, batch_id, done, now())
        on_progress(number, len(batches))
    return _finish(row, done, now())


def _stored(row: Import) -> Undoing:
    stored = dict(row.undone)
    return Undoing(**stored | {"kept_numbers": tuple(stored["kept_numbers"])}) if stored else Undoing()


@retried
def _undo_batch(row: Import, batch_id: int, done: Undoing, at: datetime) -> Undoing:
    """One transaction. Raises NotPossibleNow where another process took the undo over."""
    with transaction("undo", str(batch_id)) as log:
        carts = let_orders_go(batch_id)
        undone = undo_orders(batch_id)
        take_back(batch_id, log, at)
        undo_products(batch_id)
        execute("DELETE FROM consent_consententry WHERE batch_id = %s", [batch_id])
        execute("DELETE FROM consent_suppressionentry WHERE batch_id = %s", [batch_id])
        gone = undo_people(batch_id, log, at, _who_stays)
        resolve(undone.profiles - gone, log, at)
        settle_carts(carts, log, at, silence_of_carts())
        after = done.with_batch(batch_id, undone, len(gone))
        ours = Import.objects.filter(pk=row.pk, state=ImportState.UNDOING, undone=row.undone)
        if not ours.update(undone=asdict(after), worked_at=at):
            raise NotPossibleNow("Another process took this undo over")
    row.undone = json.loads(json.dumps(asdict(after)))  # as it is stored
    return after


def _who_stays(profiles: set[int]) -> set[int]:
    """Whoever has orders, refunds or carts left, was written to, is in a workflow or on a list; the others' derived rows go."""
    ids = list(profiles)
    stay: set[int] = set()
    for model in (Order, Refund, Cart, Message, Run):
        stay |= set(model.objects.filter(profile__in=ids).values_list("profile_id", flat=True))
    stay |= set(ListMember.objects.filter(profile__in=ids, until_batch=None).values_list("profile_id", flat=True))
    going = [profile for profile in ids if profile not in stay]
    forget_profiles(going)
    Membership.objects.filter(profile__in=going).delete()
    former = CustomerProfile.objects.filter(profile__in=going).exclude(until_batch=None)
    refresh_figures(former.values_list("customer_id", flat=True))  # where the log's reader has not come to it yet
    return stay


def _finish(row: Import, done: Undoing, at: datetime) -> Import:
    with transaction("undo", to_public(Import.PREFIX, row.uid)) as log:
        log.append(events.import_undone(row.pk, done.kept, at))
        Import.objects.filter(pk=row.pk).update(state=ImportState.UNDONE, ended_at=at, sentence=done.sentence)
        RejectedRows.objects.filter(source=row).delete()
    row.refresh_from_db()
    return row
