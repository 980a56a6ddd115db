"""Webhooks speak Shopify's older language (REST). Here it is put into that of the API, so that one mapping reads both and the same state
gives the same statement, whichever way it comes. What a webhook does not tell is left out, never blanked.

Payloads: https://shopify.dev/docs/api/webhooks. Since 2025-01 a customer in them has neither tags nor consent: those have topics of
their own.
"""

from decimal import Decimal
from typing import Any

from regulars.connections.shopify.mapping.exchanging import paid_back, rate_of
from regulars.connections.shopify.mapping.values import Node, decimal

_SENT = {"fulfilled": "FULFILLED", "partial": "PARTIALLY_FULFILLED", "restocked": "RESTOCKED"}
_PLAIN = {  # names that differ in their writing only
    "id": "id",
    "name": "name",
    "title": "title",
    "handle": "handle",
    "vendor": "vendor",
    "note": "note",
    "phone": "phone",
    "test": "test",
    "created_at": "createdAt",
    "updated_at": "updatedAt",
    "processed_at": "processedAt",
    "cancelled_at": "cancelledAt",
    "completed_at": "completedAt",
    "published_at": "publishedAt",
    "first_name": "firstName",
    "last_name": "lastName",
    "product_type": "productType",
    "source_name": "sourceName",
    "customer_locale": "customerLocale",
    "cart_token": "cartToken",
    "checkout_token": "checkoutToken",
    "token": "token",
    "currency": "currencyCode",
    "taxes_included": "taxesIncluded",
    "abandoned_checkout_url": "abandonedCheckoutUrl",
}


def _plain(payload: Node) -> dict[str, Any]:
    return {there: payload[here] for here, there in _PLAIN.items() if here in payload}


def _pointer(number: object) -> Node | None:
    return {"id": number} if number else None


def _bag(said: Node | None) -> Node | None:
    """A money bag; None for none."""
    return {_camel(name): _money(money) for name, money in said.items() if money} if said else None


def _money(said: Node) -> Node:
    return {"amount": said["amount"], "currencyCode": said["currency_code"]}


def _camel(name: str) -> str:
    return "shopMoney" if name == "shop_money" else "presentmentMoney"


def _shop(amount: object, currency: object = "") -> Node:
    return {"shopMoney": {"amount": str(amount), "currencyCode": currency}}


def _address(said: Node | None) -> Node | None:
    if not said:
        return None
    same = ("name", "company", "address1", "address2", "city", "zip", "province", "phone")
    told = {name: said.get(name) for name in same}
    return told | {
        "firstName": said.get("first_name"),
        "lastName": said.get("last_name"),
        "countryCodeV2": said.get("country_code"),
    }


# --- customers ---


def customer(payload: Node) -> Node:
    node = _plain(payload) | {"defaultAddress": _address(payload.get("default_address"))}
    if payload.get("email"):
        mail = payload.get("email_marketing_consent") or {}
        node["defaultEmailAddress"] = {
            "emailAddress": payload["email"],
            "marketingState": mail.get("state"),
            "marketingOptInLevel": mail.get("opt_in_level"),
            "marketingUpdatedAt": mail.get("consent_updated_at"),
        }
    if payload.get("phone"):
        sms = payload.get("sms_marketing_consent")
        node["defaultPhoneNumber"] = {"phoneNumber": payload["phone"], "smsMarketingConsent": sms_consent(sms)}
    if payload.get("tags"):  # told by versions before 2025-01
        node["tags"] = [tag.strip() for tag in payload["tags"].split(",")]
    return node


def sms_consent(said: Node | None) -> Node | None:
    if not said:
        return None
    return {
        "state": said.get("state"),
        "optInLevel": said.get("opt_in_level"),
        "updatedAt": said.get("consent_updated_at"),
        "collectedFrom": said.get("consent_collected_from"),
    }


# --- orders ---


def order(payload: Node) -> Node:
    """An order. Its payments are not in it."""
    rate = rate_of(payload.get("total_price_set"))
    return _plain(payload) | {
        "email": payload.get("contact_email") or payload.get("email"),
        "requiresShipping": any(line.get("requires_shipping", True) for line in payload["line_items"]),
        "displayFinancialStatus": (payload.get("financial_status") or "").upper(),
        "displayFulfillmentStatus": _SENT.get(payload.get("fulfillment_status") or "", "UNFULFILLED"),
        "discountCodes": [code["code"] for code in payload.get("discount_codes") or ()],
        "totalPriceSet": _bag(payload["total_price_set"]),
        "subtotalPriceSet": _bag(payload["subtotal_price_set"]),
        "totalTaxSet": _bag(payload.get("total_tax_set")),
        "customer": customer(payload["customer"]) if payload.get("customer") else None,
        "billingAddress": _address(payload.get("billing_address")),
        "shippingAddress": _address(payload.get("shipping_address")),
        "lineItems": {"nodes": [_line(line) for line in payload["line_items"]]},
        "fulfillments": [_fulfilment(one) for one in payload.get("fulfillments") or ()],
        "refunds": [refund(one, payload["currency"], rate) for one in payload.get("refunds") or ()],
    }


def _line(said: Node) -> Node:
    return _named(said) | {
        "quantity": said["quantity"],
        "discountAllocations": [
            {"allocatedAmountSet": _bag(one["amount_set"])} for one in said.get("discount_allocations") or ()
        ],
        "taxLines": [{"priceSet": _bag(one["price_set"])} for one in said.get("tax_lines") or ()],
    }


