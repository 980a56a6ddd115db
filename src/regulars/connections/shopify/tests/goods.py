"""Products and checkouts of the shop of ``state``, in both of Shopify's languages."""

from typing import Any

from regulars.connections.shopify.tests.state import (
    CHANGED,
    CREATED,
    CURRENCY,
    SHOP_TIME,
    address_node,
    address_payload,
    bag,
    customer_payload,
    gid,
    order_node,
)


def product_node(**more: Any) -> dict[str, Any]:
    return {
        "id": gid("Product", 501),
        "title": "Assam",
        "handle": "assam",
        "vendor": "Teahouse",
        "productType": "Black tea",
        "status": "ACTIVE",
        "publishedAt": CREATED,
        "createdAt": CREATED,
        "updatedAt": CHANGED,
        "featuredMedia": {"preview": {"image": {"url": "https://cdn.shopify.com/s/files/1/assam.jpg?v=1772360000"}}},
        "variants": {
            "nodes": [
                _variant_node(601, "100 g", "TEA-1", "12.50", "15.00", 701, "4.20"),
                _variant_node(602, "250 g", "", "29.00", None, 702, None),
            ]
        },
    } | more


def _variant_node(
    number: int, title: str, sku: str, price: str, was: str | None, item: int, cost: str | None
) -> dict[str, Any]:
    return {
        "id": gid("ProductVariant", number),
        "title": title,
        "sku": sku,
        "barcode": "4006381333931",
        "price": price,
        "compareAtPrice": was,
        "inventoryItem": {
            "id": gid("InventoryItem", item),
            "unitCost": {"amount": cost, "currencyCode": CURRENCY} if cost else None,
        },
    }


def product_payload(**more: Any) -> dict[str, Any]:
    return {
        "admin_graphql_api_id": gid("Product", 501),
        "body_html": "<p>Strong</p>",
        "created_at": SHOP_TIME[CREATED],
        "handle": "assam",
        "id": 501,
        "product_type": "Black tea",
        "published_at": SHOP_TIME[CREATED],
        "template_suffix": None,
        "title": "Assam",
        "updated_at": SHOP_TIME[CHANGED],
        "vendor": "Teahouse",
        "status": "active",
        "published_scope": "global",
        "tags": "black, strong",
        "variants": [
            _variant_payload(601, "100 g", "TEA-1", "12.50", "15.00", 701, 12),
            _variant_payload(602, "250 g", "", "29.00", None, 702, 3),
        ],
        "options": [{"name": "Size", "id": 1, "product_id": 501, "position": 1, "values": ["100 g", "250 g"]}],
        "images": [],
        "image": {"id": 1, "src": "https://cdn.shopify.com/s/files/1/assam.jpg?v=1772360001"},
        "media": [],
        "variant_gids": [],
        "has_variants_that_requires_components": False,
        "category": None,
    } | more


def _variant_payload(
    number: int, title: str, sku: str, price: str, was: str | None, item: int, count: int
) -> dict[str, Any]:
    return {
        "admin_graphql_api_id": gid("ProductVariant", number),
        "barcode": "4006381333931",
        "compare_at_price": was,
        "created_at": SHOP_TIME[CREATED],
        "id": number,
        "inventory_policy": "deny",
        "position": 1,
        "price": price,
        "product_id": 501,
        "sku": sku,
        "taxable": True,
        "title": title,
        "updated_at": SHOP_TIME[CHANGED],
        "option1": title,
        "option2": None,
        "option3": None,
        "image_id": None,
        "inventory_item_id": item,
        "inventory_quantity": count,
        "old_inventory_quantity": count,
    }


# --- checkouts ---


def checkout_node(**more: Any) -> dict[str, Any]:
    return {
        "id": gid("AbandonedCheckout", 901414060),
        "name": "#901414060",
        "createdAt": CREATED,
        "updatedAt": CHANGED,
        "completedAt": None,
        "abandonedCheckoutUrl": "https://tea.example/548380009/checkouts/b1946ac92492d2347c6235b4d2611184/recover?key=1f2e",
        "totalPriceSet": bag("42.50"),
        "customer": order_node()["customer"],
        "billingAddress": address_node(),
        "shippingAddress": None,
        "lineItems": {
            "nodes": [
                {
                    "id": gid("AbandonedCheckoutLineItem", 1),
                    "sku": "TEA-1",
                    "title": "Assam",
                    "variantTitle": "100 g",
                    "quantity": 3,
                    "originalUnitPriceSet": bag("12.50"),
                    "product": {"id": gid("Product", 501)},
                    "variant": {"id": gid("ProductVariant", 601)},
                }
            ]
        },
    } | more


def _checkout_line_payload() -> dict[str, Any]:
    return {
        "key": "1f2e",
        "fulfillment_service": "manual",
        "gift_card": False,
        "grams": 100,
        "presentment_title": "Assam",
        "presentment_variant_title": "100 g",
        "product_id": 501,
        "quantity": 3,
        "requires_shipping": True,
        "sku": "TEA-1",
        "taxable": True,
        "title": "Assam",
        "variant_id": 601,
        "variant_title": "100 g",
        "vendor": "Teahouse",
        "line_price": "37.50",
        "price": "12.50",
    }


def checkout_payload(**more: Any) -> dict[str, Any]:
    return {
        "id": 901414060,
        "token": "b1946ac92492d2347c6235b4d2611184",
        "cart_token": "hWN1c9Zx",
        "email": "ada.marsh@ringstrasse.net",
        "gateway": None,
        "buyer_accepts_marketing": False,
        "created_at": SHOP_TIME[CREATED],
        "updated_at": SHOP_TIME[CHANGED],
        "landing_site": None,
        "note": None,
        "taxes_included": True,
        "total_weight": 300,
        "currency": CURRENCY,
        "completed_at": None,
        "customer_locale": "de",
        "line_items": [_checkout_line_payload()],
        "name": "#901414060",
        "abandoned_checkout_url": "https://tea.example/548380009/checkouts/b1946ac92492d2347c6235b4d2611184/recover?key=1f2e",
        "discount_codes": [],
        "presentment_currency": CURRENCY,
        "total_discounts": "0.00",
        "total_line_items_price": "37.50",
        "total_price": "42.50",
        "total_tax": "2.78",
        "subtotal_price": "37.50",
        "phone": None,
        "billing_address": address_payload(),
        "shipping_address": None,
        "customer": customer_payload(),
    } | more
