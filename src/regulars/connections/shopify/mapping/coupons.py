"""Discount codes. A discount has one code or thousands; each is a coupon, named by its code."""

from collections.abc import Iterator
from decimal import Decimal

from regulars.connections.base.platforms import Account
from regulars.connections.shopify.mapping.people import EVIDENCE, customer_identity
from regulars.connections.shopify.mapping.values import Node, decimal, moment, moment_or_none, number_of, text, whole
from regulars.record.coupons.inputs import CouponInput
from regulars.record.coupons.models import CouponKind
from regulars.record.customers.inputs import PersonInput


def coupons(account: Account, node: Node) -> Iterator[CouponInput]:
    """All codes of one discount."""
    discount = node["codeDiscount"]
    kind, worth = _worth(discount)
    least = (discount.get("minimumRequirement") or {}).get("greaterThanOrEqualToSubtotal")
    limit = discount.get("usageLimit")
    changed_at = moment(discount["updatedAt"])
    for code in discount["codes"]["nodes"]:
        yield CouponInput(
            code=text(code["code"], 120),
            kind=kind,
            amount=worth,
            currency=account.currency if kind == CouponKind.FIXED or least else "",
            minimum=decimal(least["amount"]) if least else None,
            usage_limit=None if limit is None else whole(limit),
            used=whole(code["asyncUsageCount"]),
            starts_at=moment_or_none(discount.get("startsAt")),
            expires_at=moment_or_none(discount.get("endsAt")),
            external_id=number_of(node["id"]),
            person=_only(account, discount),
            description=text(discount.get("title")),
            stated_at=changed_at,
        )


def _worth(discount: Node) -> tuple[CouponKind, Decimal]:
    """Shopify's percentages are parts of one: 0.1 is 10 %."""
    if discount["__typename"] == "DiscountCodeFreeShipping":
        return CouponKind.FREE_SHIPPING, Decimal(0)
    value = (discount.get("customerGets") or {}).get("value") or {}
    if "percentage" in value:
        return CouponKind.PERCENT, round(decimal(str(value["percentage"])) * 100, 6).normalize()
    if "amount" in value:
        return CouponKind.FIXED, decimal(value["amount"]["amount"])
    return CouponKind.OTHER, Decimal(0)


def _only(account: Account, discount: Node) -> PersonInput | None:
    """The one customer that a code is for."""
    chosen: list[Node] = (discount.get("context") or {}).get("customers") or []
    if len(chosen) != 1:
        return None
    identity = customer_identity(account, number_of(chosen[0]["id"]))
    return PersonInput((identity,), moment(discount["createdAt"]), account.store_id, evidence=EVIDENCE)
