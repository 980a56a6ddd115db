"""One state of a shop told in both of Shopify's languages, built field by field from its documents: the API's nodes
(https://shopify.dev/docs/api/admin-graphql/2026-10) and the payloads of webhooks (https://shopify.dev/docs/api/webhooks)."""

from typing import Any

CREATED, CHANGED = "2026-03-01T10:00:00Z", "2026-03-02T09:30:00Z"
SHOP_TIME = {
    CREATED: "2026-03-01T11:00:00+01:00",
    CHANGED: "2026-03-02T10:30:00+01:00",
}  # webhooks tell the shop's own time
CURRENCY = "EUR"


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


def bag(amount: str, currency: str = CURRENCY) -> dict[str, Any]:
    return {"shopMoney": {"amount": amount, "currencyCode": currency}}


def both(amount: str, shown: str = "", money: str = "") -> dict[str, Any]:
    return bag(amount) | {"presentmentMoney": {"amount": shown or amount, "currencyCode": money or CURRENCY}}


def money_set(amount: str, shown: str = "", money: str = "") -> dict[str, Any]:
    return {
        "shop_money": {"amount": amount, "currency_code": CURRENCY},
        "presentment_money": {"amount": shown or amount, "currency_code": money or CURRENCY},
    }


# --- customers ---


def customer_node(**more: Any) -> dict[str, Any]:
    return {
        "id": gid("Customer", 7001),
        "firstName": "Ada",
        "lastName": "Marsh",
        "note": "Rings twice",
        "tags": ["wholesale", "newsletter"],
        "createdAt": CREATED,
        "updatedAt": CHANGED,
        "defaultEmailAddress": {
            "emailAddress": "Ada.Marsh@ringstrasse.net",
            "marketingState": "SUBSCRIBED",
            "marketingOptInLevel": "CONFIRMED_OPT_IN",
            "marketingUpdatedAt": CREATED,
        },
        "defaultPhoneNumber": {
            "phoneNumber": "+4930123456",
            "smsMarketingConsent": {
                "state": "UNSUBSCRIBED",
                "optInLevel": "SINGLE_OPT_IN",
                "updatedAt": CHANGED,
                "collectedFrom": "OTHER",
            },
        },
        "defaultAddress": address_node(),
    } | more


def address_node() -> dict[str, Any]:
    return {
        "firstName": "Ada",
        "lastName": "Marsh",
        "name": "Ada Marsh",
        "company": "Marsh & Co",
        "address1": "Ringstrasse 5",
        "address2": "Hof",
        "city": "Berlin",
        "zip": "10115",
        "province": "Berlin",
        "provinceCode": "BE",
        "countryCodeV2": "DE",
        "phone": None,
    }


def address_payload() -> dict[str, Any]:
    return {
        "id": 9001,
        "customer_id": 7001,
        "first_name": "Ada",
        "last_name": "Marsh",
        "company": "Marsh & Co",
        "address1": "Ringstrasse 5",
        "address2": "Hof",
        "city": "Berlin",
        "province": "Berlin",
        "country": "Germany",
        "zip": "10115",
        "phone": None,
        "name": "Ada Marsh",
        "province_code": "BE",
        "country_code": "DE",
        "country_name": "Germany",
        "default": True,
    }


def customer_payload(**more: Any) -> dict[str, Any]:
    """Since 2025-01 without tags and consent."""
    return {
        "id": 7001,
        "email": "Ada.Marsh@ringstrasse.net",
        "created_at": SHOP_TIME[CREATED],
        "updated_at": SHOP_TIME[CHANGED],
        "first_name": "Ada",
        "last_name": "Marsh",
        "state": "enabled",
        "note": "Rings twice",
        "verified_email": True,
        "multipass_identifier": None,
        "tax_exempt": False,
        "currency": "EUR",
        "phone": "+4930123456",
        "addresses": [address_payload()],
        "tax_exemptions": [],
        "admin_graphql_api_id": gid("Customer", 7001),
        "default_address": address_payload(),
    } | more


