"""How products, stock, collections, discounts and checkouts are read."""

from fakes.shopify.amounts import Bag, decimal_text, total
from fakes.shopify.context import Asking, Field, Fields, Json, attributes, bag, count, money
from fakes.shopify.records import Checkout, CheckoutLine, Coupon, Image, InventoryItem, Product, Variant
from fakes.shopify.searching import bad_request

OTHER_QUANTITIES = ("committed", "damaged", "incoming", "quality_control", "reserved", "safety_stock")


def stock(of: Variant) -> int:
    return sum(of.item.levels.values())


def _image(of: Image | None) -> Json | None:
    if of is None:
        return None
    return {
        "id": of.gid,
        "url": of.url,
        "src": of.url,
        "originalSrc": of.url,
        "altText": of.alt,
        "width": 925,
        "height": 617,
    }


def _range(of: Product, ask: Asking) -> Json:
    prices = [one.price for one in of.variants] or [0]
    return {"minVariantPrice": money(min(prices), ask.currency), "maxVariantPrice": money(max(prices), ask.currency)}


def _compared(of: Product, ask: Asking) -> Json | None:
    prices = [one.compare_at_price for one in of.variants if one.compare_at_price is not None]
    if not prices:
        return None
    low, high = money(min(prices), ask.currency), money(max(prices), ask.currency)
    return {"minVariantCompareAtPrice": low, "maxVariantCompareAtPrice": high}


def _options(of: Product, ask: Asking) -> list[Json]:
    names = list(of.variants[0].options) if of.variants else []
    return [_option(of, place, name) for place, name in enumerate(names, 1)]


def _option(of: Product, place: int, name: str) -> Json:
    values = list(dict.fromkeys(variant.options[name] for variant in of.variants))
    return {
        "id": f"gid://shopify/ProductOption/{of.number_of_kind * 10 + place}",
        "name": name,
        "position": place,
        "values": values,
        "optionValues": [_option_value(of, place, value) for value in values],
    }


def _option_value(of: Product, place: int, value: str) -> Json:
    number = of.number_of_kind * 100 + place
    return {"id": f"gid://shopify/ProductOptionValue/{number}", "name": value, "hasVariants": True}


def _selected(of: Variant, ask: Asking) -> list[Json]:
    product = ask.shop.product_of(of)
    return [
        {"name": name, "value": value, "optionValue": _option_value(product, place, value)}
        for place, (name, value) in enumerate(of.options.items(), 1)
    ]


def _media(of: Product, ask: Asking) -> list[Image]:
    return [of.image] if of.image else []


def level(item: InventoryItem, place: int, ask: Asking) -> Json:
    number = item.level_ids[place]
    return {
        "__typename": "InventoryLevel",
        "id": f"gid://shopify/InventoryLevel/{number}?inventory_item_id={item.number_of_kind}",
        "canDeactivate": True,
        "createdAt": item.created_at,
        "updatedAt": item.updated_at,
        "isActive": True,
        "item": item,
        "location": ask.shop.locations[place],
        "available": item.levels[place],
        "number": number,
    }


def _levels(of: InventoryItem, ask: Asking) -> list[Json]:
    return [level(of, place, ask) for place in of.levels]


def _level(of: InventoryItem, ask: Asking) -> Json | None:
    place = int(ask.arguments["locationId"].rsplit("/", 1)[-1])
    return level(of, place, ask) if place in of.levels else None


def _quantities(of: Json, ask: Asking) -> list[Json]:
    known = {"available": of["available"], "on_hand": of["available"]} | dict.fromkeys(OTHER_QUANTITIES, 0)
    if unknown := set(ask.arguments["names"]) - known.keys():
        raise bad_request(f"Unknown inventory quantity names: {', '.join(sorted(unknown))}")
    return [
        {
            "id": f"gid://shopify/InventoryQuantity/{of['number']}?name={name}",
            "name": name,
            "quantity": known[name],
            "updatedAt": of["updatedAt"],
        }
        for name in ask.arguments["names"]
    ]


