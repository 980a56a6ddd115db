"""What every source of wishes, searches, reviews and tried coupons hands in; whom they are of is known by then."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from regulars.record.interest.models import CouponStep


@dataclass(frozen=True)
class WishInput:
    """Something was put on a wishlist, or taken off it. ``sku``, ``product_key`` or ``title`` must be there."""

    profile_id: int
    occurred_at: datetime
    currency: str
    is_removed: bool = False
    list_key: str = ""
    product_key: str = ""
    sku: str = ""
    title: str = ""
    unit_price: Decimal | None = None

    @property
    def item_key(self) -> str:
        """What tells one thing on a list from another."""
        return (self.sku or self.product_key or self.title)[:120]


@dataclass(frozen=True)
class SearchInput:
    """One search; the same input twice is two searches, so that whoever hands them in sees to it that each comes once."""

    profile_id: int
    occurred_at: datetime
    words: str


@dataclass(frozen=True)
class ReviewInput:
    """A review as it stands since then. ``rating`` None: none that is a number from 0 to 100."""

    profile_id: int
    occurred_at: datetime
    key: str
    is_claimed: bool
    product_key: str = ""
    rating: Decimal | None = None
    body: str = ""


@dataclass(frozen=True)
class TriedCouponInput:
    """Something that became of a coupon code at somebody's checkout. ``code`` is as it was said; ``discount`` what it took off."""

    profile_id: int
    occurred_at: datetime
    code: str
    step: CouponStep
    discount: Decimal | None = None
    currency: str = ""
