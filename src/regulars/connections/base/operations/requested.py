"""Carrying out what platforms ask in people's names: an account that the shop erased is erased here, and no more than that.

A shop that joins two accounts asks for the erasure of the old one. So it is never a mail address by which somebody is erased, but the
shop's own number; whoever else the same person is stays.
"""

from datetime import datetime

import structlog
from django.db.models import Q

from regulars.connections.base.models import Connection, PlatformRequest, Pull, PullState, RequestKind
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.audit.operations import SYSTEM, record
from regulars.foundation.errors import NotFound
from regulars.foundation.work.loops import Stop
from regulars.record.customers.models import IdentityKind, Profile
from regulars.record.customers.operations.erasure import Erased, SomebodyElse, erase_profiles
from regulars.record.customers.queries import customers_of

logger = structlog.get_logger(__name__)


def carry_out_requests(stop: Stop, at: datetime) -> bool:
    """Erases whom platforms ask to be erased; the rest waits for staff. Whoever was faster is found at the next round."""
    rows = PlatformRequest.objects.select_related("connection").filter(kind=RequestKind.ERASE, done_at=None)
    for row in rows.order_by("due_at")[:50]:
        if stop.is_set():
            return False
        try:
            outcome = _erase(row, at)
        except SomebodyElse:
            continue
        except Exception as error:  # noqa: BLE001  one that cannot be erased now must not hold up the others; it stays open, and is shown
            logger.error("an erasure that a shop asks for failed", request=row.pk, why=type(error).__name__)
            continue
        if outcome:
            PlatformRequest.objects.filter(pk=row.pk).update(done_at=at, outcome=outcome)
    return False


def _erase(row: PlatformRequest, at: datetime) -> str:
    """What became of it; '' where somebody of this number may still come with the history that is being fetched."""
    outcomes = [_erase_one(profile, at) for profile in _profiles(row)]
    if not outcomes:
        return "" if _is_arriving(row) else "Nobody of this number was known."
    logger.info("erased at the shop's request", request=row.pk, profiles=len(outcomes))
    return "Erased." if any(outcomes) else "They had been erased before."


def _erase_one(profile: int, at: datetime) -> bool:
    try:
        erase_profiles(customers_of([profile])[profile], [profile], SYSTEM, at)
    except (Erased, NotFound):
        return False
    return True


def _profiles(row: PlatformRequest) -> list[int]:
    """Whom the shop's number names, and guests of the orders that it lists: an order of another account of the shop's is not theirs."""
    store, own = row.connection.store_id, Q(pk=row.profile_id)
    named = (
        Profile.objects.filter(own | Q(store=store, named_by__token=row.token))
        if row.token
        else Profile.objects.filter(own)
    )
    guests = Profile.objects.filter(order__store=store, order__external_id__in=row.orders)
    guests = guests.exclude(named_by__kind=IdentityKind.STORE_CUSTOMER)
    return sorted({*named.values_list("pk", flat=True), *guests.values_list("pk", flat=True)})


def _is_arriving(row: PlatformRequest) -> bool:
    ended = (PullState.DONE, PullState.FAILED)
    return Pull.objects.filter(connection=row.connection_id).exclude(state__in=ended).exists()


def mark_done(connection: Connection, number: int, by: Viewer, at: datetime) -> None:
    """Staff did what this connection's shop asked: handed the data over, or erased a shop. Raises NotFound. Audited."""
    by.require("connections.manage")
    rows = PlatformRequest.objects.filter(pk=number, connection=connection, done_at=None)
    if not rows.update(done_at=at, outcome="Done by staff."):
        raise NotFound
    record("platform-request.done", by, f"request:{number}", at=at)
