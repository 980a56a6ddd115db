"""What the shop is told: somebody's word about being written to, and codes made for workflows."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from regulars.connections.base.platforms import Account, ConsentChange, CouponRule, Refused
from regulars.connections.shopify.calls import ask, done
from regulars.connections.shopify.mapping.coupons import coupons
from regulars.connections.shopify.mapping.values import number_of
from regulars.connections.shopify.selections import CODE, DISCOUNTS
from regulars.record.coupons.inputs import CouponInput
from regulars.record.coupons.models import CouponKind
from regulars.record.customers.identifiers import canonical_email, canonical_phone

_STATE = """
query Consent($id: ID!) {
  customer(id: $id) {
    id
    defaultEmailAddress { emailAddress marketingState }
    defaultPhoneNumber { phoneNumber smsMarketingConsent { state } }
  }
}
"""
_TELL_MAIL = """
mutation TellMail($input: CustomerEmailMarketingConsentUpdateInput!) {
  customerEmailMarketingConsentUpdate(input: $input) { customer { id } userErrors { code field message } }
}
"""
_TELL_TEXT = """
mutation TellText($input: CustomerSmsMarketingConsentUpdateInput!) {
  customerSmsMarketingConsentUpdate(input: $input) { customer { id } userErrors { code field message } }
}
"""
_DISCOUNT = " ".join(
    f"... on {kind} {{ {fields} codes(first: 1) {{ nodes {{ {CODE} }} }} }}" for kind, fields in DISCOUNTS.items()
)
_BY_CODE = f"query ByCode($code: String!) {{ codeDiscountNodeByCode(code: $code) {{ id codeDiscount {{ __typename {_DISCOUNT} }} }} }}"
_BY_MAIL = "query Customer($query: String!) { customers(first: 1, query: $query) { nodes { id } } }"
_MAKE = """
mutation Make($discount: DiscountCodeBasicInput!) {
  discountCodeBasicCreate(basicCodeDiscount: $discount) { codeDiscountNode { id } userErrors { code field message } }
}
"""
_MAKE_FREE = """
mutation MakeFree($discount: DiscountCodeFreeShippingInput!) {
  discountCodeFreeShippingCreate(freeShippingCodeDiscount: $discount) {
    codeDiscountNode { id }
    userErrors { code field message }
  }
}
"""


def write_consent(account: Account, change: ConsentChange) -> None:
    """Tells the shop, unless it knows already. Raises Refused where it knows the person under another address."""
    gid = f"gid://shopify/Customer/{change.customer_key}"
    found = ask(account, _STATE, {"id": gid})["customer"]
    if not found:
        raise Refused("The shop has no such customer any more.")
    is_mail = change.channel == "email"
    address, state = _known(found, is_mail)
    wanted = "SUBSCRIBED" if change.is_granted else "UNSUBSCRIBED"
    if address != change.address:
        raise Refused("The shop knows this customer under another address.")
    if state == wanted:
        return
    word = {"marketingState": wanted, "consentUpdatedAt": change.occurred_at.astimezone(UTC).isoformat()}
    word |= {"marketingOptInLevel": "SINGLE_OPT_IN"} if change.is_granted else {}
    document, name = (
        (_TELL_MAIL, "customerEmailMarketingConsentUpdate")
        if is_mail
        else (_TELL_TEXT, "customerSmsMarketingConsentUpdate")
    )
    kind = "emailMarketingConsent" if is_mail else "smsMarketingConsent"
    done(ask(account, document, {"input": {"customerId": gid, kind: word}})[name])


def _known(customer: Mapping[str, Any], is_mail: bool) -> tuple[str, str]:
    if is_mail:
        mail = customer["defaultEmailAddress"] or {}
        return canonical_email(mail.get("emailAddress", "")), mail.get("marketingState", "")
    phone = customer["defaultPhoneNumber"] or {}
    return canonical_phone(phone.get("phoneNumber", "")), (phone.get("smsMarketingConsent") or {}).get("state", "")


def make_coupon(account: Account, rule: CouponRule, at: datetime) -> str:
    """Shopify's number of the discount with this code. Raises Refused where the code is there and does something else."""
    whose = _customer(account, rule)
    if there := _same(account, rule, whose):
        return there
    discount = _discount(account, rule, whose, at)
    document, name = (
        (_MAKE_FREE, "discountCodeFreeShippingCreate") if rule.is_free_shipping else (_MAKE, "discountCodeBasicCreate")
    )
    made = ask(account, document, {"discount": discount})[name]
    is_taken = any(error.get("code") == "TAKEN" for error in made.get("userErrors") or ())  # somebody was faster
    if is_taken and (there := _same(account, rule, whose)):
        return there
    return number_of(done(made)["codeDiscountNode"]["id"])


