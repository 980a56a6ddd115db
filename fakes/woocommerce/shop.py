"""The shop behind the API: what a test can make happen in it. Every change queues the webhooks that it would."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fakes.woocommerce.catalog import Catalog
from fakes.woocommerce.pricing import (
    NO_TAX,
    RATES,
    Goods,
    Terms,
    add_up,
    coupon_line,
    fee_line,
    product_line,
    share_of,
    shipping_line,
)
from fakes.woocommerce.templates import line_template, template
from fakes.woocommerce.truth import Truth, tell
from fakes.woocommerce.values import SYMBOLS, Resource, fixed, stamp

CART_KEY = "_regulars_cart"  # what our plugin writes
_TAKES_STOCK = frozenset({"processing", "on-hold", "completed"})
_GIVES_STOCK_BACK = frozenset({"cancelled", "pending"})
_PAID = frozenset({"processing", "completed", "refunded"})


class Shop(Catalog):
    """A whole shop: its orders stand here, the rest in what it is made of."""

    def truth(self) -> Truth:
        """What a reader who missed nothing knows."""
        with self.lock:
            return tell(self)

    def add_order(
        self,
        items: Sequence[tuple[int, int]] = (),
        *,
        email: str = "guest@guests.test",
        customer_id: int = 0,
        status: str = "processing",
        currency: str = "",
        coupon: str = "",
        shipping: str = "",
        fee: str = "",
        billing: Mapping[str, str] | None = None,
        meta: Mapping[str, object] | None = None,
        at: datetime | None = None,
        **fields: Any,
    ) -> int:
        """``items``: (product or variation, quantity). Amounts without tax, in the shop's currency. Other ``fields`` are set as given."""
        with self.lock:
            at, number = at or self.clock(), self.next_id()
            order = self._empty_order(number, email, customer_id, dict(billing or {}))
            order |= {"currency": currency or self.currency}
            order["currency_symbol"] = SYMBOLS.get(order["currency"], order["currency"])
            self._fill(order, items, coupon, shipping, fee)
            for key, value in (meta or {}).items():
                self.set_meta(order, key, value)
            order |= fields
            stamp(order, "created", at, self.zone)
            self.orders[number] = order
            self.refunds[number] = {}
            self._enter(order, status, at)
            if status != "auto-draft":
                self.touch("order", order, "created", at)
            return number

    def _empty_order(self, number: int, email: str, customer_id: int, billing: dict[str, str]) -> Resource:
        order = template("order") | {"id": number, "number": str(number), "order_key": f"wc_order_{number:013x}"}
        order |= {"created_via": "checkout", "version": "11.0.1", "customer_id": customer_id, "meta_data": []}
        order |= {"prices_include_tax": self.prices_include_tax, "refunds": []}
        if customer_id:
            known = self.customers[customer_id]
            order["billing"] |= known["billing"] | {"email": known["billing"]["email"] or known["email"]}
            order["shipping"] |= {name: text for name, text in known["shipping"].items() if name in order["shipping"]}
        else:
            order["billing"] = dict.fromkeys(order["billing"], "") | {"email": email}
            order["shipping"] = dict.fromkeys(order["shipping"], "")
        order["billing"] |= billing
        order["payment_url"] = f"{self.home}/checkout/order-pay/{number}/?pay_for_order=true&key={order['order_key']}"
        return order

    def _fill(self, order: Resource, items: Sequence[tuple[int, int]], coupon: str, shipping: str, fee: str) -> None:
        rate = RATES.get(order["billing"]["country"], NO_TAX)
        terms = Terms(rate, self.prices_include_tax, self.places)
        goods = [self.goods(number, quantity) for number, quantity in items]
        known = self.find_coupon(coupon) if coupon else None
        share, first = share_of(known, goods), order["id"] * 100
        order["line_items"] = [product_line(first + place, item, share, terms) for place, item in enumerate(goods)]
        order["shipping_lines"] = [shipping_line(first + 50, Decimal(shipping), terms)] if shipping else []
        order["fee_lines"] = [fee_line(first + 60, "Gift &amp; wrapping", Decimal(fee), terms)] if fee else []
        add_up(order, terms)
        if known is not None:
            taken, tax = Decimal(order["discount_total"]), Decimal(order["discount_tax"])
            order["coupon_lines"] = [coupon_line(first + 70, known, taken, tax, terms)]
            known["usage_count"] += 1
            known["used_by"].append(str(order["customer_id"] or order["billing"]["email"]))

    def goods(self, number: int, quantity: int) -> Goods:
        if number in self.variations:
            variation = self.variations[number]
            return Goods(variation, quantity, self.products[variation["parent_id"]])
        return Goods(self.products[number], quantity)

    def update_order(self, number: int, *, status: str = "", **fields: Any) -> None:
        with self.lock:
            order = self.orders[number]
            order |= fields
            if status and status != order["status"]:
                self._enter(order, status, self.clock())
            self.touch("order", order)

    def _enter(self, order: Resource, status: str, at: datetime) -> None:
        """Status with what comes with it: payment, completion, stock."""
        order["status"] = status
        order["needs_payment"] = status in ("pending", "failed") and Decimal(order["total"]) > 0
        order["needs_processing"] = status == "processing"
        order["is_editable"] = status in ("pending", "on-hold", "checkout-draft")
        if status in _PAID and not order["transaction_id"]:
            stamp(order, "paid", at, self.zone)
            order["transaction_id"] = f"ch_{order['id']}"
        elif not order["transaction_id"]:
            stamp(order, "paid", None, self.zone)
        stamp(order, "completed", at if status == "completed" else None, self.zone)
        self._move_stock(order, status)

    def _move_stock(self, order: Resource, status: str) -> None:
        taken = order["id"] in self.has_taken_stock
        if status in _TAKES_STOCK and not taken:
            self.has_taken_stock.add(order["id"])
            self._change_stock(order, -1)
        elif status in _GIVES_STOCK_BACK and taken:
            self.has_taken_stock.remove(order["id"])
            self._change_stock(order, 1)

    def _change_stock(self, order: Resource, sign: int) -> None:
        for line in order["line_items"]:
            self._restock(line, sign * line["quantity"])

    def _restock(self, line: Resource, quantity: int) -> None:
        number = line["variation_id"] or line["product_id"]
        product = self.products.get(number) or self.variations.get(number)
        if product is not None and product["manage_stock"]:
            self.set_stock(number, product["stock_quantity"] + quantity)

    def refund(
        self,
        order_id: int,
        amount: str = "",
        *,
        lines: Mapping[int, int] | None = None,
        reason: str = "",
        restock: bool = True,
        at: datetime | None = None,
    ) -> int:
        """Part of an order, or all that is left of it. ``lines``: quantity by number of the order's line; the amount follows from them."""
        with self.lock:
            order, at = self.orders[order_id], at or self.clock()
            refund = template("refund") | {"id": self.next_id(), "reason": reason, "meta_data": []}
            refund["line_items"] = [
                self._refund_line(order, line, count, restock) for line, count in (lines or {}).items()
            ]
            sums = [Decimal(line["total"]) + Decimal(line["total_tax"]) for line in refund["line_items"]]
            left = self.left(order)
            taken = Decimal(amount) if amount else (-sum(sums) if sums else left)
            refund["amount"] = fixed(min(taken, left), self.places)
            stamp(refund, "created", at, self.zone)
            self.refunds[order_id][refund["id"]] = refund
            self._show_refunds(order)
            if not self.left(order) and order["status"] != "refunded":
                self._enter(order, "refunded", at)
            self.touch("order", order, at=at)
            return int(refund["id"])

    def left(self, order: Resource) -> Decimal:
        """What of an order was not given back yet."""
        returned = sum(Decimal(refund["amount"]) for refund in self.refunds[order["id"]].values())
        return Decimal(order["total"]) - returned

    def _show_refunds(self, order: Resource) -> None:
        order["refunds"] = [
            {"id": refund["id"], "reason": refund["reason"], "total": f"-{refund['amount']}"}
            for refund in self.refunds[order["id"]].values()
        ]

    def _refund_line(self, order: Resource, number: int, quantity: int, restock: bool) -> Resource:
        line = next(line for line in order["line_items"] if line["id"] == number)
        share = -Decimal(quantity) / line["quantity"]
        names = ("subtotal", "subtotal_tax", "total", "total_tax")
        if restock and order["id"] in self.has_taken_stock:
            self._restock(line, quantity)
        back = {name: fixed(Decimal(line[name]) * share, self.places) for name in names}
        meta = {"id": self.next_id(), "key": "_refunded_item_id", "value": str(number)}
        kept = {name: line[name] for name in ("name", "parent_name", "product_id", "variation_id", "sku", "price")}
        return (
            line_template("line_items")
            | kept
            | back
            | {
                "id": self.next_id(),
                "quantity": -quantity,
                "taxes": [],
                "meta_data": [meta],
            }
        )

    def delete_refund(self, order_id: int, refund_id: int) -> None:
        """The order's time of change stays as it was, as in the real one: only the webhook tells of it (since version 11.2)."""
        with self.lock:
            del self.refunds[order_id][refund_id]
            self._show_refunds(self.orders[order_id])
            self.webhooks.happened("order.updated", order_id)

    def fulfil(
        self,
        order_id: int,
        tracking: str,
        provider: str = "dhl",
        meta: Mapping[str, str] | None = None,
        *,
        is_all: bool = True,
    ) -> int:
        """A parcel by WooCommerce's own feature: the order notes how far it is, and its webhook holds no more than that."""
        with self.lock:
            order, at = self.orders[order_id], self.clock()
            said = {"_tracking_number": tracking, "_shipment_provider": provider, **(meta or {})}
            made: Resource = {
                "id": self.next_id(),
                "entity_type": "WC_Order",
                "entity_id": str(order_id),
                "status": "fulfilled",
                "is_fulfilled": True,
                "date_updated": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
                "date_deleted": None,
                "meta_data": [{"id": self.next_id(), "key": key, "value": value} for key, value in said.items()],
            }
            self.fulfillments.setdefault(order_id, []).append(made)
            self.set_meta(order, "_fulfillment_status", "fulfilled" if is_all else "partially_fulfilled")
            self.touch("order", order, at=at)
            return int(made["id"])

    def trash_order(self, number: int) -> None:
        with self.lock:
            order = self.orders[number]
            self.in_trash[number] = order["status"]
            order["status"] = "trash"
            self.touch("order", order, "deleted")

    def restore_order(self, number: int) -> None:
        with self.lock:
            order = self.orders[number]
            order["status"] = self.in_trash.pop(number)
            self.touch("order", order, "restored")

    def delete_order(self, number: int) -> None:
        """For good. Only trashing has a webhook: of an order deleted past the trash nobody hears."""
        with self.lock:
            del self.orders[number]
            del self.refunds[number]

    def shift(self) -> None:
        """Something that moves pages under a reader: a new order above, and the oldest one changed."""
        with self.lock:
            if self.orders and self.products:
                self.update_order(min(self.orders), customer_note="moved")
                self.add_order([(min(self.products), 1)], email="shift@guests.test")
