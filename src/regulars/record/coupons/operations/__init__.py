"""What can be done to coupons."""

from regulars.record.coupons.operations.apply import AppliedCoupons, apply_coupons, remove_coupons

__all__ = ["AppliedCoupons", "apply_coupons", "remove_coupons"]
