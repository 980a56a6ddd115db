"""Carrying out what platforms ask in people's names: an account that the shop erased is erased here, and no more than that.

A shop that joins two accounts asks for the erasure of the old one. So it is never a mail address by which somebody is erased, but the
shop's own number; whoever else the same person is stays.
"""

from datetime import datetime

import structlog
from django.db.models import Q

from regulars.connections.base.errors import InUse
from regulars.connections.base.models import (
    Connection,
    ConnectionState,
    PlatformRequest,
    Pull,
    PullState,
    RequestKind,
)
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.audit.operations import SYSTEM, record
from regulars.foundation.errors import NotFound
from regulars.foundation.vault.models import SubjectKey
from regulars.foundation.work.loops import Stop
from regulars.record.customers.models import IdentityKind, Profile
from regulars.record.customers.operations.erasure import Erased, SomebodyElse, allow_erasing, erase_profiles
from regulars.record.customers.queries import customers_of

AGREED = "Everybody of this shop is being erased."
# Then readers have a while in which nobody is erased: whom they read of is looked for after each erasure.
MOST_AT_ONCE = 200
logger = structlog.get_logger(__name__)


def carry_out_requests(stop: Stop, at: datetime) -> bool:
    """Erases whom platforms ask to be erased, and everybody of a shop once staff agreed; the rest waits for staff. Whoever was faster is
    found at the next round. None is passed over: of those that come first, many may wait for staff or a history."""
    is_agreed = Q(kind=RequestKind.ERASE) | Q(kind=RequestKind.ERASE_SHOP, outcome=AGREED)
    rows = PlatformRequest.objects.select_related("connection").filter(is_agreed, done_at=None)
    ended = 0
    for row in rows.order_by("due_at"):
        if stop.is_set() or ended >= MOST_AT_ONCE:
            return False
        try:
            outcome = _erase(row, at) if row.kind == RequestKind.ERASE else _erase_shop(row, stop, at)
        except SomebodyElse:
            continue
        except Exception as error:  # noqa: BLE001  one that cannot be erased now must not hold up the others; it stays open, and is shown
            logger.error("an erasure that a shop asks for failed", request=row.pk, why=type(error).__name__)
            continue
        if outcome:
            ended += PlatformRequest.objects.filter(pk=row.pk, done_at=None).update(done_at=at, outcome=outcome)
    return False


def _erase(row: PlatformRequest, at: datetime) -> str:
    """What became of it; '' where somebody of this number may still come with the history that is being fetched, and where the shop
    names nobody by a number: then staff look for them."""
    outcomes = [_erase_one(profile, at) for profile in _profiles(row)]
    if not outcomes:
        return "" if _is_arriving(row) or row.token is None else "Nobody of this number was known."
    logger.info("erased at the shop's request", request=row.pk, profiles=len(outcomes))
    return "Erased." if any(outcomes) else "They had been erased before."


def _erase_shop(row: PlatformRequest, stop: Stop, at: datetime) -> str:
    """Some more of everybody of the shop's store; what became of it once nobody is left. Staff are asked anew where a shop was connected
    meanwhile."""
    if _in_use(row.connection):
        PlatformRequest.objects.filter(pk=row.pk, done_at=None).update(outcome="")
        return ""
    held = SubjectKey.objects.filter(wrapped__isnull=False).values("subject")
    left = Profile.objects.filter(store=row.connection.store_id, pk__in=held)
    for profile in left.order_by("pk").values_list("pk", flat=True)[:MOST_AT_ONCE]:
        if stop.is_set():
            return ""
        try:
            _erase_one(profile, at)
        except SomebodyElse:
            continue
        except Exception as error:  # noqa: BLE001  as above: the others do not wait for one
            logger.error("one of a shop could not be erased", profile=profile, why=type(error).__name__)
    return "" if left.exists() else "Everybody of this shop was erased."


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


def erase_shop(connection: Connection, number: int, by: Viewer, at: datetime) -> None:
    """Staff agree to what this connection's shop asked when our app was removed: everybody of its store is erased, orders and totals stay.
    Raises NotAllowed, NotFound, InUse. Audited."""
    by.require("connections.manage")
    allow_erasing(by)
    if _in_use(connection):
        raise InUse
    asked = PlatformRequest.objects.filter(pk=number, connection=connection, kind=RequestKind.ERASE_SHOP, done_at=None)
    if not asked.update(outcome=AGREED):
        raise NotFound
    record("platform-request.agreed", by, f"request:{number}", at=at)


def _in_use(connection: Connection) -> bool:
    """Whether the store has a shop that is connected now: this one again, or another whose people would go too."""
    there = Connection.objects.filter(store=connection.store_id)
    others = Q(state=ConnectionState.FAILING) & ~Q(pk=connection.pk)
    return there.filter(others | Q(state=ConnectionState.ACTIVE)).exists()


def mark_done(connection: Connection, number: int, by: Viewer, at: datetime) -> None:
    """Staff did what this connection's shop asked: handed the data over, or erased a shop. Raises NotFound. Audited."""
    by.require("connections.manage")
    rows = PlatformRequest.objects.filter(pk=number, connection=connection, done_at=None)
    if not rows.update(done_at=at, outcome="Done by staff."):
        raise NotFound
    record("platform-request.done", by, f"request:{number}", at=at)