def _coupon(of: Coupon, ask: Asking) -> Json:
    is_free_shipping = of.percentage is None and of.amount is None
    context = {"__typename": "DiscountCustomers", "customers": of.customers}
    return {
        "__typename": "DiscountCodeFreeShipping" if is_free_shipping else "DiscountCodeBasic",
        "appliesOncePerCustomer": of.applies_once_per_customer,
        "asyncUsageCount": sum(one.async_usage_count for one in of.codes),
        "codes": of.codes,
        "codesCount": count(len(of.codes)),
        "combinesWith": {
            "orderDiscounts": "order" in of.combines_with,
            "productDiscounts": "product" in of.combines_with,
            "shippingDiscounts": "shipping" in of.combines_with,
        },
        "context": context if of.customers else {"__typename": "DiscountBuyerSelectionAll", "all": "ALL"},
        "createdAt": of.created_at,
        "customerGets": None if is_free_shipping else _gets(of, ask),
        "discountClasses": ["SHIPPING" if is_free_shipping else "ORDER"],
        "endsAt": of.ends_at,
        "minimumRequirement": _minimum(of, ask),
        "shortSummary": of.title,
        "startsAt": of.starts_at,
        "status": ask.shop.status_of(of),
        "summary": of.title,
        "tags": of.tags,
        "title": of.title,
        "totalSales": money(0, ask.currency),
        "updatedAt": of.updated_at,
        "usageLimit": of.usage_limit,
    }


def _gets(of: Coupon, ask: Asking) -> Json:
    value: Json = {"__typename": "DiscountPercentage", "percentage": of.percentage}
    if of.percentage is None:
        amount = money(of.amount or 0, ask.currency)
        value = {"__typename": "DiscountAmount", "amount": amount, "appliesOnEachItem": False}
    return {"appliesOnOneTimePurchase": True, "appliesOnSubscription": False, "value": value, "items": _items(of, ask)}


def _items(of: Coupon, ask: Asking) -> Json:
    if of.product_numbers:
        products = [ask.shop.products[number] for number in of.product_numbers if number in ask.shop.products]
        return {"__typename": "DiscountProducts", "products": products, "productVariants": []}
    if of.collection_numbers:
        collections = [
            ask.shop.collections[number] for number in of.collection_numbers if number in ask.shop.collections
        ]
        return {"__typename": "DiscountCollections", "collections": collections}
    return {"__typename": "AllDiscountItems", "allItems": True}


def _minimum(of: Coupon, ask: Asking) -> Json | None:
    if of.minimum_subtotal is not None:
        least = money(of.minimum_subtotal, ask.currency)
        return {"__typename": "DiscountMinimumSubtotal", "greaterThanOrEqualToSubtotal": least}
    if of.minimum_quantity is not None:
        least_count = str(of.minimum_quantity)
        return {"__typename": "DiscountMinimumQuantity", "greaterThanOrEqualToQuantity": least_count}
    return None


def _worth(of: Checkout, ask: Asking) -> Json:
    return bag(total([line.price * line.quantity for line in of.lines]), of.currencies)


def _nothing(of: Checkout, ask: Asking) -> Json:
    return bag(Bag(), of.currencies)


def _checkout_lines(of: Checkout, ask: Asking) -> list[Json]:
    return [_checkout_line(one, of) for one in of.lines]


def _checkout_line(of: CheckoutLine, within: Checkout) -> Json:
    each, whole = bag(of.price, within.currencies), bag(of.price * of.quantity, within.currencies)
    return {
        "__typename": "AbandonedCheckoutLineItem",
        "id": of.gid,
        "customAttributes": [],
        "discountAllocations": [],
        "discountedTotalPriceSet": whole,
        "discountedTotalPriceWithCodeDiscount": whole,
        "discountedUnitPriceSet": each,
        "discountedUnitPriceWithCodeDiscount": each,
        "image": _image(of.product.image),
        "originalTotalPriceSet": whole,
        "originalUnitPriceSet": each,
        "product": of.product,
        "quantity": of.quantity,
        "sku": of.variant.sku,
        "title": of.product.title,
        "variant": of.variant,
        "variantTitle": of.variant.title,
    }


def _variant_money(name: str) -> Field:
    def read(of: Variant, ask: Asking) -> str | None:
        minor = getattr(of, name)
        return decimal_text(minor, ask.currency) if minor is not None else None

    return read


