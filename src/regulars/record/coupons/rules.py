"""How codes are compared, and how coupons stand. Pure."""

from datetime import datetime

from regulars.record.coupons.models import CouponStatus

EXPIRED, USED_UP, PENDING = "expired", "used_up", "pending"


def name_of(code: str) -> str:
    """A code as it is compared: shops take it in capitals or not."""
    return code.strip().casefold()


def codes_in(text: str) -> list[str]:
    """The codes of an order's ``discount_codes``: one or several, with commas between."""
    return [code for part in text.split(",") if (code := part.strip())]


def standing(
    status: str,
    starts_at: datetime | None,
    expires_at: datetime | None,
    usage_limit: int | None,
    used: int | None,
    at: datetime,
) -> str:
    """How a coupon stands at a moment: what the platform says, unless its time has not come, is over or it is used up."""
    if status != CouponStatus.ACTIVE:
        return status
    if expires_at is not None and expires_at <= at:
        return EXPIRED
    if usage_limit is not None and used is not None and used >= usage_limit:
        return USED_UP
    return PENDING if starts_at is not None and starts_at > at else status