# --- orders ---


def line_node(number: int, price: str, quantity: int, discounts: tuple[str, ...] = (), tax: str = "") -> dict[str, Any]:
    return {
        "id": gid("LineItem", number),
        "sku": f"TEA-{number}",
        "name": f"Tea {number} - 100 g",
        "requiresShipping": True,
        "originalUnitPriceSet": bag(price),
        "product": {"id": gid("Product", 500 + number)},
        "variant": {"id": gid("ProductVariant", 600 + number)},
        "quantity": quantity,
        "discountAllocations": [{"allocatedAmountSet": bag(one)} for one in discounts],
        "taxLines": [{"priceSet": bag(tax)}] if tax else [],
    }


def line_payload(
    number: int, price: str, quantity: int, discounts: tuple[str, ...] = (), tax: str = ""
) -> dict[str, Any]:
    return {
        "id": number,
        "admin_graphql_api_id": gid("LineItem", number),
        "current_quantity": quantity,
        "fulfillable_quantity": quantity,
        "fulfillment_service": "manual",
        "fulfillment_status": None,
        "gift_card": False,
        "grams": 100,
        "name": f"Tea {number} - 100 g",
        "price": price,
        "price_set": money_set(price),
        "product_exists": True,
        "product_id": 500 + number,
        "properties": [],
        "quantity": quantity,
        "requires_shipping": True,
        "sku": f"TEA-{number}",
        "taxable": True,
        "title": f"Tea {number}",
        "total_discount": "0.00",
        "total_discount_set": money_set("0.00"),
        "variant_id": 600 + number,
        "variant_inventory_management": "shopify",
        "variant_title": "100 g",
        "vendor": "Teahouse",
        "tax_lines": [
            {"channel_liable": False, "price": tax, "price_set": money_set(tax), "rate": 0.07, "title": "VAT"}
        ]
        if tax
        else [],
        "duties": [],
        "discount_allocations": [
            {"amount": one, "amount_set": money_set(one), "discount_application_index": 0} for one in discounts
        ],
    }


def order_node(**more: Any) -> dict[str, Any]:
    """Two lines (2 x 12.50 less 2.50, 1 x 30), 5 for postage, prices with tax, paid by card, nothing sent."""
    return {
        "id": gid("Order", 450789469),
        "name": "#1001",
        "createdAt": CREATED,
        "processedAt": CREATED,
        "updatedAt": CHANGED,
        "cancelledAt": None,
        "test": False,
        "sourceName": "web",
        "note": "Leave it at the door",
        "customerLocale": "de",
        "email": "ada.marsh@ringstrasse.net",
        "phone": None,
        "cartToken": "hWN1c9Zx",
        "checkoutToken": "b1946ac92492d2347c6235b4d2611184",
        "currencyCode": CURRENCY,
        "presentmentCurrencyCode": CURRENCY,
        "taxesIncluded": True,
        "requiresShipping": True,
        "displayFinancialStatus": "PAID",
        "displayFulfillmentStatus": "UNFULFILLED",
        "discountCodes": ["SPRING"],
        "totalPriceSet": both("57.50"),
        "subtotalPriceSet": bag("52.50"),
        "totalTaxSet": bag("3.76"),
        "customer": _buyer_node(),
        "billingAddress": address_node(),
        "shippingAddress": address_node(),
        "transactions": [_moved_node(81, "SALE", CREATED, "57.50")],
        "fulfillments": [],
        "refunds": [],
        "lineItems": {"nodes": [line_node(1, "12.50", 2, ("2.50",), "1.47"), line_node(2, "30.00", 1, (), "1.96")]},
    } | more


def _buyer_node() -> dict[str, Any]:
    return {
        "id": gid("Customer", 7001),
        "firstName": "Ada",
        "lastName": "Marsh",
        "defaultEmailAddress": {"emailAddress": "Ada.Marsh@ringstrasse.net"},
        "defaultPhoneNumber": {"phoneNumber": "+4930123456"},
    }


