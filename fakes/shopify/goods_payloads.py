"""Bodies of webhooks about products, stock, discounts, carts and checkouts."""

from typing import Any

from fakes.shopify.amounts import Bag, Currencies, plain_text, total
from fakes.shopify.payloads import address, bag, customer, moment
from fakes.shopify.records import (
    Cart,
    Checkout,
    CheckoutLine,
    Code,
    Collection,
    Coupon,
    Image,
    InventoryItem,
    Product,
    Variant,
)
from fakes.shopify.settings import Settings

Json = dict[str, Any]


def product(of: Product, shop: Settings) -> Json:
    zone = shop.timezone
    return {
        "admin_graphql_api_id": of.gid,
        "body_html": of.description_html,
        "created_at": moment(of.created_at, zone),
        "handle": of.handle,
        "id": of.number_of_kind,
        "product_type": of.product_type,
        "published_at": moment(of.published_at, zone),
        "template_suffix": None,
        "title": of.title,
        "updated_at": moment(of.updated_at, zone),
        "vendor": of.vendor,
        "status": of.status.lower(),
        "published_scope": "global",
        "tags": ", ".join(of.tags),
        "variants": [_variant(one, of, shop) for one in of.variants],
        "options": _options(of),
        "images": [_image(of.image, of, shop)] if of.image else [],
        "image": _image(of.image, of, shop) if of.image else None,
        "media": [],
        "variant_gids": [
            {"admin_graphql_api_id": one.gid, "updated_at": moment(one.updated_at, zone)} for one in of.variants
        ],
        "has_variants_that_requires_components": False,
        "category": None,
    }


def _variant(of: Variant, within: Product, shop: Settings) -> Json:
    options = [*of.options.values(), None, None, None][:3]
    compare = of.compare_at_price
    return {
        "admin_graphql_api_id": of.gid,
        "barcode": of.barcode,
        "compare_at_price": plain_text(compare, shop.currency) if compare is not None else None,
        "created_at": moment(of.created_at, shop.timezone),
        "id": of.number_of_kind,
        "inventory_policy": of.inventory_policy.lower(),
        "position": of.position,
        "price": plain_text(of.price, shop.currency),
        "product_id": within.number_of_kind,
        "sku": of.sku,
        "taxable": of.taxable,
        "title": of.title,
        "updated_at": moment(of.updated_at, shop.timezone),
        "option1": options[0],
        "option2": options[1],
        "option3": options[2],
        "image_id": None,
        "inventory_item_id": of.item.number_of_kind,
        "inventory_quantity": sum(of.item.levels.values()),
        "old_inventory_quantity": sum(of.item.levels.values()),
    }


def _options(of: Product) -> list[Json]:
    names = list(of.variants[0].options) if of.variants else []
    return [
        {
            "name": name,
            "id": of.number_of_kind * 10 + place,
            "product_id": of.number_of_kind,
            "position": place,
            "values": list(dict.fromkeys(variant.options[name] for variant in of.variants)),
        }
        for place, name in enumerate(names, 1)
    ]


def _image(image: Image, of: Product, shop: Settings) -> Json:
    return {
        "id": image.number_of_kind,
        "alt": image.alt,
        "position": 1,
        "product_id": of.number_of_kind,
        "created_at": moment(image.created_at, shop.timezone),
        "updated_at": moment(image.created_at, shop.timezone),
        "admin_graphql_api_id": image.gid,
        "width": 925,
        "height": 617,
        "src": image.url,
        "variant_ids": [],
    }


def collection(of: Collection, shop: Settings) -> Json:
    return {
        "id": of.number_of_kind,
        "handle": of.handle,
        "title": of.title,
        "updated_at": moment(of.updated_at, shop.timezone),
        "body_html": of.description_html,
        "published_at": moment(of.updated_at, shop.timezone),
        "sort_order": "best-selling",
        "template_suffix": None,
        "published_scope": "global",
        "admin_graphql_api_id": of.gid,
    }


def inventory_level(of: InventoryItem, location: int, shop: Settings) -> Json:
    level = f"gid://shopify/InventoryLevel/{of.level_ids[location]}?inventory_item_id={of.number_of_kind}"
    return {
        "inventory_item_id": of.number_of_kind,
        "location_id": location,
        "available": of.levels[location],
        "updated_at": moment(of.updated_at, shop.timezone),
        "admin_graphql_api_id": level,
    }


def inventory_item(of: InventoryItem, sku: str | None, shop: Settings) -> Json:
    return {
        "id": of.number_of_kind,
        "sku": sku,
        "created_at": moment(of.created_at, shop.timezone),
        "updated_at": moment(of.updated_at, shop.timezone),
        "requires_shipping": of.requires_shipping,
        "cost": plain_text(of.unit_cost, shop.currency) if of.unit_cost is not None else None,
        "country_code_of_origin": None,
        "province_code_of_origin": None,
        "harmonized_system_code": None,
        "tracked": of.tracked,
        "country_harmonized_system_codes": [],
        "weight_value": of.grams / 1000,
        "weight_unit": "kg",
        "admin_graphql_api_id": of.gid,
    }