def _named(said: Node) -> dict[str, Any]:
    return {
        "id": said["id"],
        "sku": said.get("sku"),
        "name": said.get("name") or said.get("title"),
        "originalUnitPriceSet": _bag(said["price_set"]),
        "product": _pointer(said.get("product_id")),
        "variant": _pointer(said.get("variant_id")),
    }


def _fulfilment(said: Node) -> Node:
    numbers, urls = said.get("tracking_numbers") or (), said.get("tracking_urls") or ()
    count = max(len(numbers), len(urls))
    told = [
        {
            "company": said.get("tracking_company"),
            "number": numbers[place] if place < len(numbers) else None,
            "url": urls[place] if place < len(urls) else None,
        }
        for place in range(count)
    ]
    return _plain(said) | {
        "status": (said.get("status") or "").upper(),
        "displayStatus": (said.get("shipment_status") or "").upper(),
        "trackingInfo": told,
    }


# --- refunds ---


def refund(payload: Node, currency: str, rate: Decimal | None = None) -> Node:
    """A refund; ``rate`` is its order's, where it comes with one. Raises ValueError where its money cannot be told in the shop's."""
    lines, moved = payload.get("refund_line_items") or (), payload.get("transactions") or ()
    amounts = paid_back(payload, currency, rate)
    if amounts is None:
        raise ValueError("money of another currency without a rate")
    return _plain(payload) | {
        "refundLineItems": {"nodes": [_refund_line(one) for one in lines]},
        "refundShippingLines": {"nodes": list(_postage(payload))},
        "orderAdjustments": {"nodes": [one for one in payload.get("order_adjustments") or () if not _is_postage(one)]},
        "transactions": {"nodes": [_transaction(*one, currency) for one in zip(moved, amounts, strict=True)]},
    }


def currency_of(payload: Node) -> str:
    """The shop's own money in a refund that comes alone."""
    sets = [
        payload.get("total_duties_set"),
        *(one.get("subtotal_set") for one in payload.get("refund_line_items") or ()),
    ]
    sets += [one.get("amount_set") for one in payload.get("order_adjustments") or ()]
    told = (one["shop_money"]["currency_code"] for one in sets if one)
    paid = (one["currency"] for one in payload.get("transactions") or ())
    found: str = next(told, None) or next(paid)
    return found


def _refund_line(said: Node) -> Node:
    return {
        "quantity": said["quantity"],
        "lineItem": _named(said["line_item"]) | {"id": said["line_item_id"]},
        "subtotalSet": _bag(said["subtotal_set"]),
        "totalTaxSet": _bag(said["total_tax_set"]),
    }


def _postage(payload: Node) -> list[Node]:
    """Postage given back: lines of their own; in older payloads bookings below zero."""
    if "refund_shipping_lines" in payload:
        told = payload["refund_shipping_lines"] or ()
        return [
            {"subtotalAmountSet": _bag(one["subtotal_amount_set"]), "taxAmountSet": _bag(one.get("tax_amount_set"))}
            for one in told
        ]
    booked = filter(_is_postage, payload.get("order_adjustments") or ())
    return [
        {"subtotalAmountSet": _turned(one["amount_set"]), "taxAmountSet": _turned(one["tax_amount_set"])}
        for one in booked
    ]


def _is_postage(adjustment: Node) -> bool:
    return adjustment.get("kind") == "shipping_refund"


def _turned(said: Node) -> Node:
    return _shop(-decimal(said["shop_money"]["amount"]), said["shop_money"]["currency_code"])


def _transaction(said: Node, paid: Decimal, currency: str) -> Node:
    return _plain(said) | {
        "kind": said["kind"].upper(),
        "status": said["status"].upper(),
        "gateway": said.get("gateway"),
        "amountSet": _shop(paid, currency),
    }


# --- products, checkouts ---


def product(payload: Node) -> Node:
    """A product with the variants that the payload holds: of more than a hundred the rest is told by the API."""
    image = payload.get("image") or next(iter(payload.get("images") or ()), None) or {}
    return _plain(payload) | {
        "status": payload.get("status"),
        "featuredMedia": {"preview": {"image": {"url": image.get("src")}}},
        "variants": {"nodes": [_variant(one) for one in payload.get("variants") or ()]},
    }


def _variant(said: Node) -> Node:
    same = ("id", "title", "sku", "barcode", "price")
    return {name: said.get(name) for name in same} | {
        "compareAtPrice": said.get("compare_at_price"),
        "inventoryItem": _pointer(said.get("inventory_item_id")),
    }


def checkout(payload: Node) -> Node:
    money = payload.get("presentment_currency") or payload["currency"]  # that of its lines' prices
    return _plain(payload) | {
        "email": payload.get("email"),
        "totalPriceSet": _shop(payload.get("total_price") or "0", money),
        "customer": customer(payload["customer"]) if payload.get("customer") else None,
        "billingAddress": _address(payload.get("billing_address")),
        "shippingAddress": _address(payload.get("shipping_address")),
        "lineItems": {"nodes": [_checkout_line(one) for one in payload.get("line_items") or ()]},
    }


def _checkout_line(said: Node) -> Node:
    return {
        "sku": said.get("sku"),
        "title": said.get("title"),
        "variantTitle": said.get("variant_title"),
        "quantity": said["quantity"],
        "originalUnitPriceSet": _shop(said["price"]),
        "product": _pointer(said.get("product_id")),
        "variant": _pointer(said.get("variant_id")),
    }
