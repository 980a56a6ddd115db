"""How a person's coupons are exported, and what is erased: that a code was theirs."""

from regulars.foundation.privacy import SubjectData, register
from regulars.foundation.subjects import exported
from regulars.record.coupons.models import Coupon

register(
    SubjectData(
        "coupons_coupon",
        lambda ids: exported(Coupon.objects.filter(profile__in=ids).order_by("pk")),
        lambda ids, at: Coupon.objects.filter(profile__in=ids).update(profile=None),
        "the code and what it was worth: the books must be kept",
    )
)