def _same(account: Account, rule: CouponRule, whose: str) -> str:
    """The discount that has the code; '' where none has. Raises Refused where its rule is another."""
    found = ask(account, _BY_CODE, {"code": rule.code})["codeDiscountNodeByCode"]
    if not found:
        return ""
    if not any(_does(one, rule, whose) for one in coupons(account, found)):
        raise Refused(f"The shop has a code {rule.code} already, and it does something else.")
    return number_of(found["id"])


def _does(there: CouponInput, rule: CouponRule, whose: str) -> bool:
    kind, worth = _worth(rule)
    ends = rule.ends_at.astimezone(UTC).replace(microsecond=0) if rule.ends_at else None  # Shopify keeps seconds
    person = there.person.identities[0].value if there.person else ""
    is_worth = (there.kind, there.amount) == (kind, worth) and rule.currency in ("", there.currency or rule.currency)
    is_bound = (there.minimum or Decimal(0), there.usage_limit) == (rule.minimum or Decimal(0), rule.usage_limit)
    return is_worth and is_bound and (there.expires_at, person) == (ends, number_of(whose))


def _worth(rule: CouponRule) -> tuple[CouponKind, Decimal]:
    if rule.is_free_shipping:
        return CouponKind.FREE_SHIPPING, Decimal(0)
    if rule.percent is not None:
        return CouponKind.PERCENT, rule.percent
    return CouponKind.FIXED, rule.amount or Decimal(0)


def _discount(account: Account, rule: CouponRule, whose: str, at: datetime) -> dict[str, Any]:
    """What Shopify is asked to make. It begins at once, and counts for the whole order."""
    said: dict[str, Any] = {
        "title": rule.title or rule.code,
        "code": rule.code,
        "startsAt": at.astimezone(UTC).isoformat(),
        "endsAt": rule.ends_at.astimezone(UTC).isoformat() if rule.ends_at else None,
        "usageLimit": rule.usage_limit,
        "appliesOncePerCustomer": bool(rule.email),
        "context": {"customers": {"add": [whose]}} if whose else {"all": "ALL"},
    }
    if rule.minimum:
        said["minimumRequirement"] = {"subtotal": {"greaterThanOrEqualToSubtotal": str(rule.minimum)}}
    if not rule.is_free_shipping:
        said["customerGets"] = {"value": _value(account, rule), "items": {"all": True}}
    return said


def _value(account: Account, rule: CouponRule) -> dict[str, Any]:
    if rule.percent is not None:
        return {"percentage": float(rule.percent / 100)}
    if rule.currency and rule.currency != account.currency:
        raise Refused(f"The shop's money is {account.currency}: a code cannot be worth {rule.currency}.")
    return {"discountAmount": {"amount": str(rule.amount), "appliesOnEachItem": False}}


def _customer(account: Account, rule: CouponRule) -> str:
    """Shopify's id of the one whose code it is; '' where it is everybody's."""
    if not rule.email:
        return ""
    address = rule.email.replace("\\", "").replace("'", "").replace('"', "")
    found = ask(account, _BY_MAIL, {"query": f"email:'{address}'"})["customers"]["nodes"]
    if not found:
        raise Refused("The shop has no customer with this address, so the code cannot be kept for them.")
    return str(found[0]["id"])
