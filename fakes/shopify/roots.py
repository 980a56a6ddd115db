"""What stands at the root of a query: lists with their filters and sort keys, and single records."""

from collections.abc import Callable, Sequence
from typing import Any

from fakes.shopify import sums
from fakes.shopify.context import Asking, Field, Json, Within, count
from fakes.shopify.fields_of_goods import level, stock
from fakes.shopify.records import Order
from fakes.shopify.searching import Reading, bad_request, searched
from fakes.shopify.settings import VERSION, granted

Readings = dict[str, Reading]

_STAMPS: Readings = {
    "id": lambda one: one.number_of_kind,
    "created_at": lambda one: one.created_at,
    "updated_at": lambda one: one.updated_at,
}

READINGS: dict[str, Readings] = {
    "orders": _STAMPS
    | {
        "processed_at": lambda one: one.processed_at,
        "name": lambda one: one.name,
        "email": lambda one: one.email,
        "customer_id": lambda one: one.customer.number_of_kind if one.customer else None,
        "financial_status": sums.financial_status,
        "fulfillment_status": sums.fulfillment_status,
        "source_name": lambda one: one.source_name,
        "status": lambda one: "cancelled" if one.cancelled_at else "closed" if one.closed_at else "open",
        "tag": lambda one: one.tags,
        "test": lambda one: one.test,
        "cart_token": lambda one: one.cart_token,
        "checkout_token": lambda one: one.checkout_token,
        "discount_code": lambda one: [known.code for known in one.applications],
    },
    "customers": _STAMPS
    | {
        "customer_date": lambda one: one.created_at,
        "email": lambda one: one.email,
        "phone": lambda one: one.phone,
        "first_name": lambda one: one.first_name,
        "last_name": lambda one: one.last_name,
        "state": lambda one: one.state,
        "tag": lambda one: one.tags,
        "accepts_marketing": lambda one: one.email_consent.state == "SUBSCRIBED",
    },
    "products": _STAMPS
    | {
        "handle": lambda one: one.handle,
        "published_at": lambda one: one.published_at,
        "sku": lambda one: [variant.sku for variant in one.variants],
        "status": lambda one: one.status,
        "tag": lambda one: one.tags,
        "title": lambda one: one.title,
        "vendor": lambda one: one.vendor,
        "product_type": lambda one: one.product_type,
    },
    "productVariants": _STAMPS
    | {"sku": lambda one: one.sku, "barcode": lambda one: one.barcode, "inventory_quantity": stock},
    "inventoryItems": _STAMPS,
    "collections": {"id": _STAMPS["id"], "updated_at": _STAMPS["updated_at"], "title": lambda one: one.title},
    "abandonedCheckouts": _STAMPS
    | {
        "status": lambda one: "closed" if one.completed_at else "open",
        "recovery_state": lambda one: "recovered" if one.completed_at else "not_recovered",
    },
    "codeDiscountNodes": _STAMPS
    | {
        "starts_at": lambda one: one.starts_at,
        "ends_at": lambda one: one.ends_at,
        "title": lambda one: one.title,
        "times_used": lambda one: sum(code.async_usage_count for code in one.codes),
    },
    "webhookSubscriptions": _STAMPS,
    "webhookSubscriptionsCount": {"topic": lambda one: one.topic, "endpoint": lambda one: one.uri} | _STAMPS,
    "locations": {"id": _STAMPS["id"], "created_at": _STAMPS["created_at"]},
    "bulkOperations": {
        "id": _STAMPS["id"],
        "created_at": _STAMPS["created_at"],
        "status": lambda one: one.status,
        "operation_type": lambda one: "query",
    },
}
COUNTS = {
    "ordersCount": "orders",
    "customersCount": "customers",
    "productsCount": "products",
    "productVariantsCount": "productVariants",
    "abandonedCheckoutsCount": "abandonedCheckouts",
    "webhookSubscriptionsCount": "webhookSubscriptions",
}
SORTS: dict[str, Callable[[Any], Any]] = {
    "ID": lambda one: 0,
    "RELEVANCE": lambda one: 0,
    "CREATED_AT": lambda one: one.created_at,
    "UPDATED_AT": lambda one: one.updated_at,
    "PROCESSED_AT": lambda one: one.processed_at,
    "PUBLISHED_AT": lambda one: one.published_at or one.created_at,
    "STARTS_AT": lambda one: one.starts_at,
    "ORDER_NUMBER": lambda one: one.number,
    "TITLE": lambda one: one.title,
    "NAME": lambda one: getattr(one, "name", None) or one.display_name,
    "POSITION": lambda one: getattr(one, "position", 0),
    "COLLECTION_DEFAULT": lambda one: 0,
    "SKU": lambda one: one.sku or "",
    "CODE": lambda one: one.code,
}


