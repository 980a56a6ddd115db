"""How a person's coupons are exported, and what is erased: that a code was theirs."""

from regulars.foundation.privacy import SubjectData, register
from regulars.foundation.subjects import exported
from regulars.record.coupons.models import Coupon, WantedCode

register(
    SubjectData(
        "coupons_coupon",
        lambda ids: exported(Coupon.objects.filter(profile__in=ids).order_by("pk")),
        lambda ids, at: Coupon.objects.filter(profile__in=ids).update(profile=None),
        "the code and what it was worth: the books must be kept",
    )
)
register(
    SubjectData(
        "coupons_wantedcode",
        lambda ids: exported(WantedCode.objects.filter(profile__in=ids).order_by("pk")),
        lambda ids, at: WantedCode.objects.filter(profile__in=ids).update(profile=None),
        "that a code was made, and what it was worth",
    )
)