FIELDS: Fields = {
    "Product": {
        "category": lambda of, ask: None,
        "collections": lambda of, ask: [one for one in ask.shop.collections.values() if of in one.products],
        "compareAtPriceRange": _compared,
        "defaultCursor": lambda of, ask: str(of.number_of_kind),
        "description": lambda of, ask: of.description_html,
        "featuredImage": lambda of, ask: _image(of.image),
        "featuredMedia": lambda of, ask: of.image,
        "hasOnlyDefaultVariant": lambda of, ask: [one.title for one in of.variants] == ["Default Title"],
        "hasOutOfStockVariants": lambda of, ask: any(stock(one) <= 0 for one in of.variants),
        "images": lambda of, ask: [_image(one) for one in _media(of, ask)],
        "media": _media,
        "mediaCount": lambda of, ask: count(len(_media(of, ask))),
        "onlineStoreUrl": lambda of, ask: f"https://{ask.shop.settings.domain}/products/{of.handle}",
        "onlineStorePreviewUrl": lambda of, ask: f"https://{ask.shop.settings.domain}/products/{of.handle}",
        "options": _options,
        "priceRangeV2": _range,
        "seo": lambda of, ask: {},
        "totalInventory": lambda of, ask: sum(stock(one) for one in of.variants),
        "totalVariants": lambda of, ask: len(of.variants),
        "tracksInventory": lambda of, ask: any(one.item.tracked for one in of.variants),
        "variants": lambda of, ask: of.variants,
        "variantsCount": lambda of, ask: count(len(of.variants)),
    },
    "MediaImage": {
        "image": lambda of, ask: _image(of),
        "mediaContentType": lambda of, ask: "IMAGE",
        "mimeType": lambda of, ask: "image/jpeg",
        "preview": lambda of, ask: {"image": _image(of), "status": "READY"},
        "status": lambda of, ask: "READY",
        "updatedAt": lambda of, ask: of.created_at,
    },
    "ProductVariant": {
        "availableForSale": lambda of, ask: stock(of) > 0 or of.inventory_policy == "CONTINUE",
        "compareAtPrice": _variant_money("compare_at_price"),
        "defaultCursor": lambda of, ask: str(of.number_of_kind),
        "displayName": lambda of, ask: f"{ask.shop.product_of(of).title} - {of.title}",
        "image": lambda of, ask: None,
        "inventoryItem": lambda of, ask: of.item,
        "inventoryQuantity": lambda of, ask: stock(of),
        "media": lambda of, ask: [],
        "price": _variant_money("price"),
        "product": lambda of, ask: ask.shop.product_of(of),
        "requiresComponents": lambda of, ask: False,
        "selectedOptions": _selected,
        "sellableOnlineQuantity": lambda of, ask: stock(of),
    },
    "InventoryItem": {
        "inventoryLevel": _level,
        "inventoryLevels": _levels,
        "locationsCount": lambda of, ask: count(len(of.levels)),
        "measurement": lambda of, ask: {
            "id": f"gid://shopify/InventoryItemMeasurement/{of.number_of_kind}",
            "weight": {"unit": "GRAMS", "value": float(of.grams)},
        },
        "sku": lambda of, ask: ask.shop.variant_of(of).sku,
        "unitCost": lambda of, ask: money(of.unit_cost, ask.currency) if of.unit_cost is not None else None,
        "variant": lambda of, ask: ask.shop.variant_of(of),
        "variants": lambda of, ask: [ask.shop.variant_of(of)],
    },
    "InventoryLevel": {"quantities": _quantities},
    "Collection": {
        "description": lambda of, ask: of.description_html,
        "image": lambda of, ask: None,
        "productsCount": lambda of, ask: count(len(of.products)),
        "seo": lambda of, ask: {},
        "sortOrder": lambda of, ask: "BEST_SELLING",
    },
    "Location": {
        "address": lambda of, ask: {"country": ask.shop.settings.country, "formatted": [ask.shop.settings.country]},
        "addressVerified": lambda of, ask: True,
        "fulfillsOnlineOrders": lambda of, ask: of is ask.shop.warehouse,
        "isActive": lambda of, ask: True,
        "isFulfillmentService": lambda of, ask: False,
        "isPrimary": lambda of, ask: of is ask.shop.warehouse,
        "shipsInventory": lambda of, ask: of is ask.shop.warehouse,
        "updatedAt": lambda of, ask: of.created_at,
    },
    "DiscountCodeNode": {"codeDiscount": _coupon},
    "AbandonedCheckout": {
        "abandonedCheckoutUrl": lambda of, ask: of.url,
        "customAttributes": lambda of, ask: attributes(of.attributes),
        "defaultCursor": lambda of, ask: str(of.number_of_kind),
        "billingAddress": lambda of, ask: of.shipping_address,
        "lineItems": _checkout_lines,
        "lineItemsQuantity": lambda of, ask: sum(one.quantity for one in of.lines),
        "name": lambda of, ask: f"#{of.number_of_kind}",
        "note": lambda of, ask: "",
        "subtotalPriceSet": _worth,
        "taxesIncluded": lambda of, ask: ask.shop.settings.taxes_included,
        "totalDiscountSet": _nothing,
        "totalLineItemsPriceSet": _worth,
        "totalPriceSet": _worth,
        "totalTaxSet": _nothing,
    },
}
