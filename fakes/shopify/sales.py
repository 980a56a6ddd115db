"""Happenings with orders, from the cart to the parcel that comes back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from functools import partial
from typing import Any

from fakes.shopify import payloads, sums
from fakes.shopify.amounts import Bag, Currencies, converted
from fakes.shopify.catalogue import Catalogue
from fakes.shopify.records import (
    Address,
    Application,
    Code,
    Coupon,
    Customer,
    Fulfilment,
    FulfilmentLine,
    Line,
    Order,
    Refund,
    RefundLine,
    Shipping,
    Tax,
    Transaction,
    Variant,
)
from fakes.shopify.state import Happened

RATES = {  # of one unit of the shop's currency, all in euros
    "EUR": Fraction(1),
    "USD": Fraction("1.0837"),
    "GBP": Fraction("0.8561"),
    "JPY": Fraction("163.27"),
    "KWD": Fraction("0.3331"),
}
TAX_RATE = Fraction(19, 100)


@dataclass(frozen=True)
class Wanted:
    """A line of an order to come. ``variant`` may be missing: a custom item that the merchant typed in."""

    variant: Variant | None = None
    quantity: int = 1
    title: str = ""
    price: int = 0
    properties: dict[str, str] = field(default_factory=dict)


class Sales(Catalogue):
    def add_order(
        self,
        wanted: Sequence[Wanted | tuple[Variant, int]],
        *,
        customer: Customer | None = None,
        currency: str | None = None,
        code: str | None = None,
        shipping: int | None = 490,
        payment: str = "paid",
        at: datetime | None = None,
        **facts: Any,
    ) -> Order:
        """``payment`` is paid, authorized or pending; ``at`` an earlier moment (an imported order); ``facts`` fields of ``Order``."""
        money, number = self._currencies(currency), self.next_order_number()
        lines = [self._line(one if isinstance(one, Wanted) else Wanted(*one), money) for one in wanted]
        moment = (at or self.now()).replace(microsecond=0)
        order = Order(self.next_number(), money, number, moment, moment, moment, lines, **self._buyer(customer) | facts)
        order.taxes_included = self.settings.taxes_included
        if shipping is not None:
            order.shipping = Shipping(self.next_number(), "Parcel", money.bag(shipping), code="parcel")
        self._discount(order, code, customer)
        self._tax(order, order.lines)
        self._pay_first(order, payment)
        self.orders[order.number_of_kind] = order
        self.hand_orders([order], customer)
        self._take_stock(order)
        told = [
            ("ORDERS_CREATE", partial(payloads.order, order, self.settings)),
            ("ORDERS_UPDATED", partial(payloads.order, order, self.settings)),
        ]
        self.fire(
            *told,
            *([("ORDERS_PAID", partial(payloads.order, order, self.settings))] if payment == "paid" else []),
            *self._moves(order),
        )
        return order

    def _currencies(self, shown: str | None) -> Currencies:
        own = self.settings.currency
        shown = shown or own
        return Currencies(own, shown, Fraction(1) if shown == own else RATES[shown] / RATES[own])

    def _line(self, wanted: Wanted, money: Currencies) -> Line:
        variant, number = wanted.variant, self.next_number()
        if variant is None:
            return Line(number, wanted.title, wanted.quantity, money.bag(wanted.price), properties=wanted.properties)
        product = self.product_of(variant)
        return Line(
            number,
            product.title,
            wanted.quantity,
            money.bag(variant.price),
            variant_title=None if variant.title == "Default Title" else variant.title,
            product=product,
            variant=variant,
            sku=variant.sku,
            vendor=product.vendor or None,
            taxable=variant.taxable,
            requires_shipping=variant.item.requires_shipping,
            is_gift_card=product.is_gift_card,
            properties=wanted.properties,
        )

    def _buyer(self, customer: Customer | None) -> dict[str, Any]:
        if customer is None:
            return {}
        address = customer.default_address
        return {
            "customer": customer,
            "email": customer.email,
            "phone": customer.phone,
            "accepts_marketing": customer.email_consent.state == "SUBSCRIBED",
            "billing_address": self.copied(address) if address else None,
            "shipping_address": self.copied(address) if address else None,
        }

    def guest_address(self, **facts: Any) -> Address:
        return Address(self.next_number(), **facts)

    def _discount(self, order: Order, text: str | None, customer: Customer | None) -> None:
        found = self.coupon_by_code(text) if text else None
        if found is None or self.status_of(found[0]) != "ACTIVE" or not self.is_for(found[0], customer):
            return
        coupon, code = found
        code.async_usage_count += 1
        order.applications.append(self._application(order, coupon, code))
        if coupon.percentage is None and coupon.amount is None:
            if order.shipping:
                order.shipping.allocations[0] = order.shipping.price
            return
        whole, off = sums.subtotal(order), self._worth(order, coupon)
        given = Bag()
        for line in order.lines[:-1]:
            share = Fraction(sums.net(line).shop, whole.shop) if whole.shop else Fraction(0)
            line.allocations[0] = off.part(share)
            given += line.allocations[0]
        order.lines[-1].allocations[0] = off - given

    def _worth(self, order: Order, coupon: Coupon) -> Bag:
        whole = sums.subtotal(order)
        if coupon.percentage is not None:
            return whole.part(Fraction(str(coupon.percentage)))
        off = order.currencies.bag(coupon.amount or 0)
        return Bag(min(off.shop, whole.shop), min(off.shown, whole.shown))

    def _application(self, order: Order, coupon: Coupon, code: Code) -> Application:
        if coupon.percentage is not None:
            return Application(code.code, coupon.title, True, round(coupon.percentage * 10_000))
        if coupon.amount is not None:
            money = order.currencies
            return Application(
                code.code, coupon.title, False, converted(coupon.amount, money.rate, money.shop, money.shown)
            )
        return Application(code.code, coupon.title, True, 10_000, is_on_shipping=True)

    def _tax(self, order: Order, lines: Sequence[Line]) -> None:
        """Nineteen per cent: within the price where the shop's prices include it, on top where not."""
        share = TAX_RATE / (1 + TAX_RATE) if order.taxes_included else TAX_RATE
        for line in lines:
            line.taxes = [Tax("VAT", float(TAX_RATE), sums.net(line).part(share))] if line.taxable else []
        if order.shipping:
            order.shipping.taxes = [Tax("VAT", float(TAX_RATE), sums.shipping_net(order).part(share))]

    def _pay_first(self, order: Order, payment: str) -> None:
        amount = sums.total_price(order)
        gateway = "cash" if order.source_name == "pos" else "shopify_payments"
        kind, status = {
            "paid": ("SALE", "SUCCESS"),
            "authorized": ("AUTHORIZATION", "SUCCESS"),
            "pending": ("SALE", "PENDING"),
        }[payment]
        if amount:
            order.transactions.append(self._transaction(order, kind, amount, status=status, gateway=gateway))

    def _transaction(self, order: Order, kind: str, amount: Bag, **facts: Any) -> Transaction:
        at = order.created_at if not order.transactions else self.now()
        return Transaction(
            self.next_number(), kind, facts.pop("status", "SUCCESS"), amount, at, is_test=order.test, **facts
        )

    def _take_stock(self, order: Order) -> None:
        place = self.till if order.source_name == "pos" else self.warehouse
        for line in order.lines:
            if line.variant and line.variant.item.tracked:
                levels = line.variant.item.levels
                self.set_stock(line.variant, levels.get(place.number_of_kind, 0) - line.quantity, place)

    def _moves(self, order: Order, since: int = 0) -> list[Happened]:
        told = [partial(payloads.transaction, one, order, self.settings) for one in order.transactions[since:]]
        return [("ORDER_TRANSACTIONS_CREATE", one) for one in told]

    def _touch(self, order: Order, *also: Happened) -> None:
        order.updated_at = self.now()
        self.fire(*also, ("ORDERS_UPDATED", partial(payloads.order, order, self.settings)))

    def update_order(self, order: Order, **facts: Any) -> None:
        """``note``, ``tags``, ``email``, ``shipping_address``, ``attributes`` ...: fields of ``Order``."""
        for name, value in facts.items():
            if not hasattr(order, name):
                raise AttributeError(name)
            setattr(order, name, value)
        self._touch(order)

    def pay(self, order: Order) -> None:
        """What is still owed: a capture of what was authorized, else a payment."""
        since, owed = len(order.transactions), sums.outstanding(order)
        first = next((one for one in order.transactions if one.kind == "AUTHORIZATION"), None)
        kind = "CAPTURE" if first and sums.capturable(order) else "SALE"
        order.transactions.append(self._transaction(order, kind, owed, parent=first))
        order.updated_at = self.now()
        self._touch(order, *self._moves(order, since), ("ORDERS_PAID", partial(payloads.order, order, self.settings)))

    def edit_order(self, order: Order, *, add: Sequence[Wanted] = (), remove: Mapping[int, int] | None = None) -> None:
        """Edits after placing: lines more, or units of a line (by its number) less."""
        added = [self._line(one, order.currencies) for one in add]
        for line in added:
            line.is_added_later = True
        self._tax(order, added)
        order.lines += added
        for line in order.lines:
            line.removed += (remove or {}).get(line.number_of_kind, 0)
        order.edited, order.updated_at = True, self.now()
        edit: dict[str, Any] = {
            "id": self.next_number(),
            "app_id": None,
            "created_at": payloads.moment(self.now(), self.settings.timezone),
            "notify_customer": False,
            "order_id": order.number_of_kind,
            "staff_note": "",
            "user_id": None,
            "line_items": {
                "additions": [{"id": line.number_of_kind, "delta": line.quantity} for line in added],
                "removals": [{"id": number, "delta": count} for number, count in (remove or {}).items()],
            },
            "discounts": {"line_item": {"additions": [], "removals": []}},
            "shipping_lines": {"additions": [], "removals": []},
        }
        self._touch(order, ("ORDERS_EDITED", lambda: {"order_edit": edit}))

    def refund(
        self,
        order: Order,
        quantities: Mapping[int, int] | None = None,
        *,
        with_shipping: bool = False,
        amount: int | Bag | None = None,
        restock: str = "RETURN",
        note: str | None = None,
    ) -> Refund:
        """Units of lines (by number). ``amount`` (shop's minor units) is paid back where it is not what these come to; 0: nothing."""
        lines = [self._refund_line(order, line, quantities, restock) for line in order.lines]
        known = [one for one in lines if one is not None]
        shipping = sums.current_shipping(order) if with_shipping else Bag()
        tax = sums.tax(order.shipping.taxes) if with_shipping and order.shipping else Bag()
        due = self._due(order, known, shipping, tax)
        paid = due if amount is None else amount if isinstance(amount, Bag) else order.currencies.bag(amount)
        more = paid - due if paid else Bag()
        refund = Refund(self.next_number(), self.now(), note, known, shipping, tax, more, [], self.next_number())
        since = len(order.transactions)
        if paid:
            parent = next((one for one in order.transactions if one.kind in ("SALE", "CAPTURE")), None)
            refund.transactions.append(self._transaction(order, "REFUND", paid, parent=parent))
            order.transactions += refund.transactions
        order.refunds.append(refund)
        self._put_back(known)
        order.updated_at = self.now()
        told = ("REFUNDS_CREATE", partial(payloads.refund, refund, order, self.settings))
        self._touch(order, told, *self._moves(order, since))
        return refund

    def _refund_line(
        self, order: Order, line: Line, quantities: Mapping[int, int] | None, restock: str
    ) -> RefundLine | None:
        count = (quantities or {}).get(line.number_of_kind, 0)
        if not count:
            return None
        gone = line.quantity - sums.current_quantity(order, line)
        subtotal = sums.slice_of(sums.net(line), line, gone, count)
        tax = sums.slice_of(sums.tax(line.taxes), line, gone, count)
        return RefundLine(self.next_number(), line, count, restock, subtotal, tax)

    def _due(self, order: Order, lines: Sequence[RefundLine], shipping: Bag, shipping_tax: Bag) -> Bag:
        due = shipping if order.taxes_included else shipping + shipping_tax
        for one in lines:
            due = due + one.subtotal + (Bag() if order.taxes_included else one.tax)
        return due

    def _put_back(self, lines: Sequence[RefundLine]) -> None:
        for one in lines:
            variant = one.line.variant
            if variant and one.restock_type != "NO_RESTOCK":
                place = self.warehouse
                self.set_stock(variant, variant.item.levels.get(place.number_of_kind, 0) + one.quantity, place)

    def cancel(self, order: Order, reason: str = "CUSTOMER", *, with_refund: bool = True) -> None:
        """All that is left goes back to stock; what was paid is paid back, what was authorized is voided."""
        order.cancelled_at, order.cancel_reason, order.closed_at = self.now(), reason, self.now()
        left = {line.number_of_kind: sums.current_quantity(order, line) for line in order.lines}
        paid = sums.received(order) - sums.refunded(order)
        if sums.received(order) and with_refund:
            self.refund(order, left, with_shipping=True, amount=paid, restock="CANCEL")
        else:
            first = next((one for one in order.transactions if one.kind == "AUTHORIZATION"), None)
            if first:
                order.transactions.append(self._transaction(order, "VOID", first.amount, parent=first))
            self.refund(order, left, with_shipping=True, amount=0, restock="CANCEL")
        self._touch(order, ("ORDERS_CANCELLED", partial(payloads.order, order, self.settings)))

    def fulfil(
        self,
        order: Order,
        quantities: Mapping[int, int] | None = None,
        *,
        company: str | None = None,
        tracking: Sequence[str] = (),
    ) -> Fulfilment:
        """Everything that is left, or units of lines by number."""
        lines = []
        for line in order.lines:
            left = sums.current_quantity(order, line) - sums.fulfilled_quantity(order, line)
            count = left if quantities is None else quantities.get(line.number_of_kind, 0)
            if count > 0:
                lines.append(FulfilmentLine(self.next_number(), line, count))
        at, name = self.now(), f"{order.name}-F{len(order.fulfilments) + 1}"
        sent = Fulfilment(self.next_number(), at, at, name, lines, company=company, tracking_numbers=list(tracking))
        sent.tracking_urls = [f"https://parcels.example/{number}" for number in tracking]
        order.fulfilments.append(sent)
        order.updated_at = at
        topic = "ORDERS_FULFILLED" if sums.fulfillment_status(order) == "FULFILLED" else "ORDERS_PARTIALLY_FULFILLED"
        told = partial(payloads.fulfillment, sent, order, self.settings)
        self._touch(order, ("FULFILLMENTS_CREATE", told), (topic, partial(payloads.order, order, self.settings)))
        return sent

    def update_fulfilment(self, order: Order, sent: Fulfilment, **facts: Any) -> None:
        """``display_status``, ``delivered_at``, ``tracking_numbers``, ``status`` (CANCELLED) ...: fields of ``Fulfilment``."""
        for name, value in facts.items():
            setattr(sent, name, value)
        sent.updated_at = order.updated_at = self.now()
        self._touch(order, ("FULFILLMENTS_UPDATE", partial(payloads.fulfillment, sent, order, self.settings)))

    def close(self, order: Order) -> None:
        order.closed_at = self.now()
        self._touch(order)

    def delete_order(self, order: Order) -> None:
        del self.orders[order.number_of_kind]
        self.hand_orders([order], None)
        self.fire(("ORDERS_DELETE", lambda: {"id": order.number_of_kind}))