def _moved_node(number: int, kind: str, at: str, amount: str) -> dict[str, Any]:
    return {
        "id": gid("OrderTransaction", number),
        "kind": kind,
        "status": "SUCCESS",
        "gateway": "shopify_payments",
        "test": False,
        "createdAt": at,
        "processedAt": at,
        "amountSet": bag(amount),
    }


def order_payload(**more: Any) -> dict[str, Any]:
    """The same state as ``order_node`` tells; a webhook of an order holds no payments."""
    money = {
        "current_subtotal_price": "52.50",
        "current_subtotal_price_set": money_set("52.50"),
        "current_total_price": "57.50",
        "current_total_price_set": money_set("57.50"),
        "subtotal_price": "52.50",
        "subtotal_price_set": money_set("52.50"),
        "total_discounts": "2.50",
        "total_discounts_set": money_set("2.50"),
        "total_line_items_price": "55.00",
        "total_outstanding": "0.00",
        "total_price": "57.50",
        "total_price_set": money_set("57.50"),
        "total_shipping_price_set": money_set("5.00"),
        "total_tax": "3.76",
        "total_tax_set": money_set("3.76"),
    }
    return _told_of_order() | money | more


def _told_of_order() -> dict[str, Any]:
    """All of it but its sums."""
    return {
        "id": 450789469,
        "admin_graphql_api_id": gid("Order", 450789469),
        "app_id": 580111,
        "browser_ip": "203.0.113.9",
        "buyer_accepts_marketing": True,
        "cancel_reason": None,
        "cancelled_at": None,
        "cart_token": "hWN1c9Zx",
        "checkout_id": 901414060,
        "checkout_token": "b1946ac92492d2347c6235b4d2611184",
        "client_details": {"accept_language": None, "browser_height": None, "browser_ip": "203.0.113.9"},
        "closed_at": None,
        "confirmation_number": "MMXIK3P06",
        "confirmed": True,
        "contact_email": "ada.marsh@ringstrasse.net",
        "created_at": SHOP_TIME[CREATED],
        "currency": CURRENCY,
        "customer_locale": "de",
        "discount_codes": [{"code": "SPRING", "amount": "2.50", "type": "percentage"}],
        "email": "ada.marsh@ringstrasse.net",
        "financial_status": "paid",
        "fulfillment_status": None,
        "name": "#1001",
        "note": "Leave it at the door",
        "note_attributes": [],
        "number": 1,
        "order_number": 1001,
        "phone": None,
        "presentment_currency": CURRENCY,
        "processed_at": SHOP_TIME[CREATED],
        "source_name": "web",
        "tags": "",
        "tax_lines": [{"price": "3.76", "rate": 0.07, "title": "VAT"}],
        "taxes_included": True,
        "test": False,
        "token": "abcdef1234567890",
        "updated_at": SHOP_TIME[CHANGED],
        "billing_address": address_payload(),
        "customer": customer_payload(),
        "discount_applications": [],
        "fulfillments": [],
        "line_items": [line_payload(1, "12.50", 2, ("2.50",), "1.47"), line_payload(2, "30.00", 1, (), "1.96")],
        "payment_terms": None,
        "refunds": [],
        "shipping_address": address_payload(),
        "shipping_lines": [{"id": 77, "price": "5.00", "price_set": money_set("5.00"), "title": "Parcel"}],
    }


