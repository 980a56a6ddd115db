"""Bodies of webhooks, in the REST shape that version 2026-10 still sends.

Written field by field from the documented resources. Since 2025-01 a customer has no tags, consents, counts or sums in it; since
2026-04 a checkout has no ``id`` and an order no ``checkout_id``.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fakes.shopify import sums
from fakes.shopify.amounts import Bag, Currencies, plain_text
from fakes.shopify.records import (
    Address,
    Application,
    Consent,
    Customer,
    Fulfilment,
    Line,
    Order,
    Refund,
    RefundLine,
    Shipping,
    Tax,
    Transaction,
)
from fakes.shopify.settings import Settings

Json = dict[str, Any]


def moment(at: datetime | None, zone: str) -> str | None:
    """In the shop's own time zone, as REST writes it."""
    return at.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds") if at else None


def bag(amount: Bag, of: Currencies) -> Json:
    return {
        "shop_money": {"amount": plain_text(amount.shop, of.shop), "currency_code": of.shop},
        "presentment_money": {"amount": plain_text(amount.shown, of.shown), "currency_code": of.shown},
    }


def _both(name: str, amount: Bag, of: Currencies) -> Json:
    """``name`` in the shop's currency and ``name_set`` in both."""
    return {name: plain_text(amount.shop, of.shop), f"{name}_set": bag(amount, of)}


def address(of: Address | None) -> Json | None:
    if of is None:
        return None
    names = (
        "first_name",
        "last_name",
        "company",
        "address1",
        "address2",
        "city",
        "province",
        "country",
        "zip",
        "phone",
    )
    known = {name: getattr(of, name) for name in names}
    return known | {
        "name": of.name,
        "province_code": of.province_code,
        "country_code": of.country_code,
        "latitude": None,
        "longitude": None,
    }


def _customer_address(of: Address, customer: Customer) -> Json:
    plain = address(of) or {}
    return {key: value for key, value in plain.items() if key not in ("latitude", "longitude")} | {
        "id": of.number_of_kind,
        "customer_id": customer.number_of_kind,
        "country_name": of.country,
        "default": of is customer.default_address,
    }


def customer(of: Customer, shop: Settings, *, is_whole: bool = True) -> Json:
    content: Json = {
        "id": of.number_of_kind,
        "created_at": moment(of.created_at, shop.timezone),
        "updated_at": moment(of.updated_at, shop.timezone),
        "first_name": of.first_name,
        "last_name": of.last_name,
        "state": of.state.lower(),
        "note": of.note,
        "verified_email": of.verified_email,
        "multipass_identifier": None,
        "tax_exempt": of.tax_exempt,
        "email": of.email,
        "phone": of.phone,
        "currency": shop.currency,
        "tax_exemptions": [],
        "admin_graphql_api_id": of.gid,
        "default_address": _customer_address(of.default_address, of) if of.default_address else None,
    }
    return content | ({"addresses": [_customer_address(one, of) for one in of.addresses]} if is_whole else {})


def email_consent(of: Customer, shop: Settings) -> Json:
    return {
        "customer_id": of.number_of_kind,
        "email_address": of.email,
        "email_marketing_consent": _consent(of.email_consent, shop),
    }


def sms_consent(of: Customer, shop: Settings) -> Json:
    told = _consent(of.sms_consent, shop) | {"consent_collected_from": of.sms_consent.collected_from}
    return {"id": of.number_of_kind, "phone": of.phone, "sms_marketing_consent": told}


def _consent(of: Consent, shop: Settings) -> Json:
    return {
        "state": of.state.lower(),
        "opt_in_level": of.level.lower() if of.level else None,
        "consent_updated_at": moment(of.updated_at, shop.timezone),
    }


def order(of: Order, shop: Settings) -> Json:
    return _about(of, shop) | _amounts(of) | _parts(of, shop)


_UNTOLD: Json = dict.fromkeys(
    (
        "browser_ip",
        "client_details",
        "device_id",
        "landing_site_ref",
        "location_id",
        "po_number",
        "reference",
        "source_identifier",
        "source_url",
        "user_id",
    )
)


