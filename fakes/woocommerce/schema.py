"""What the documented API takes, route by route: query parameters, and fields of a body. The fake refuses everything else.

From WooCommerce's REST API documentation (version 3) and the index that a shop itself serves at ``/wp-json/wc/v3``. A real WordPress
ignores what it does not know; refusing keeps a client from leaning on something that does not exist.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from fakes.woocommerce.keys import Refused

Fields = Mapping[str, object]  # None: anything; a mapping: an object, or a list of objects, of these fields


def names(text: str) -> dict[str, object]:
    return dict.fromkeys(text.split())


# Of WordPress itself, on every route; those of the keys are checked by ``keys``.
GLOBAL = names("_fields _embed _locale context consumer_key consumer_secret") | names(
    "oauth_consumer_key oauth_timestamp oauth_nonce oauth_signature oauth_signature_method oauth_version"
)
_PAGES = names("page per_page search exclude include offset order orderby")
_DATES = names("after before modified_after modified_before dates_are_gmt")
_META = names("include_meta exclude_meta")
_POSTS = _PAGES | _DATES
_PARENTS = names("parent parent_exclude")
_GOODS = names(
    "slug status include_status exclude_status sku search_sku search_name_or_sku tax_class on_sale min_price max_price "
    "stock_status global_unique_id virtual downloadable attributes"
)
_DELETE = names("force")

_META_DATA: dict[str, object] = {"meta_data": names("id key value display_key display_value")}
_NAME = names("first_name last_name company address_1 address_2 city state postcode country")
_BILLING = _NAME | names("email phone")
_SHIPPING = _NAME | names("phone")
_LINE = names("id name product_id variation_id quantity tax_class subtotal total sku price taxes") | _META_DATA

ORDER: Fields = {
    **names("parent_id status currency customer_id customer_note payment_method payment_method_title transaction_id"),
    **names("set_paid manual_update"),
    **_META_DATA,
    "billing": _BILLING,
    "shipping": _SHIPPING,
    "line_items": _LINE,
    "shipping_lines": names("id method_title method_id instance_id total") | _META_DATA,
    "fee_lines": names("id name tax_class tax_status total") | _META_DATA,
    "coupon_lines": names("id code") | _META_DATA,
}
REFUND: Fields = {
    **names("amount reason refunded_by api_refund api_restock"),
    **_META_DATA,
    "line_items": names("id quantity refund_total refund_tax") | _META_DATA,
}
CUSTOMER: Fields = {
    **names("email first_name last_name username password"),
    **_META_DATA,
    "billing": _BILLING,
    "shipping": _SHIPPING,
}
COUPON: Fields = {
    **names("code amount status discount_type description date_expires date_expires_gmt individual_use product_ids"),
    **names("excluded_product_ids usage_limit usage_limit_per_user limit_usage_to_x_items free_shipping"),
    **names("product_categories excluded_product_categories exclude_sale_items minimum_amount maximum_amount"),
    **names("email_restrictions"),
    **_META_DATA,
}
WEBHOOK: Fields = names("name status topic delivery_url secret")
PRODUCT: Fields = {
    **names("name sku regular_price sale_price status manage_stock stock_quantity stock_status description"),
    **names("short_description"),
    **_META_DATA,
}


@dataclass(frozen=True)
class Route:
    """``pattern`` as WordPress writes it, ``<number>`` for digits; ``name`` is the method of ``Api`` that answers."""

    method: str
    pattern: str
    name: str
    query: Fields
    body: Fields | None = None


def _batch(of: Fields) -> Fields:
    return {"create": of, "update": {**of, "id": None}, "delete": None}


_ORDERS = _POSTS | _PARENTS | _META | names("status customer product dp order_item_display_meta created_via")
_PRODUCTS = (
    _POSTS
    | _PARENTS
    | _META
    | _GOODS
    | names("type include_types exclude_types featured category tag brand shipping_class attribute attribute_term")
)
_REFUNDS = _POSTS | _PARENTS | _META | names("dp order_item_display_meta")

ROUTES = (
    Route("GET", "/orders", "list_orders", _ORDERS),
    Route("POST", "/orders", "create_order", {}, ORDER),
    Route("GET", "/orders/<number>", "get_order", names("dp order_item_display_meta")),
    Route("PUT", "/orders/<number>", "update_order", {}, ORDER),
    Route("DELETE", "/orders/<number>", "delete_order", _DELETE),
    Route("GET", "/orders/<number>/refunds", "list_refunds", _REFUNDS),
    Route("POST", "/orders/<number>/refunds", "create_refund", {}, REFUND),
    Route("GET", "/orders/<number>/refunds/<number>", "get_refund", names("dp order_item_display_meta")),
    Route("DELETE", "/orders/<number>/refunds/<number>", "delete_refund", _DELETE),
    Route("GET", "/refunds", "list_all_refunds", _REFUNDS),
    Route("GET", "/orders/<number>/fulfillments", "list_fulfillments", {}),
    Route("GET", "/customers", "list_customers", _PAGES | names("email role")),
    Route("POST", "/customers", "create_customer", {}, CUSTOMER),
    Route("GET", "/customers/<number>", "get_customer", {}),
    Route("PUT", "/customers/<number>", "update_customer", {}, CUSTOMER),
    Route("DELETE", "/customers/<number>", "delete_customer", _DELETE | names("reassign")),
    Route("POST", "/customers/batch", "batch_customers", {}, _batch(CUSTOMER)),
    Route("GET", "/products", "list_products", _PRODUCTS),
    Route("GET", "/products/<number>", "get_product", {}),
    Route("PUT", "/products/<number>", "update_product", {}, PRODUCT),
    Route("GET", "/products/<number>/variations", "list_variations", _POSTS | _PARENTS | _META | _GOODS),
    Route("GET", "/products/<number>/variations/<number>", "get_variation", {}),
    Route("GET", "/products/categories", "list_categories", _PAGES | names("hide_empty parent product slug")),
    Route("GET", "/products/categories/<number>", "get_category", {}),
    Route("GET", "/coupons", "list_coupons", _POSTS | names("code")),
    Route("POST", "/coupons", "create_coupon", {}, COUPON),
    Route("GET", "/coupons/<number>", "get_coupon", {}),
    Route("PUT", "/coupons/<number>", "update_coupon", {}, COUPON),
    Route("DELETE", "/coupons/<number>", "delete_coupon", _DELETE),
    Route("POST", "/coupons/batch", "batch_coupons", {}, _batch(COUPON)),
    Route("GET", "/webhooks", "list_webhooks", _PAGES | names("after before status")),
    Route("POST", "/webhooks", "create_webhook", {}, WEBHOOK),
    Route("GET", "/webhooks/<number>", "get_webhook", {}),
    Route("PUT", "/webhooks/<number>", "update_webhook", {}, WEBHOOK),
    Route("DELETE", "/webhooks/<number>", "delete_webhook", _DELETE),
    Route("POST", "/webhooks/batch", "batch_webhooks", {}, _batch(WEBHOOK)),
    Route("GET", "/system_status", "system_status", {}),
    Route("GET", "/settings/general", "general_settings", {}),
    Route("GET", "/settings/general/<word>", "general_setting", {}),
    Route("GET", "/data/currencies/current", "current_currency", {}),
)
# What a list can be ordered by.
ORDERS_BY_ROUTE = {
    "list_customers": ("id", "include", "name", "registered_date"),
    "list_categories": ("id", "include", "name", "slug", "term_group", "description", "count"),
    "list_webhooks": ("date", "id", "title"),
    "list_products": (
        "date",
        "id",
        "include",
        "title",
        "slug",
        "modified",
        "menu_order",
        "price",
        "popularity",
        "rating",
    ),
}
ORDERS = ("date", "id", "include", "title", "slug", "modified")


def require_known(given: object, known: Fields, kind: str, where: str = "") -> None:
    """Raises Refused for a name that no document has; lists are looked through."""
    if isinstance(given, list):
        for part in given:
            require_known(part, known, kind, where)
        return
    if not isinstance(given, Mapping):
        raise Refused(f"fake_unknown_{kind}", f"{where or 'The body'} must be an object.", 400)
    for name, value in given.items():
        if name not in known:
            raise Refused(f"fake_unknown_{kind}", f"{where}{name} is in no document of this route.", 400)
        inner = known[name]
        if isinstance(inner, Mapping):
            require_known(value, inner, kind, f"{where}{name}.")
