"""Who may see coupons."""

from regulars.foundation.access.rules import EVERYBODY, Role, offer_scope, permit

permit("coupons.view", "See coupon codes and what they are worth", *EVERYBODY)
permit("coupons.export", "Take lists of coupons out of the house", Role.MANAGER, Role.OPERATIONS, Role.ANALYST)
offer_scope("coupons:read", "List and read coupons", "coupons.view")
