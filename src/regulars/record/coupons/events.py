"""What happens to coupons."""

from datetime import datetime

from regulars.record.coupons.models import Coupon
from regulars.record.events.kinds import register
from regulars.record.events.log import Entry

_FIELDS = {"code": "as the shop writes it", "kind": "percent, fixed, free_shipping or other"}

CREATED = register("coupon.created", "The shop has a new coupon code", "coupon", **_FIELDS)
CHANGED = register(
    "coupon.changed",
    "A coupon is worth something else, for another time or others",
    "coupon",
    changed="names of what changed",
    **_FIELDS,
)
DELETED = register("coupon.deleted", "A coupon code is gone", "coupon", **_FIELDS)


def of_coupon(
    kind: str, coupon: Coupon, customer_id: int | None, occurred_at: datetime, is_history: bool = False, **more: object
) -> Entry:
    """Any of the coupon's events; of the person whom it is for, where it is for one."""
    data = {"code": coupon.code, "kind": str(coupon.kind), **more}
    return Entry(kind, occurred_at, coupon.profile_id, customer_id, coupon.pk, data, is_history=is_history)
