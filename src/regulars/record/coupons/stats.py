"""What ``regulars stats`` says of coupons."""

from regulars.record.coupons.models import Coupon


def stats() -> dict[str, object]:
    """Coupon codes, whatever their state."""
    return {"coupons": Coupon.objects.count()}
