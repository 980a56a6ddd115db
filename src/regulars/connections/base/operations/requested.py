"""Carrying out what platforms ask in people's names: an account that the shop erased is erased here, and no more than that.

A shop that joins two accounts asks for the erasure of the old one. So it is never a mail address by which somebody is erased, but the
shop's own number; whoever else the same person is stays.
"""

from datetime import datetime

import structlog

from regulars.connections.base.models import PlatformRequest, RequestKind
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.audit.operations import SYSTEM, record
from regulars.foundation.errors import NotFound
from regulars.foundation.work.loops import Stop
from regulars.record.customers.operations.erasure import Erased, SomebodyElse, erase_profiles
from regulars.record.customers.queries import customers_of

logger = structlog.get_logger(__name__)


def carry_out_requests(stop: Stop, at: datetime) -> bool:
    """Erases whom platforms ask to be erased; the rest waits for staff. Whoever was faster is found at the next round."""
    for row in PlatformRequest.objects.filter(kind=RequestKind.ERASE, done_at=None).order_by("due_at")[:50]:
        if stop.is_set():
            return False
        try:
            outcome = _erase(row, at)
        except SomebodyElse:
            continue
        except Exception as error:  # noqa: BLE001  one that cannot be erased now must not hold up the others; it stays open, and is shown
            logger.error("an erasure that a shop asks for failed", request=row.pk, why=type(error).__name__)
            continue
        PlatformRequest.objects.filter(pk=row.pk).update(done_at=at, outcome=outcome)
    return False


def _erase(row: PlatformRequest, at: datetime) -> str:
    if row.profile_id is None:
        return "Nobody of this number was known."
    customer = customers_of([row.profile_id]).get(row.profile_id)
    if customer is None:
        return "Nobody of this number was known."
    try:
        erase_profiles(customer, [row.profile_id], SYSTEM, at)
    except (Erased, NotFound):
        return "They had been erased before."
    logger.info("erased at the shop's request", request=row.pk)
    return "Erased."


def mark_done(number: int, store_ids: frozenset[int] | None, by: Viewer, at: datetime) -> None:
    """Staff did what was asked: handed the data over, or erased a shop. Raises NotFound. Audited."""
    by.require("connections.manage")
    rows = PlatformRequest.objects.filter(pk=number, done_at=None)
    rows = rows.filter(connection__store__in=store_ids) if store_ids is not None else rows
    if not rows.update(done_at=at, outcome="Done by staff."):
        raise NotFound
    record("platform-request.done", by, f"request:{number}", at=at)
