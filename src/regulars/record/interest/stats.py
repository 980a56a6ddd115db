"""What ``regulars stats`` says of wishes, searches, reviews and tried coupons."""

from regulars.record.interest.models import Review, Search, TriedCoupon, WishlistItem


def stats() -> dict[str, object]:
    """Rows, also of what was taken off a list again."""
    counted = {"wishlist_items": WishlistItem, "searches": Search, "reviews": Review, "tried_coupons": TriedCoupon}
    return {name: model._default_manager.count() for name, model in counted.items()}
