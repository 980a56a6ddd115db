"""What the API answers to POST, PUT and DELETE."""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from fakes.server import Response, json_response
from fakes.woocommerce.keys import Refused
from fakes.woocommerce.listing import truth_of
from fakes.woocommerce.reading import Call, Reading, found
from fakes.woocommerce.templates import template
from fakes.woocommerce.values import Resource, fixed, stamp
from fakes.woocommerce.webhooks import TOPICS

MOST_OF_A_BATCH = 100
_DISCOUNTS = ("percent", "fixed_cart", "fixed_product")
_WEBHOOK_STATES = ("active", "paused", "disabled")

Body = Mapping[str, Any]


class Api(Reading):
    """All routes of ``schema.ROUTES``, by name."""

    def _made(self, call: Call, thing: Resource, base: str) -> Response:
        shown = self.shown(call, thing, base)
        return json_response(shown, 201, [("Location", f"{call.root}/{base}/{thing['id']}")])

    def _batch(
        self, call: Call, things: Mapping[int, Resource], base: str, create: Callable[[Body], Resource], kind: str
    ) -> Response:
        """Of each part its own success or error, as the real one answers."""
        if sum(len(part) for part in call.body.values()) > MOST_OF_A_BATCH:
            message = f"Unable to accept more than {MOST_OF_A_BATCH} items for this request."
            raise Refused("woocommerce_rest_request_entity_too_large", message, 413)
        update: Callable[[int, Body], Resource] = getattr(self, f"_update_{kind}")
        delete: Callable[[int], Resource] = getattr(self, f"_delete_{kind}")
        actions: dict[str, Callable[[Any], Resource]] = {
            "create": create,
            "update": lambda body: update(body["id"], {name: value for name, value in body.items() if name != "id"}),
            "delete": delete,
        }
        answer = {
            name: [self._tried(call, actions[name], part, base) for part in call.body[name]]
            for name in actions
            if name in call.body
        }
        return json_response(answer)

    def _tried(self, call: Call, action: Callable[[Any], Resource], part: Any, base: str) -> Resource:
        number = part["id"] if isinstance(part, dict) and "id" in part else part if isinstance(part, int) else 0
        try:
            return self.shown(call, action(part), base)
        except Refused as error:
            refusal = {"code": error.code, "message": error.message, "data": {"status": error.status}}
            return {"id": number, "error": refusal}

    # --- orders -------------------------------------------------------------------------------------------------

    def create_order(self, call: Call) -> Response:
        body = self._order_fields(call.body)
        items = [
            (line.get("variation_id") or line["product_id"], line.get("quantity", 1))
            for line in body.pop("line_items", ())
        ]
        customer = body.pop("customer_id", 0)
        if customer and customer not in self.shop.customers:
            raise Refused("woocommerce_rest_invalid_customer_id", "Customer ID is invalid.", 400)
        billing, meta = body.pop("billing", {}), body.pop("meta_data", [])
        status = body.pop("status", "pending")
        paid = body.pop("set_paid", False)
        number = self.shop.add_order(
            items,
            email="",
            customer_id=customer,
            status="processing" if paid else status,
            billing=billing,
            meta={entry["key"]: entry["value"] for entry in meta},
            created_via="rest-api",
            **body,
        )
        return self._made(call, self.order(call, self.shop.orders[number]), "orders")

    def _order_fields(self, body: Body) -> dict[str, Any]:
        for name in ("shipping_lines", "fee_lines", "coupon_lines", "parent_id", "manual_update"):
            if name in body:
                raise Refused("fake_not_built", f"The fake does not write {name} of orders.", 501)
        if body.get("status", "pending") not in self.shop.statuses:
            raise Refused("rest_invalid_param", "Invalid parameter(s): status", 400)
        return dict(body)

    def update_order(self, call: Call) -> Response:
        order = found(self.shop.orders, call.numbers[0], "shop_order")
        body = self._order_fields(call.body)
        if "line_items" in body:
            raise Refused("fake_not_built", "The fake does not change lines of orders.", 501)
        if body.pop("set_paid", False):
            body.setdefault("status", "processing")
        self._merge(order, body)
        self.shop.update_order(order["id"], status=body.pop("status", ""), **body)
        return json_response(self.shown(call, self.order(call, order), "orders"))

    def _merge(self, thing: Resource, body: dict[str, Any]) -> None:
        """Addresses and meta data are merged into what stands there; what was merged leaves ``body``."""
        for name in ("billing", "shipping"):
            thing[name] |= body.pop(name, {}) if name in body else {}
        for entry in body.pop("meta_data", []):
            self.shop.set_meta(thing, entry["key"], entry["value"])

    def delete_order(self, call: Call) -> Response:
        order = found(self.shop.orders, call.numbers[0], "shop_order")
        if truth_of(call.given, "force"):
            self.shop.delete_order(order["id"])
        elif order["status"] == "trash":
            raise Refused("woocommerce_rest_already_trashed", "The order has already been deleted.", 410)
        else:
            self.shop.trash_order(order["id"])
        return json_response(self.shown(call, self.order(call, order), "orders"))

    def create_refund(self, call: Call) -> Response:
        order = found(self.shop.orders, call.numbers[0], "shop_order")
        amount = call.body.get("amount", "")
        if amount and not 0 < _number(amount, "amount") <= self.shop.left(order):
            raise Refused("woocommerce_rest_cannot_create_order_refund", "Invalid refund amount.", 400)
        lines = {line["id"]: line["quantity"] for line in call.body.get("line_items", ())}
        restock = call.body.get("api_restock", True)
        number = self.shop.refund(order["id"], amount, lines=lines, reason=call.body.get("reason", ""), restock=restock)
        return self._made(call, self.shop.refunds[order["id"]][number], f"orders/{order['id']}/refunds")

    def delete_refund(self, call: Call) -> Response:
        order, number = call.numbers
        refund = found(self.shop.refunds.get(order, {}), number, "shop_order_refund")
        _require_force(call, "Order refunds")
        self.shop.delete_refund(order, number)
        return json_response(self.shown(call, refund, f"orders/{order}/refunds"))

    # --- people -------------------------------------------------------------------------------------------------

    def create_customer(self, call: Call) -> Response:
        return self._made(call, self._create_customer(call.body), "customers")

    def _create_customer(self, given: Body) -> Resource:
        body = dict(given)
        email = body.pop("email", "")
        if not email:
            raise Refused("rest_missing_callback_param", "Missing parameter(s): email", 400)
        self._require_free(email, 0)
        body.pop("password", None)
        later: dict[str, Any] = {name: body.pop(name) for name in ("shipping", "meta_data") if name in body}
        number = self.shop.add_customer(email, body.pop("first_name", ""), body.pop("last_name", ""), **body)
        self._merge(self.shop.customers[number], later)
        return self.shop.customers[number]

    def _require_free(self, email: str, number: int) -> None:
        for other in self.shop.customers.values():
            if other["email"].lower() == email.lower() and other["id"] != number:
                message = "An account is already registered with your email address."
                raise Refused("registration-error-email-exists", message, 400)

    def update_customer(self, call: Call) -> Response:
        return json_response(self.shown(call, self._update_customer(call.numbers[0], call.body), "customers"))

    def _update_customer(self, number: int, given: Body) -> Resource:
        customer = self.shop.customers.get(number)
        if customer is None:
            raise Refused("woocommerce_rest_invalid_id", "Invalid resource ID.", 400)
        body = dict(given)
        if body.get("username", customer["username"]) != customer["username"]:
            raise Refused("woocommerce_rest_customer_invalid_argument", "Username isn't editable.", 400)
        if "email" in body:
            self._require_free(body["email"], number)
        body.pop("password", None)
        self._merge(customer, body)
        self.shop.update_customer(number, **body)
        return customer

    def delete_customer(self, call: Call) -> Response:
        _require_force(call, "Customers")
        return json_response(self.shown(call, self._delete_customer(call.numbers[0]), "customers"))

    def _delete_customer(self, number: int) -> Resource:
        customer = self.shop.customers.get(number)
        if customer is None:
            raise Refused("woocommerce_rest_invalid_id", "Invalid resource ID.", 400)
        self.shop.delete_customer(number)
        return customer

    def batch_customers(self, call: Call) -> Response:
        return self._batch(call, self.shop.customers, "customers", self._create_customer, "customer")

    # --- goods and coupons --------------------------------------------------------------------------------------

    def update_product(self, call: Call) -> Response:
        product = found(self.shop.products, call.numbers[0], "product")
        body = dict(call.body)
        self._merge(product, body)
        if "regular_price" in body:
            body["price"] = body.get("sale_price") or body["regular_price"]
        self.shop.update_product(product["id"], **body)
        return json_response(self.shown(call, product, "products"))

    def create_coupon(self, call: Call) -> Response:
        return self._made(call, self._create_coupon(call.body), "coupons")

    def _create_coupon(self, given: Body) -> Resource:
        body = self._coupon_fields(given, 0)
        if not body.get("code"):
            raise Refused("woocommerce_rest_empty_coupon_code", "The coupon code cannot be empty.", 400)
        meta = body.pop("meta_data", [])
        kind = body.pop("discount_type", "fixed_cart")
        fields: dict[str, Any] = {
            "description": "",
            "individual_use": False,
            "exclude_sale_items": False,
            "maximum_amount": "0.00",
        }
        number = self.shop.add_coupon(
            body.pop("code"), body.pop("amount", "0.00"), discount_type=kind, **(fields | body)
        )
        self._merge_meta(self.shop.coupons[number], meta)
        return self.shop.coupons[number]

    def _merge_meta(self, thing: Resource, entries: list[Resource]) -> None:
        for entry in entries:
            self.shop.set_meta(thing, entry["key"], entry["value"])

    def _coupon_fields(self, given: Body, number: int) -> dict[str, Any]:
        body = dict(given)
        same = self.shop.find_coupon(body.get("code", ""))
        if same is not None and same["id"] != number:
            raise Refused("woocommerce_rest_coupon_code_already_exists", "The coupon code already exists", 400)
        if body.get("discount_type", "percent") not in _DISCOUNTS:
            raise Refused("rest_invalid_param", "Invalid parameter(s): discount_type", 400)
        for name in ("amount", "minimum_amount", "maximum_amount"):
            if name in body:
                if not isinstance(body[name], str):
                    raise Refused("rest_invalid_param", f"Invalid parameter(s): {name}", 400)
                body[name] = fixed(_number(body[name], name), self.shop.places)
        if "code" in body:
            body["code"] = body["code"].lower()
        if body.get("date_expires") and "date_expires_gmt" not in body:
            body["date_expires_gmt"] = body["date_expires"]
        return body

    def update_coupon(self, call: Call) -> Response:
        return json_response(self.shown(call, self._update_coupon(call.numbers[0], call.body), "coupons"))

    def _update_coupon(self, number: int, given: Body) -> Resource:
        coupon = found(self.shop.coupons, number, "shop_coupon")
        body = self._coupon_fields(given, number)
        self._merge_meta(coupon, body.pop("meta_data", []))
        coupon |= body
        self.shop.touch("coupon", coupon)
        return coupon

    def delete_coupon(self, call: Call) -> Response:
        return json_response(self.shown(call, self._delete_coupon(call.numbers[0]), "coupons"))

    def _delete_coupon(self, number: int) -> Resource:
        coupon = found(self.shop.coupons, number, "shop_coupon")
        del self.shop.coupons[number]
        self.shop.webhooks.happened("coupon.deleted", number)
        return coupon

    def batch_coupons(self, call: Call) -> Response:
        return self._batch(call, self.shop.coupons, "coupons", self._create_coupon, "coupon")

    # --- webhooks -----------------------------------------------------------------------------------------------

    def create_webhook(self, call: Call) -> Response:
        return self._made(call, self._create_webhook(call.body), "webhooks")

    def _create_webhook(self, body: Body) -> Resource:
        """Always active, whatever status is asked for, and pinged at once."""
        _require_topic(body.get("topic", ""))
        _require_address(body.get("delivery_url", ""))
        webhook = template("webhook") | {"id": self.shop.next_id(), "status": "active", "hooks": []}
        webhook |= {"name": body.get("name") or "Webhook created by the API", "delivery_url": body["delivery_url"]}
        _set_topic(webhook, body["topic"])
        for name in ("created", "modified"):
            stamp(webhook, name, self.shop.clock(), self.shop.zone)
        self.shop.webhooks.register(webhook, body.get("secret", ""))
        return webhook

    def update_webhook(self, call: Call) -> Response:
        return json_response(self.shown(call, self._update_webhook(call.numbers[0], call.body), "webhooks"))

    def _update_webhook(self, number: int, body: Body) -> Resource:
        """Making it active leaves the count of failures; one more then switches it off again, until a delivery succeeds."""
        hooks = self.shop.webhooks
        if number not in hooks.registered:
            raise Refused("woocommerce_rest_shop_webhook_invalid_id", "ID is invalid.", 400)
        webhook = hooks.registered[number]
        if body.get("topic"):
            _require_topic(body["topic"])
            _set_topic(webhook, body["topic"])
        if body.get("delivery_url"):
            _require_address(body["delivery_url"])
        if body.get("status", "active") not in _WEBHOOK_STATES:
            raise Refused("woocommerce_rest_shop_webhook_invalid_status", "Webhook status must be valid.", 400)
        if body.get("secret"):
            hooks.secrets[number] = body["secret"]
        webhook |= {name: body[name] for name in ("name", "status", "delivery_url") if body.get(name)}
        stamp(webhook, "modified", self.shop.clock(), self.shop.zone)
        return webhook

    def delete_webhook(self, call: Call) -> Response:
        if not truth_of(call.given, "force"):
            raise Refused("woocommerce_rest_trash_not_supported", "Webhooks do not support trashing.", 501)
        return json_response(self.shown(call, self._delete_webhook(call.numbers[0]), "webhooks"))

    def _delete_webhook(self, number: int) -> Resource:
        webhook = found(self.shop.webhooks.registered, number, "shop_webhook")
        self.shop.webhooks.remove(number)
        return webhook

    def batch_webhooks(self, call: Call) -> Response:
        return self._batch(call, self.shop.webhooks.registered, "webhooks", self._create_webhook, "webhook")


def _require_force(call: Call, what: str) -> None:
    if not truth_of(call.given, "force"):
        raise Refused("woocommerce_rest_trash_not_supported", f"{what} do not support trashing.", 501)


def _require_topic(topic: str) -> None:
    if topic.lower() not in TOPICS:
        code = "woocommerce_rest_shop_webhook_invalid_topic"
        raise Refused(code, "Webhook topic is required and must be valid.", 400)


def _set_topic(webhook: Resource, topic: str) -> None:
    resource, _, event = topic.partition(".")
    webhook |= {"topic": topic, "resource": resource, "event": event}


def _require_address(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        message = "Webhook delivery URL must be a valid URL starting with http:// or https://."
        raise Refused("woocommerce_rest_shop_webhook_invalid_delivery_url", message, 400)


def _number(text: object, name: str) -> Decimal:
    try:
        return Decimal(str(text))
    except InvalidOperation as error:
        raise Refused("rest_invalid_param", f"Invalid parameter(s): {name}", 400) from error
