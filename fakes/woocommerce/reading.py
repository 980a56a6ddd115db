"""What the API answers to GET."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fakes.server import Response, json_response
from fakes.woocommerce import query
from fakes.woocommerce.keys import Refused
from fakes.woocommerce.listing import Listing
from fakes.woocommerce.query import Parameters
from fakes.woocommerce.schema import ORDERS, ORDERS_BY_ROUTE, names
from fakes.woocommerce.shop import Shop
from fakes.woocommerce.values import SYMBOLS, Resource, with_decimals

VERSION = "11.0.1"
_NOT_BUILT = names(
    "include_status exclude_status include_types exclude_types search_sku search_name_or_sku tax_class on_sale min_price "
    "max_price global_unique_id virtual downloadable attributes featured tag brand shipping_class attribute attribute_term "
    "created_via parent_exclude order_item_display_meta hide_empty"
)


@dataclass(frozen=True)
class Call:
    """One request, checked: ``numbers`` and ``word`` are from the path."""

    method: str
    address: str  # of the route, without a query
    root: str  # of the API
    raw: str
    given: Parameters
    numbers: tuple[int, ...] = ()
    word: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Reading:
    shop: Shop

    def _list(
        self,
        call: Call,
        things: Iterable[Resource],
        kind: str,
        base: str,
        show: Callable[[Resource], Resource] = dict,
        **how: Any,
    ) -> Response:
        _require_built(call.given)
        listing = Listing(ORDERS_BY_ROUTE.get(f"list_{kind}", ORDERS), **how)
        page = listing.page(things, call.given, self.shop.zone, call.address, call.raw)
        shown = [self.shown(call, show(thing), base) for thing in page.items]
        return json_response(shown, headers=page.headers)

    def shown(self, call: Call, thing: Resource, base: str) -> Resource:
        """With its links, and only what the call asks for."""
        collection = f"{call.root}/{base}"
        itself = {"href": f"{collection}/{thing['id']}"}
        shown = thing | {"_links": {"self": [itself], "collection": [{"href": collection}]}}
        included, excluded = query.words(call.given, "include_meta"), query.words(call.given, "exclude_meta")
        if included or excluded:
            shown["meta_data"] = [
                entry
                for entry in shown["meta_data"]
                if (not included or entry["key"] in included) and entry["key"] not in excluded
            ]
        return _only(shown, query.words(call.given, "_fields"))

    def places(self, call: Call) -> int:
        return int(query.text(call.given, "dp", str(self.shop.places)))

    # --- orders -------------------------------------------------------------------------------------------------

    def list_orders(self, call: Call) -> Response:
        wanted = set(query.words(call.given, "status")) or {"any"}
        unknown = wanted - {"any", "trash", *self.shop.statuses}
        if unknown:
            raise Refused("rest_invalid_param", "Invalid parameter(s): status", 400)
        found = [order for order in self.shop.orders.values() if _has_status(order, wanted)]
        for name in ("customer", "product", "parent"):
            if name in call.given:
                found = [order for order in found if query.text(call.given, name) in _keys_of(order, name)]
        searched = ("billing.email", "billing.last_name", "number")
        return self._list(call, found, "orders", "orders", lambda order: self.order(call, order), searched=searched)

    def order(self, call: Call, order: Resource) -> Resource:
        return with_decimals(order, self.places(call))

    def get_order(self, call: Call) -> Response:
        order = found(self.shop.orders, call.numbers[0], "shop_order")
        return json_response(self.shown(call, self.order(call, order), "orders"))

    def list_refunds(self, call: Call) -> Response:
        number = call.numbers[0]
        found(self.shop.orders, number, "shop_order")
        things = self.shop.refunds[number].values()
        return self._list(call, things, "refunds", f"orders/{number}/refunds", lambda refund: self.order(call, refund))

    def list_all_refunds(self, call: Call) -> Response:
        """Those of trashed orders too; each says of which order it is."""
        things = [
            refund | {"parent_id": order} for order, refunds in self.shop.refunds.items() for refund in refunds.values()
        ]
        return self._list(call, things, "refunds", "refunds", lambda refund: self.order(call, refund))

    def get_refund(self, call: Call) -> Response:
        order, number = call.numbers
        refund = found(self.shop.refunds.get(order, {}), number, "shop_order_refund")
        return json_response(self.shown(call, self.order(call, refund), f"orders/{order}/refunds"))

    def list_fulfillments(self, call: Call) -> Response:
        """All of an order's at once, without pages."""
        if not self.shop.has_fulfillments:
            raise Refused("rest_no_route", "No route was found matching the URL and request method.", 404)
        number = call.numbers[0]
        found(self.shop.orders, number, "shop_order")
        return json_response(self.shop.fulfillments.get(number, []))

    # --- people -------------------------------------------------------------------------------------------------

    def list_customers(self, call: Call) -> Response:
        role, email = query.text(call.given, "role", "customer"), query.text(call.given, "email").lower()
        things = [
            customer
            for customer in self.shop.customers.values()
            if role in ("all", customer["role"]) and email in ("", customer["email"].lower())
        ]
        searched = ("email", "username", "first_name", "last_name")
        return self._list(call, things, "customers", "customers", order_by="name", order="asc", searched=searched)

    def get_customer(self, call: Call) -> Response:
        customer = self.shop.customers.get(call.numbers[0])
        if customer is None:
            raise Refused("woocommerce_rest_invalid_id", "Invalid resource ID.", 404)
        return json_response(self.shown(call, customer, "customers"))

    # --- goods --------------------------------------------------------------------------------------------------

    def list_products(self, call: Call) -> Response:
        return self._list(call, self._goods(call, self.shop.products), "products", "products", searched=("name", "sku"))

    def _goods(self, call: Call, things: Mapping[int, Resource]) -> list[Resource]:
        kept = list(things.values())
        if "status" not in call.given or query.text(call.given, "status") == "any":
            kept = [thing for thing in kept if thing["status"] != "trash"]
        for name in ("status", "type", "slug", "stock_status"):
            wanted = query.text(call.given, name)
            if wanted and wanted != "any":
                kept = [thing for thing in kept if thing[name] == wanted]
        if "sku" in call.given:
            kept = [thing for thing in kept if thing["sku"] in query.words(call.given, "sku")]
        if "category" in call.given:
            wanted = query.text(call.given, "category")
            kept = [thing for thing in kept if any(str(entry["id"]) == wanted for entry in thing["categories"])]
        return kept

    def get_product(self, call: Call) -> Response:
        """A variation can be asked for here as well."""
        product = found(self.shop.products | self.shop.variations, call.numbers[0], "product")
        return json_response(self.shown(call, product, "products"))

    def list_variations(self, call: Call) -> Response:
        product = found(self.shop.products, call.numbers[0], "product")
        things = {number: self.shop.variations[number] for number in product["variations"]}
        base = f"products/{product['id']}/variations"
        return self._list(call, self._goods(call, things), "variations", base, searched=("sku",))

    def get_variation(self, call: Call) -> Response:
        product, number = call.numbers
        variation = found(self.shop.variations, number, "product_variation")
        if variation["parent_id"] != product:
            raise Refused("woocommerce_rest_product_variation_invalid_id", "Invalid ID.", 404)
        return json_response(self.shown(call, variation, f"products/{product}/variations"))

    def list_categories(self, call: Call) -> Response:
        things = list(self.shop.categories.values())
        for name in ("slug", "parent"):
            if name in call.given:
                things = [thing for thing in things if str(thing[name]) == query.text(call.given, name)]
        base = "products/categories"
        return self._list(call, things, "categories", base, order_by="name", order="asc", searched=("name",))

    def get_category(self, call: Call) -> Response:
        category = self.shop.categories.get(call.numbers[0])
        if category is None:
            raise Refused("woocommerce_rest_term_invalid", "Resource does not exist.", 404)
        return json_response(self.shown(call, category, "products/categories"))

    def list_coupons(self, call: Call) -> Response:
        code = query.text(call.given, "code").lower()
        things = [coupon for coupon in self.shop.coupons.values() if code in ("", coupon["code"])]
        return self._list(call, things, "coupons", "coupons", searched=("code",))

    def get_coupon(self, call: Call) -> Response:
        return json_response(self.shown(call, found(self.shop.coupons, call.numbers[0], "shop_coupon"), "coupons"))

    # --- the shop itself ----------------------------------------------------------------------------------------

    def list_webhooks(self, call: Call) -> Response:
        wanted = query.text(call.given, "status", "all")
        things = [hook for hook in self.shop.webhooks.registered.values() if wanted in ("all", hook["status"])]
        return self._list(call, things, "webhooks", "webhooks", searched=("name",))

    def get_webhook(self, call: Call) -> Response:
        webhook = found(self.shop.webhooks.registered, call.numbers[0], "shop_webhook")
        return json_response(self.shown(call, webhook, "webhooks"))

    def system_status(self, call: Call) -> Response:
        home = call.root.removesuffix("/wp-json/wc/v3")
        environment = {"home_url": home, "site_url": home, "version": VERSION, "wp_version": "7.1.4"}
        settings = {
            "api_enabled": False,
            "currency": self.shop.currency,
            "currency_symbol": SYMBOLS[self.shop.currency],
            "currency_position": "left",
            "thousand_separator": ",",
            "decimal_separator": ".",
            "number_of_decimals": self.shop.places,
            "HPOS_enabled": True,
        }
        return json_response({"environment": environment, "settings": settings, "active_plugins": []})

    def general_settings(self, call: Call) -> Response:
        return json_response([self._setting(call, name) for name in self._options()])

    def general_setting(self, call: Call) -> Response:
        if call.word not in self._options():
            raise Refused("rest_setting_setting_invalid", "Invalid setting.", 404)
        return json_response(self._setting(call, call.word))

    def _options(self) -> dict[str, str]:
        return {
            "woocommerce_currency": self.shop.currency,
            "woocommerce_price_num_decimals": str(self.shop.places),
            "woocommerce_default_country": "DE",
            "woocommerce_calc_taxes": "yes",
        }

    def _setting(self, call: Call, name: str) -> Resource:
        value = self._options()[name]
        links = {"self": [{"href": f"{call.root}/settings/general/{name}"}]}
        return {"id": name, "label": name, "type": "text", "default": "", "value": value, "_links": links}

    def current_currency(self, call: Call) -> Response:
        code = self.shop.currency
        return json_response({"code": code, "name": code, "symbol": SYMBOLS[code]})


def found(things: Mapping[int, Resource], number: int, kind: str) -> Resource:
    if number not in things:
        raise Refused(f"woocommerce_rest_{kind}_invalid_id", "Invalid ID.", 404)
    return things[number]


def _require_built(given: Parameters) -> None:
    for name in given:
        if name in _NOT_BUILT:
            raise Refused("fake_not_built", f"The fake does not filter by {name}.", 501)


def _has_status(order: Resource, wanted: set[str]) -> bool:
    return order["status"] in wanted or ("any" in wanted and order["status"] not in ("trash", "auto-draft"))


def _keys_of(order: Resource, name: str) -> set[str]:
    if name == "product":
        return {str(line["product_id"]) for line in order["line_items"]}
    return {str(order[{"customer": "customer_id", "parent": "parent_id"}[name]])}


def _only(thing: Resource, names: list[str]) -> Resource:
    """``_fields``: names of the first level, or of the second as ``billing.email``."""
    if not names:
        return thing
    kept: Resource = {}
    for name in names:
        first, _, second = name.partition(".")
        if first in thing and second and isinstance(thing[first], dict):
            kept.setdefault(first, {})[second] = thing[first].get(second)
        elif first in thing:
            kept[first] = thing[first]
    return kept
