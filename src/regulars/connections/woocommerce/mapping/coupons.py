"""Coupons, to the record and from us to the shop."""

import re
from datetime import UTC
from decimal import Decimal
from typing import Any

from regulars.connections.base.platforms import Account, CouponRule
from regulars.connections.woocommerce.mapping.values import (
    Json,
    changed_at,
    decimal,
    find_moment,
    key,
    moment,
    text,
    whole,
)
from regulars.record.coupons.inputs import CouponInput, CouponRemoval
from regulars.record.coupons.models import CouponKind, CouponStatus
from regulars.record.customers.identifiers import canonical_email
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind

_KINDS = {"percent": CouponKind.PERCENT, "fixed_cart": CouponKind.FIXED}


def coupon_of(said: Json, account: Account) -> CouponInput | CouponRemoval:
    number, at = key(said["id"]), changed_at(said)
    if said.get("status") == "trash":
        return CouponRemoval(at, external_id=number)
    code = text(said["code"], 120)
    if not code:
        raise ValueError("a coupon without a code")
    amount, limit = round(decimal(said["amount"]), 6), said.get("usage_limit")
    return CouponInput(
        code=code,
        kind=_kind(said, amount),
        amount=amount,
        currency=account.currency,
        minimum=round(decimal(said.get("minimum_amount")), 6) or None,
        usage_limit=whole(limit) or None,
        used=whole(said.get("usage_count")),
        expires_at=find_moment(said, "date_expires"),
        status=CouponStatus.ACTIVE if said.get("status", "publish") == "publish" else CouponStatus.DISABLED,
        external_id=number,
        person=_person(said, account),
        description=text(said.get("description"), 1000),
        stated_at=at,
    )


def _kind(said: Json, amount: Decimal) -> CouponKind:
    """Plugins add kinds of their own."""
    if said.get("free_shipping") is True and not amount:
        return CouponKind.FREE_SHIPPING
    return _KINDS.get(text(said.get("discount_type")), CouponKind.OTHER)


def _person(said: Json, account: Account) -> PersonInput | None:
    """Whose coupon it is, where it is restricted to one address; '*@example.com' is nobody's."""
    allowed = said.get("email_restrictions") or []
    address = canonical_email(allowed[0]) if len(allowed) == 1 and isinstance(allowed[0], str) else ""
    if not address or "*" in address:
        return None
    identity = IdentityInput(IdentityKind.EMAIL, address)
    return PersonInput((identity,), moment(said, "date_created"), account.store_id, evidence="shop coupon")


def wanted_coupon(rule: CouponRule) -> dict[str, Any]:
    """A rule of ours as the shop is asked for it. Raises ValueError for a rule that says nothing."""
    if sum((rule.percent is not None, rule.amount is not None, rule.is_free_shipping)) != 1:
        raise ValueError("exactly one of percent, amount and free shipping")
    worth = rule.percent if rule.percent is not None else rule.amount
    said: dict[str, Any] = {
        "code": rule.code,
        "discount_type": "percent" if rule.percent is not None else "fixed_cart",
        "amount": f"{worth or Decimal(0):f}",
        "description": rule.title,
        "free_shipping": rule.is_free_shipping,
        "email_restrictions": [rule.email] if rule.email else [],
    }
    if rule.usage_limit is not None:
        said["usage_limit"] = rule.usage_limit
    if rule.minimum is not None:
        said["minimum_amount"] = f"{rule.minimum:f}"
    if rule.ends_at is not None:  # ``date_expires_gmt`` is documented and not heeded; with its zone this one is exact
        said["date_expires"] = f"{rule.ends_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"
    return said


def is_same_rule(rule: CouponRule, said: Json, account: Account) -> bool:
    """Whether a coupon of the shop does what the rule says."""
    there = coupon_of(said, account)
    if isinstance(there, CouponRemoval):
        return False
    kinds = {CouponKind.PERCENT: rule.percent, CouponKind.FIXED: rule.amount}
    is_kind = rule.is_free_shipping if there.kind == CouponKind.FREE_SHIPPING else kinds.get(there.kind) == there.amount
    allowed = [address.lower() for address in said.get("email_restrictions") or [] if isinstance(address, str)]
    ends = rule.ends_at.astimezone(UTC).replace(microsecond=0) if rule.ends_at else None
    return (
        is_kind
        and there.minimum == rule.minimum
        and there.usage_limit == rule.usage_limit
        and there.expires_at == ends
        and allowed == ([rule.email.lower()] if rule.email else [])
    )


def shop_code(code: str) -> str:
    """As WooCommerce keeps codes."""
    return re.sub(r"\s+", " ", code.strip()).lower()