def place_of(sort_key: str | None) -> Callable[[Any], tuple[Any, int]]:
    if sort_key is None:
        return lambda one: (0, one.number_of_kind)
    if sort_key not in SORTS:
        raise bad_request(f"The fake does not sort by {sort_key}")
    return lambda one: (SORTS[sort_key](one), one.number_of_kind)


def _listed(name: str, ask: Asking) -> Sequence[Any]:
    shop = ask.shop
    if name == "orders":
        return [order for order in shop.orders.values() if ask.sees(order)]
    if name == "abandonedCheckouts":
        return [one for one in shop.checkouts.values() if one.email or one.phone]
    lists: dict[str, Callable[[], Sequence[Any]]] = {
        "customers": lambda: list(shop.customers.values()),
        "products": lambda: list(shop.products.values()),
        "productVariants": shop.variants,
        "inventoryItems": lambda: [one.item for one in shop.variants()],
        "collections": lambda: list(shop.collections.values()),
        "codeDiscountNodes": lambda: list(shop.coupons.values()),
        "webhookSubscriptions": lambda: _subscriptions(ask),
        "locations": lambda: list(shop.locations.values()),
        "bulkOperations": lambda: list(ask.bulk.operations.values()),
    }
    return lists[name]()


def _subscriptions(ask: Asking) -> list[Any]:
    topics, uri = ask.arguments.get("topics"), ask.arguments.get("uri") or ask.arguments.get("callbackUrl")
    known = ask.shop.post.subscriptions
    return [one for one in known if (not topics or one.topic in topics) and (not uri or one.uri == uri)]


def _root_list(name: str, filters: dict[str, str]) -> Field:
    def read(root: Any, ask: Asking) -> list[Any]:
        listed = COUNTS.get(name, name)
        readings = READINGS.get(name, READINGS[listed])
        zone = ask.shop.settings.timezone
        return searched(_listed(listed, ask), ask.arguments.get("query"), filters, readings, zone)

    return read


def _counted(name: str, filters: dict[str, str]) -> Field:
    listed = _root_list(name, filters)
    return lambda root, ask: count(len(listed(root, ask)))


def _by_id(root: Any, ask: Asking) -> Any:
    return found(ask.arguments["id"], ask)


def found(gid: str, ask: Asking) -> Any:
    if "/InventoryLevel/" in gid:
        return _level(gid, ask)
    if "/BulkOperation/" in gid:
        return ask.bulk.operations.get(int(gid.rsplit("/", 1)[-1]))
    if "/Refund/" in gid:
        known = (Within(one, order) for order in ask.shop.orders.values() if ask.sees(order) for one in order.refunds)
        return next((one for one in known if one.gid == gid), None)
    if part := _part(gid, ask):
        return part
    record = ask.shop.find(gid)
    return None if isinstance(record, Order) and not ask.sees(record) else record


def _part(gid: str, ask: Asking) -> Within | None:
    """Of an order: so the pages of a long refund or parcel are read to their end."""
    for order in ask.shop.orders.values():
        for one in (*order.lines, *order.refunds, *order.fulfilments, *order.transactions):
            if one.gid == gid and ask.sees(order):
                return Within(one, order)
    return None


def _level(gid: str, ask: Asking) -> Json | None:
    number = int(gid.rsplit("/", 1)[-1].partition("?")[0])
    for variant in ask.shop.variants():
        for place, known in variant.item.level_ids.items():
            if known == number:
                return level(variant.item, place, ask)
    return None


def _by_code(root: Any, ask: Asking) -> Any:
    known = ask.shop.coupon_by_code(ask.arguments["code"])
    return known[0] if known else None