def _about(of: Order, shop: Settings) -> Json:
    zone = shop.timezone
    return _UNTOLD | {
        "id": of.number_of_kind,
        "admin_graphql_api_id": of.gid,
        "app_id": 580111,
        "buyer_accepts_marketing": of.accepts_marketing,
        "cancel_reason": of.cancel_reason.lower() if of.cancel_reason else None,
        "cancelled_at": moment(of.cancelled_at, zone),
        "cart_token": of.cart_token,
        "checkout_token": of.checkout_token,
        "closed_at": moment(of.closed_at, zone),
        "confirmation_number": f"C{of.number:08d}",
        "confirmed": True,
        "contact_email": of.email,
        "created_at": moment(of.created_at, zone),
        "currency": of.currencies.shop,
        "customer_locale": of.customer_locale,
        "discount_codes": [_discount_code(of, one) for one in of.applications if one.code],
        "duties_included": False,
        "email": of.email or "",
        "estimated_taxes": False,
        "financial_status": sums.financial_status(of).lower(),
        "fulfillment_status": _fulfillment(sums.fulfillment_status(of)),
        "landing_site": of.landing_page,
        "name": of.name,
        "note": of.note,
        "note_attributes": [{"name": name, "value": value} for name, value in of.attributes.items()],
        "number": of.number - 1000,
        "order_number": of.number,
        "order_status_url": f"https://{shop.domain}/{shop.number}/orders/{of.number_of_kind:032x}/authenticate?key=fake",
        "payment_gateway_names": sorted({one.gateway for one in of.transactions}),
        "phone": of.phone,
        "presentment_currency": of.currencies.shown,
        "processed_at": moment(of.processed_at, zone),
        "referring_site": of.referrer,
        "source_name": of.source_name,
        "tags": ", ".join(of.tags),
        "tax_exempt": False,
        "taxes_included": of.taxes_included,
        "test": of.test,
        "token": f"{of.number_of_kind:032x}",
        "updated_at": moment(of.updated_at, zone),
    }


def _amounts(of: Order) -> Json:
    money = of.currencies
    line_prices = Bag(
        sum(line.price.shop * line.quantity for line in of.lines),
        sum(line.price.shown * line.quantity for line in of.lines),
    )
    return {
        **_both("current_subtotal_price", sums.current_subtotal(of), money),
        **_both("current_total_discounts", sums.current_discounts(of), money),
        **_both("current_total_price", sums.current_total(of), money),
        **_both("current_total_tax", sums.current_tax(of), money),
        **_both("subtotal_price", sums.subtotal(of), money),
        **_both("total_discounts", sums.total_discounts(of), money),
        **_both("total_line_items_price", line_prices, money),
        **_both("total_price", sums.total_price(of), money),
        **_both("total_tax", sums.total_tax(of), money),
        "current_shipping_price_set": bag(sums.current_shipping(of), money),
        "total_shipping_price_set": bag(sums.shipping_price(of), money),
        "total_outstanding": plain_text(sums.outstanding(of).shop, money.shop),
        "total_tip_received": plain_text(0, money.shop),
        "total_weight": sum(line.quantity * 200 for line in of.lines if line.requires_shipping),
        "current_total_duties_set": None,
        "original_total_duties_set": None,
    }


def _parts(of: Order, shop: Settings) -> Json:
    return {
        "billing_address": address(of.billing_address),
        "customer": customer(of.customer, shop, is_whole=False) if of.customer else None,
        "discount_applications": [_application(one, of.currencies) for one in of.applications],
        "fulfillments": [fulfillment(one, of, shop) for one in of.fulfilments],
        "line_items": [line_item(one, of) for one in of.lines],
        "payment_terms": None,
        "refunds": [refund(one, of, shop) for one in of.refunds],
        "returns": [],
        "shipping_address": address(of.shipping_address),
        "shipping_lines": [_shipping_line(of.shipping, of.currencies)] if of.shipping else [],
        "tax_lines": [_tax(one, of.currencies) for line in of.lines for one in line.taxes],
    }


