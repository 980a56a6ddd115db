"""What every source of coupons hands in."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from regulars.record.coupons.models import CouponKind, CouponStatus
from regulars.record.customers.inputs import PersonInput


@dataclass(frozen=True)
class CouponInput:
    """One coupon as its source states it now. Its code is its name in the store, in capitals or not.

    ``amount`` is a percentage (10 = 10 %) or money of ``currency`` in whole units (4.50), by ``kind``; ``minimum`` likewise money.
    ``stated_at`` as for orders: an input stated earlier than what is stored changes nothing. None: what comes later stands.
    ``person``: the code is for one customer only. ``usage_limit`` None: no limit.
    """

    code: str
    kind: CouponKind
    amount: Decimal = Decimal(0)
    currency: str = ""
    minimum: Decimal | None = None
    usage_limit: int | None = None
    used: int | None = None  # how often so far, where the source says
    starts_at: datetime | None = None
    expires_at: datetime | None = None
    status: CouponStatus = CouponStatus.ACTIVE
    external_id: str = ""
    person: PersonInput | None = None
    description: str = ""
    stated_at: datetime | None = None
    profile_id: int | None = None  # whom we made it for; beside ``person``, which is what sources say


@dataclass(frozen=True)
class CouponRemoval:
    """A coupon that its source says is gone, by its id or its code. Nothing stated up to ``stated_at`` brings it back."""

    stated_at: datetime
    external_id: str = ""
    code: str = ""