def discount(of: Coupon, status: str, shop: Settings) -> Json:
    return {
        "admin_graphql_api_id": of.gid,
        "title": of.title,
        "status": status,
        "created_at": moment(of.created_at, shop.timezone),
        "updated_at": moment(of.updated_at, shop.timezone),
    }


def redeem_code(of: Coupon, code: Code, shop: Settings) -> Json:
    return {
        "admin_graphql_api_id": of.gid,
        "redeem_code": {"id": code.gid, "code": code.code},
        "updated_at": moment(of.updated_at, shop.timezone),
    }


def cart(of: Cart, money: Currencies) -> Json:
    return {
        "id": of.token,
        "token": of.token,
        "line_items": [_cart_line(one, money) for one in of.lines],
        "note": of.note,
        "updated_at": of.updated_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "created_at": of.created_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    }


def _cart_line(of: CheckoutLine, money: Currencies) -> Json:
    each, whole = of.price, of.price * of.quantity
    single, line = plain_text(each.shop, money.shop), plain_text(whole.shop, money.shop)
    return {
        "id": of.variant.number_of_kind,
        "properties": None,
        "quantity": of.quantity,
        "variant_id": of.variant.number_of_kind,
        "key": f"{of.variant.number_of_kind}:{of.number_of_kind:032x}",
        "discounted_price": single,
        "discounts": [],
        "gift_card": of.product.is_gift_card,
        "grams": of.variant.item.grams,
        "line_price": line,
        "original_line_price": line,
        "original_price": single,
        "price": single,
        "product_id": of.product.number_of_kind,
        "sku": of.variant.sku,
        "taxable": of.variant.taxable,
        "title": f"{of.product.title} - {of.variant.title}",
        "total_discount": plain_text(0, money.shop),
        "vendor": of.product.vendor,
        "discounted_price_set": bag(each, money),
        "line_price_set": bag(whole, money),
        "original_line_price_set": bag(whole, money),
        "price_set": bag(each, money),
        "total_discount_set": bag(Bag(), money),
    }


def checkout(of: Checkout, shop: Settings) -> Json:
    """Amounts are in the presentment currency."""
    money, zone = of.currencies, shop.timezone
    whole = plain_text(total([line.price * line.quantity for line in of.lines]).shown, money.shown)
    return {
        "token": of.token,
        "cart_token": of.cart_token,
        "email": of.email,
        "gateway": None,
        "buyer_accepts_marketing": of.accepts_marketing,
        "buyer_accepts_sms_marketing": False,
        "sms_marketing_phone": None,
        "created_at": moment(of.created_at, zone),
        "updated_at": moment(of.updated_at, zone),
        "landing_site": None,
        "note": None,
        "note_attributes": [{"name": name, "value": value} for name, value in of.attributes.items()],
        "referring_site": None,
        "shipping_lines": [],
        "shipping_address": address(of.shipping_address),
        "taxes_included": shop.taxes_included,
        "total_weight": sum(line.variant.item.grams * line.quantity for line in of.lines),
        "currency": money.shop,
        "presentment_currency": money.shown,
        "completed_at": moment(of.completed_at, zone),
        "phone": of.phone,
        "customer_locale": "en",
        "line_items": [_checkout_line(one, money) for one in of.lines],
        "name": f"#{of.number_of_kind}",
        "abandoned_checkout_url": of.url,
        "discount_codes": [{"code": code, "amount": "0.00", "type": "percentage"} for code in of.discount_codes],
        "tax_lines": [],
        "source_name": "web",
        "total_discounts": plain_text(0, money.shown),
        "total_line_items_price": whole,
        "total_price": whole,
        "total_tax": plain_text(0, money.shown),
        "subtotal_price": whole,
        "total_duties": None,
        "customer": customer(of.customer, shop, is_whole=False) if of.customer else None,
    }


def _checkout_line(of: CheckoutLine, money: Currencies) -> Json:
    return {
        "key": f"{of.number_of_kind:032x}",
        "fulfillment_service": "manual",
        "gift_card": of.product.is_gift_card,
        "grams": of.variant.item.grams,
        "presentment_title": of.product.title,
        "presentment_variant_title": of.variant.title,
        "product_id": of.product.number_of_kind,
        "properties": None,
        "quantity": of.quantity,
        "requires_shipping": of.variant.item.requires_shipping,
        "sku": of.variant.sku,
        "tax_lines": [],
        "taxable": of.variant.taxable,
        "title": of.product.title,
        "variant_id": of.variant.number_of_kind,
        "variant_title": of.variant.title,
        "vendor": of.product.vendor,
        "applied_discounts": [],
        "discount_allocations": [],
        "compare_at_price": None,
        "line_price": plain_text((of.price * of.quantity).shown, money.shown),
        "price": plain_text(of.price.shown, money.shown),
    }