def _fulfillment(status: str) -> str | None:
    return {"FULFILLED": "fulfilled", "PARTIALLY_FULFILLED": "partial", "RESTOCKED": "restocked"}.get(status)


def _discount_code(of: Order, code: Application) -> Json:
    parts = [*(line.allocations for line in of.lines), *([of.shipping.allocations] if of.shipping else [])]
    amount = sum(part[code.index].shop for part in parts if code.index in part)
    kind = "shipping" if code.is_on_shipping else "percentage" if code.is_percentage else "fixed_amount"
    return {"code": code.code, "amount": plain_text(amount, of.currencies.shop), "type": kind}


def _application(of: Application, money: Currencies) -> Json:
    value = f"{of.value / 100:.1f}" if of.is_percentage else plain_text(of.value, money.shown)
    return {
        "target_type": "shipping_line" if of.is_on_shipping else "line_item",
        "type": "discount_code" if of.code else "manual",
        "value": value,
        "value_type": "percentage" if of.is_percentage else "fixed_amount",
        "allocation_method": "across",
        "target_selection": "all",
        **({"code": of.code} if of.code else {"title": of.title, "description": of.title}),
    }


def _allocations(of: dict[int, Bag], money: Currencies) -> list[Json]:
    return [{**_amount(amount, money), "discount_application_index": index} for index, amount in of.items()]


def _amount(amount: Bag, money: Currencies) -> Json:
    return {"amount": plain_text(amount.shown, money.shown), "amount_set": bag(amount, money)}


def _tax(of: Tax, money: Currencies) -> Json:
    return {"channel_liable": False, "rate": of.rate, "title": of.title, **_both("price", of.amount, money)}


def line_item(of: Line, within: Order) -> Json:
    money = within.currencies
    out = sums.fulfilled_quantity(within, of)
    left = sums.current_quantity(within, of)
    state = "fulfilled" if out and out >= left else "partial" if out else None
    return {
        "id": of.number_of_kind,
        "admin_graphql_api_id": of.gid,
        "attributed_staffs": [],
        "current_quantity": left,
        "fulfillable_quantity": max(left - out, 0),
        "fulfillment_service": "manual",
        "fulfillment_status": state,
        "gift_card": of.is_gift_card,
        "grams": 200 if of.requires_shipping else 0,
        "name": f"{of.title} - {of.variant_title}" if of.variant_title else of.title,
        "product_exists": of.product is not None,
        "product_id": of.product.number_of_kind if of.product else None,
        "properties": [{"name": name, "value": value} for name, value in of.properties.items()],
        "quantity": of.quantity,
        "requires_shipping": of.requires_shipping,
        "sku": of.sku,
        "taxable": of.taxable,
        "title": of.title,
        "variant_id": of.variant.number_of_kind if of.variant else None,
        "variant_inventory_management": "shopify",
        "variant_title": of.variant_title,
        "vendor": of.vendor,
        **_both("price", of.price, money),
        **_both("total_discount", Bag(), money),
        "tax_lines": [_tax(one, money) for one in of.taxes],
        "duties": [],
        "discount_allocations": _allocations(of.allocations, money),
    }


def _shipping_line(of: Shipping, money: Currencies) -> Json:
    return {
        "id": of.number_of_kind,
        "carrier_identifier": None,
        "code": of.code,
        "delivery_category": None,
        "is_removed": False,
        "phone": None,
        "requested_fulfillment_service_id": None,
        "source": "shopify",
        "title": of.title,
        **_both("price", of.price, money),
        **_both("discounted_price", of.price - sums.discount(of), money),
        "tax_lines": [_tax(one, money) for one in of.taxes],
        "discount_allocations": _allocations(of.allocations, money),
    }