def shop_fields(root: Any, ask: Asking) -> Json:
    shop = ask.shop.settings
    web = {"id": "gid://shopify/Domain/1", "host": shop.domain, "sslEnabled": True, "url": f"https://{shop.domain}"}
    address: Json = {"id": "gid://shopify/ShopAddress/1", "country": shop.country, "countryCodeV2": shop.country_code}
    address |= {"coordinatesValidated": False, "formatted": [shop.country]}
    at = ask.shop.warehouse.created_at
    return {
        "id": f"gid://shopify/Shop/{shop.number}",
        "name": shop.name,
        "email": shop.email,
        "contactEmail": shop.email,
        "myshopifyDomain": shop.domain,
        "primaryDomain": web,
        "url": web["url"],
        "currencyCode": shop.currency,
        "enabledPresentmentCurrencies": list(shop.presentment_currencies),
        "ianaTimezone": shop.timezone,
        "timezoneAbbreviation": "CET",
        "timezoneOffset": "+0100",
        "timezoneOffsetMinutes": 60,
        "plan": {
            "displayName": "Basic",
            "publicDisplayName": "Basic",
            "partnerDevelopment": False,
            "shopifyPlus": False,
        },
        "shopAddress": address,
        "billingAddress": address,
        "taxesIncluded": shop.taxes_included,
        "taxShipping": True,
        "unitSystem": "METRIC_SYSTEM",
        "weightUnit": "KILOGRAMS",
        "createdAt": at,
        "updatedAt": at,
        "orderNumberFormatPrefix": "#",
        "orderNumberFormatSuffix": "",
        "shopOwnerName": "Fake Owner",
        "marketingSmsConsentEnabledAtCheckout": True,
        "setupRequired": False,
    }


def _installation(root: Any, ask: Asking) -> Json:
    scopes = [{"handle": one, "description": one.replace("_", " ")} for one in sorted(granted(ask.shop.app.scopes))]
    app = {
        "id": "gid://shopify/App/1",
        "apiKey": ask.shop.app.client_id,
        "title": ask.shop.app.title,
        "handle": "regulars",
        "developerName": "Regulars",
        "embedded": False,
        "webhookApiVersion": VERSION,
        "availableAccessScopes": scopes,
        "requestedAccessScopes": scopes,
    }
    return {
        "id": "gid://shopify/AppInstallation/1",
        "app": app,
        "accessScopes": scopes,
        "launchUrl": f"https://{ask.shop.settings.domain}/admin/apps/regulars",
    }


def pixel(ask: Asking) -> Json | None:
    known = ask.shop.pixel
    return (
        {"__typename": "WebPixel", "id": f"gid://shopify/WebPixel/{known[0]}", "settings": known[1]} if known else None
    )


def _bulk_creation(root: Any, ask: Asking) -> Json | None:
    return ask.bulk.code_creations.get(ask.arguments["id"])


def root_fields(filters: dict[str, dict[str, str]]) -> dict[str, Field]:
    """``filters`` are the documented ones of each list, from the schema."""
    lists = {name: _root_list(name, filters.get(name, {})) for name in READINGS if name not in COUNTS}
    counts = {name: _counted(name, filters.get(name, {})) for name in COUNTS}
    singles = (
        "collection",
        "customer",
        "codeDiscountNode",
        "inventoryItem",
        "inventoryLevel",
        "node",
        "order",
        "product",
    )
    by_id = dict.fromkeys((*singles, "productVariant", "webhookSubscription", "bulkOperation"), _by_id)
    return {
        **lists,
        **counts,
        **by_id,
        "appInstallation": _installation,
        "currentAppInstallation": _installation,
        "codeDiscountNodeByCode": _by_code,
        "currentBulkOperation": lambda root, ask: (list(ask.bulk.operations.values()) or [None])[-1],
        "discountRedeemCodeBulkCreation": _bulk_creation,
        "location": lambda root, ask: (
            found(ask.arguments["id"], ask) if ask.arguments.get("id") else ask.shop.warehouse
        ),
        "nodes": lambda root, ask: [found(one, ask) for one in ask.arguments["ids"]],
        "shop": shop_fields,
        "webPixel": lambda root, ask: pixel(ask),
    }