SENT_NODE = {
    "id": gid("Fulfillment", 255),
    "status": "SUCCESS",
    "displayStatus": "IN_TRANSIT",
    "createdAt": CHANGED,
    "updatedAt": CHANGED,
    "trackingInfo": [
        {"company": "DHL", "number": "JD014600", "url": "https://www.dhl.de/JD014600"},
        {"company": "DHL", "number": "JD014601", "url": "https://www.dhl.de/JD014601"},
    ],
}
SENT_PAYLOAD = {
    "id": 255,
    "admin_graphql_api_id": gid("Fulfillment", 255),
    "created_at": SHOP_TIME[CHANGED],
    "line_items": [],
    "location_id": 487838322,
    "name": "#1001.1",
    "order_id": 450789469,
    "service": "manual",
    "shipment_status": "in_transit",
    "status": "success",
    "tracking_company": "DHL",
    "tracking_number": "JD014600",
    "tracking_numbers": ["JD014600", "JD014601"],
    "tracking_url": "https://www.dhl.de/JD014600",
    "tracking_urls": ["https://www.dhl.de/JD014600", "https://www.dhl.de/JD014601"],
    "updated_at": SHOP_TIME[CHANGED],
}


Lines = tuple[tuple[int, int, str, str], ...]  # line, quantity, subtotal, tax
ONE_PACKET: Lines = ((1, 1, "11.25", "0.74"),)


def refund_node(money: str = "16.25", lines: Lines = ONE_PACKET, postage: str = "5.00") -> dict[str, Any]:
    bought = {1: line_node(1, "12.50", 2), 2: line_node(2, "30.00", 1)}
    return {
        "id": gid("Refund", 509562969),
        "createdAt": CHANGED,
        "processedAt": CHANGED,
        "refundLineItems": {
            "nodes": [
                {"quantity": quantity, "lineItem": bought[line], "subtotalSet": bag(subtotal), "totalTaxSet": bag(tax)}
                for line, quantity, subtotal, tax in lines
            ]
        },
        "refundShippingLines": {"nodes": [_postage_back(postage)] if postage else []},
        "orderAdjustments": {"nodes": []},
        "transactions": {"nodes": [_moved_node(82, "REFUND", CHANGED, money)] if money else []},
    }


def _postage_back(amount: str) -> dict[str, Any]:
    return {"id": gid("RefundShippingLine", 4), "subtotalAmountSet": bag(amount), "taxAmountSet": bag("0.33")}


def refund_payload(money: str = "16.25", lines: Lines = ONE_PACKET, postage: str = "5.00") -> dict[str, Any]:
    return {
        "id": 509562969,
        "admin_graphql_api_id": gid("Refund", 509562969),
        "created_at": SHOP_TIME[CHANGED],
        "note": "Torn packet",
        "order_id": 450789469,
        "processed_at": SHOP_TIME[CHANGED],
        "restock": True,
        "total_duties_set": money_set("0.00"),
        "user_id": 548380009,
        "order_adjustments": [],
        "transactions": [_money_back_payload(money)] if money else [],
        "refund_line_items": [_line_back_payload(*line) for line in lines],
        "refund_shipping_lines": [_postage_back_payload(postage)] if postage else [],
        "duties": [],
    }


def _money_back_payload(amount: str) -> dict[str, Any]:
    return {
        "id": 82,
        "admin_graphql_api_id": gid("OrderTransaction", 82),
        "amount": amount,
        "currency": CURRENCY,
        "created_at": SHOP_TIME[CHANGED],
        "processed_at": SHOP_TIME[CHANGED],
        "gateway": "shopify_payments",
        "kind": "refund",
        "order_id": 450789469,
        "parent_id": 81,
        "status": "success",
        "test": False,
    }


def _line_back_payload(line: int, quantity: int, subtotal: str, tax: str) -> dict[str, Any]:
    bought = {1: line_payload(1, "12.50", 2), 2: line_payload(2, "30.00", 1)}
    return {
        "id": 104689539 + line,
        "line_item_id": line,
        "location_id": 487838322,
        "quantity": quantity,
        "restock_type": "return",
        "subtotal": float(subtotal),
        "subtotal_set": money_set(subtotal),
        "total_tax": float(tax),
        "total_tax_set": money_set(tax),
        "line_item": bought[line],
    }


def _postage_back_payload(amount: str) -> dict[str, Any]:
    return {
        "id": 4,
        "shipping_line": {"id": 77, "title": "Parcel"},
        "subtotal_amount_set": money_set(amount),
        "tax_amount_set": money_set("0.33"),
    }