def refund(of: Refund, within: Order, shop: Settings) -> Json:
    return {
        "id": of.number_of_kind,
        "admin_graphql_api_id": of.gid,
        "created_at": moment(of.created_at, shop.timezone),
        "note": of.note,
        "order_id": within.number_of_kind,
        "processed_at": moment(of.created_at, shop.timezone),
        "restock": any(one.restock_type != "NO_RESTOCK" for one in of.lines),
        "total_duties_set": bag(Bag(), within.currencies),
        "user_id": None,
        "return": None,
        "order_adjustments": _adjustments(of, within),
        "transactions": [transaction(one, within, shop) for one in of.transactions],
        "refund_line_items": [_refund_line(one, within) for one in of.lines],
        "refund_shipping_lines": _refunded_shipping(of, within),
        "duties": [],
    }


def _adjustments(of: Refund, within: Order) -> list[Json]:
    """An amount of minus five says that five more were given back than lines and shipping come to."""
    if not of.discrepancy:
        return []
    money = within.currencies
    return [
        {
            "id": of.adjustment_number,
            "order_id": within.number_of_kind,
            "refund_id": of.number_of_kind,
            "kind": "refund_discrepancy",
            "reason": "Refund discrepancy",
            **_both("amount", of.discrepancy * -1, money),
            **_both("tax_amount", Bag(), money),
        }
    ]


def _refunded_shipping(of: Refund, within: Order) -> list[Json]:
    if not of.shipping or not within.shipping:
        return []
    return [
        {
            "id": of.adjustment_number,
            "shipping_line": _shipping_line(within.shipping, within.currencies),
            "subtotal_amount_set": bag(of.shipping, within.currencies),
        }
    ]


def _refund_line(of: RefundLine, within: Order) -> Json:
    """``subtotal`` and ``total_tax`` are numbers here, not texts: so it is in the documented samples."""
    money = within.currencies
    return {
        "id": of.number_of_kind,
        "line_item_id": of.line.number_of_kind,
        "location_id": None,
        "quantity": of.quantity,
        "restock_type": of.restock_type.lower(),
        "subtotal": float(plain_text(of.subtotal.shop, money.shop)),
        "subtotal_set": bag(of.subtotal, money),
        "total_tax": float(plain_text(of.tax.shop, money.shop)),
        "total_tax_set": bag(of.tax, money),
        "line_item": line_item(of.line, within),
    }


def transaction(of: Transaction, within: Order, shop: Settings) -> Json:
    return {
        "id": of.number_of_kind,
        "admin_graphql_api_id": of.gid,
        "amount": plain_text(of.amount.shown, within.currencies.shown),
        "authorization": None,
        "created_at": moment(of.created_at, shop.timezone),
        "currency": within.currencies.shown,
        "device_id": None,
        "error_code": None,
        "gateway": of.gateway,
        "kind": of.kind.lower(),
        "location_id": None,
        "message": None,
        "order_id": within.number_of_kind,
        "parent_id": of.parent.number_of_kind if of.parent else None,
        "payment_id": f"{within.name}.{of.number_of_kind}",
        "processed_at": moment(of.created_at, shop.timezone),
        "receipt": {},
        "source_name": within.source_name,
        "status": of.status.lower(),
        "test": of.is_test,
        "user_id": None,
    }


def fulfillment(of: Fulfilment, within: Order, shop: Settings) -> Json:
    return {
        "id": of.number_of_kind,
        "admin_graphql_api_id": of.gid,
        "created_at": moment(of.created_at, shop.timezone),
        "location_id": None,
        "name": of.name,
        "order_id": within.number_of_kind,
        "origin_address": {},
        "receipt": {},
        "service": "manual",
        "shipment_status": {"DELIVERED": "delivered", "IN_TRANSIT": "in_transit"}.get(of.display_status),
        "status": of.status.lower(),
        "tracking_company": of.company,
        "tracking_number": of.tracking_numbers[0] if of.tracking_numbers else None,
        "tracking_numbers": of.tracking_numbers,
        "tracking_url": of.tracking_urls[0] if of.tracking_urls else None,
        "tracking_urls": of.tracking_urls,
        "updated_at": moment(of.updated_at, shop.timezone),
        "line_items": [line_item(one.line, within) | {"quantity": one.quantity} for one in of.lines],
    }
