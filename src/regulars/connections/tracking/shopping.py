"""What calls of the e-commerce spec do to carts and orders. A browser fills carts, and never touches an order; a server key does both."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from regulars.connections.tracking.people import Speaker, who
from regulars.connections.tracking.protocol import Call, Reason
from regulars.connections.tracking.told import Told
from regulars.foundation.money import CURRENCIES, to_minor
from regulars.foundation.shop.models import Store
from regulars.record.carts.inputs import CartInput, CartLineInput
from regulars.record.carts.operations import apply_carts, order_carts
from regulars.record.carts.queries import KnownCart, find_live_carts
from regulars.record.events.log import LogTransaction
from regulars.record.orders.inputs import LineInput, OrderInput, RefundInput
from regulars.record.orders.models import Order, OrderLine, OrderStatus, PaymentStatus
from regulars.record.orders.operations import apply_orders

_FILLING = {"Product Added", "Wishlist Product Added to Cart"}
_STATING = {"Cart Viewed", "Checkout Started"}
_CHANGING = {"Order Updated", "Order Cancelled"}
_ORDERING = _CHANGING | {"Order Completed"}
_CARTS = _FILLING | _STATING | {"Product Removed", "Order Completed"}
_ORDERS = _ORDERING | {"Order Refunded"}
_DEEDS = _CARTS | _ORDERS
_MOST = 1_000_000  # of one thing in a cart
_DEAREST = Decimal(10) ** 12 - 1
_LONGEST_KEY = 100
_LONGEST_URL = 2_000


class Mark(NamedTuple):
    """A call that is recorded, and did not do all that it says."""

    told: Told
    reason: Reason


class _Deed(NamedTuple):
    """One call about a cart or an order."""

    told: Told
    name: str
    currency: str

    @property
    def said(self) -> Mapping[str, Any]:
        """Typed properties in clear."""
        return self.told.typed.clear

    @property
    def call(self) -> Call:
        return self.told.call

    @property
    def customer(self) -> int:
        return self.told.customer


@dataclass
class _Basket:
    """A cart on its way through the batch."""

    key: str
    owner: Told
    customer: int | None
    changed_at: datetime
    currency: str
    lines: dict[str, CartLineInput] = field(default_factory=dict)
    is_checkout: bool = False
    is_claimed: bool = True
    is_changed: bool = False
    is_stated: bool = False  # by this batch; that it was ordered says nothing of what lay in it
    recovery_url: str = ""
    ordered_by: _Deed | None = None
    touches: dict[datetime, bool] = field(default_factory=dict)  # by this batch, and whether it was empty then


def apply(told: Sequence[Told], speaker: Speaker, store: Store, log: LogTransaction, at: datetime) -> list[Mark]:
    """Carts and orders after these calls, oldest first; what could not be done as it was said."""
    deeds = _deeds(told, store)
    if not deeds:
        return []
    orders = [deed for deed in deeds if deed.name in _ORDERS]
    if speaker.is_server:
        marks, numbers = _apply_orders(orders, speaker, log, at)
    else:
        marks, numbers = [Mark(deed.told, Reason.UNTRUSTED_ORDER) for deed in orders], {}
    baskets = _fill([deed for deed in deeds if deed.name in _CARTS], speaker)
    _apply_carts(baskets, numbers, speaker, log)
    return marks


def _deeds(told: Sequence[Told], store: Store) -> list[_Deed]:
    deeds = [
        _Deed(one, one.spec.name, currency_of(one.typed.clear, store.currency))
        for one in told
        if one.spec and one.spec.name in _DEEDS
    ]
    return sorted(deeds, key=lambda deed: deed.call.times.occurred_at)


def currency_of(said: Mapping[str, Any], default: str) -> str:
    code = str(said.get("currency", "")).upper()
    return code if code in CURRENCIES else default


@dataclass
class _Baskets:
    """The baskets of a batch, found by key and by whose they are."""

    every: list[_Basket] = field(default_factory=list)
    by_key: dict[str, _Basket] = field(default_factory=dict)
    by_customer: dict[int | None, list[_Basket]] = field(default_factory=dict)

    def put(self, basket: _Basket) -> _Basket:
        self.every.append(basket)
        self.by_key[basket.key] = basket
        self.by_customer.setdefault(basket.customer, []).append(basket)
        return basket

    def give(self, basket: _Basket, owner: Told) -> None:
        if basket.customer != owner.customer:
            self.by_customer[basket.customer].remove(basket)
            self.by_customer.setdefault(owner.customer, []).append(basket)
        basket.owner, basket.customer = owner, owner.customer


def _fill(deeds: Sequence[_Deed], speaker: Speaker) -> list[_Basket]:
    """The baskets after these deeds."""
    baskets = _Baskets()
    named = {key for deed in deeds if (key := _cart_key(deed))}
    for cart in find_live_carts(speaker.store_id, named, {deed.customer for deed in deeds}) if deeds else []:
        baskets.put(_known(cart, deeds))
    for deed in deeds:
        other = baskets.by_key.get(_cart_key(deed))
        basket = other if _is_above(other, speaker) else _basket_of(deed, baskets, speaker)
        if basket and _is_above(basket, speaker):
            _say_whose(basket, deed, baskets)
            continue
        if basket is None and deed.name not in {"Order Completed", "Product Removed"}:
            key, at = _fresh_key(deed, baskets), deed.call.times.occurred_at
            basket = baskets.put(_Basket(key, deed.told, deed.customer, at, deed.currency))
        if basket is not None:
            baskets.give(basket, deed.told)
            _do(deed, basket, speaker)
            basket.recovery_url = (_recovery_url(deed) if speaker.is_server else "") or basket.recovery_url
    return baskets.every


def _is_above(basket: _Basket | None, speaker: Speaker) -> bool:
    """Whether a browser speaks of a cart that somebody states whose word stands: it is the same cart, and the call changes nothing."""
    return basket is not None and not basket.is_claimed and not speaker.is_server


def _say_whose(basket: _Basket, deed: _Deed, baskets: _Baskets) -> None:
    """Of a cart of nobody a browser may say whose it is, and no more."""
    if basket.customer is None:
        baskets.give(basket, deed.told)
        basket.is_changed = True


def _known(cart: KnownCart, deeds: Sequence[_Deed]) -> _Basket:
    lines = {line.sku: line for line in cart.lines}
    return _Basket(
        cart.key,
        deeds[0].told,
        cart.customer_id,
        cart.changed_at,
        cart.currency,
        lines,
        cart.is_checkout,
        cart.is_claimed,
    )


def _recovery_url(deed: _Deed) -> str:
    """The link that brings the cart back, which the e-commerce spec does not have; it goes into mails, so that no browser may name it."""
    url = deed.told.typed.rest.get("recovery_url")
    if not isinstance(url, str) or len(url) > _LONGEST_URL or not url.startswith(("https://", "http://")):
        return ""
    return url


def _cart_key(deed: _Deed) -> str:
    """The shop's own id of the cart, as the record keeps it; '' where the call names none."""
    key = str(deed.said.get("cart_id", ""))
    return key if len(key) <= _LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()


def _fresh_key(deed: _Deed, baskets: _Baskets) -> str:
    """The cart's own id, unless somebody else's cart has it; else one that follows from the call, so that it is always the same."""
    key = _cart_key(deed)
    if key and key not in baskets.by_key:
        return key
    return "visit-" + hashlib.sha256(f"{deed.call.message_id}\x1f{deed.told.profile}".encode()).hexdigest()[:24]


def _basket_of(deed: _Deed, baskets: _Baskets, speaker: Speaker) -> _Basket | None:
    """The cart that the call names, else the newest open one of the same person. A browser reaches its own person's carts only."""
    key = _cart_key(deed)
    named = baskets.by_key.get(key) if key else None
    if named and named.ordered_by is None and (speaker.is_server or named.customer in {None, deed.customer}):
        return named
    own = [
        basket
        for basket in baskets.by_customer.get(deed.customer, ())
        if basket.ordered_by is None and (not key or basket.key.startswith("visit-"))
    ]
    return max(own, key=lambda basket: basket.changed_at, default=None)


def _do(deed: _Deed, basket: _Basket, speaker: Speaker) -> None:
    """What lies in it as a whole is the newest statement's; of what is put in or taken out, what comes late counts too."""
    at = deed.call.times.occurred_at
    is_late = at < basket.changed_at and not (basket.is_claimed and speaker.is_server)
    basket.changed_at = max(at, basket.changed_at)
    basket.is_changed = True
    basket.is_stated |= deed.name != "Order Completed"
    if deed.name in _FILLING:
        basket.currency = currency_of(deed.said, basket.currency)
        _add(basket.lines, _line(deed.said), 1)
    elif deed.name == "Product Removed":
        line = _line(deed.said)
        _add(basket.lines, line, -1 if "quantity" in deed.said else -_MOST)
    elif deed.name in _STATING:
        basket.is_checkout |= deed.name == "Checkout Started"
        if "products" in deed.said and not is_late:
            basket.currency, basket.lines = currency_of(deed.said, basket.currency), {}
            for product in deed.said["products"]:
                _add(basket.lines, _line(product), 1)
    else:
        basket.ordered_by = deed
    basket.touches[at] = deed.said.get("products") == [] if is_late else not basket.lines


def _add(lines: dict[str, CartLineInput], line: CartLineInput | None, sign: int) -> None:
    """Puts so much more of it in, at the newest price, or takes it out."""
    if line is None:
        return
    before = lines[line.sku].quantity if line.sku in lines else 0
    quantity = min(before + sign * line.quantity, _MOST)
    if quantity > 0:
        lines[line.sku] = replace(line, quantity=quantity) if sign > 0 else replace(lines[line.sku], quantity=quantity)
    else:
        lines.pop(line.sku, None)


def _line(product: Mapping[str, Any]) -> CartLineInput | None:
    """What lies in the cart; None for a product without any name, and for none of it."""
    key, sku = str(product.get("product_id", "")), str(product.get("sku", ""))
    title = str(product.get("name", ""))
    if not (key or sku or title):
        return None
    price, quantity = max(product.get("price", Decimal(0)), Decimal(0)), product.get("quantity", Decimal(1))
    if quantity == 0:
        return None
    if quantity != int(quantity) and quantity > 0:  # 2.5 metres: the record counts pieces, so that it is one of them
        price, quantity = round(min(price * quantity, _DEAREST), 6), Decimal(1)
    pieces = int(quantity) if 1 <= quantity <= _MOST else 1
    return CartLineInput((sku or key or title)[:120], title, pieces, price, key[:120])


def _apply_carts(baskets: Sequence[_Basket], orders: Mapping[str, int], speaker: Speaker, log: LogTransaction) -> None:
    """Writes the baskets that changed, then those that were ordered: with the order where the record knows it."""
    changed = [basket for basket in baskets if basket.is_changed]
    for is_late in (False, True):
        group = [basket for basket in changed if basket.owner.call.is_late == is_late]
        inputs = [
            CartInput(
                basket.key,
                basket.changed_at,
                basket.currency,
                tuple(basket.lines.values()),
                is_checkout=basket.is_checkout,
                recovery_url=basket.recovery_url,
                is_claimed=not speaker.is_server if basket.is_stated else basket.is_claimed,
                profile_id=basket.owner.profile,
                earlier=tuple(basket.touches.items()),
            )
            for basket in group
        ]
        ids = apply_carts(inputs, log, store_id=speaker.store_id, is_history=is_late) if inputs else {}
        ordered = {
            ids[basket.key]: (orders.get(_number(basket.ordered_by)), basket.ordered_by.call.times.occurred_at)
            for basket in group
            if basket.ordered_by
        }
        if ordered:
            order_carts(ordered, log, is_history=is_late)


def _apply_orders(
    deeds: Sequence[_Deed], speaker: Speaker, log: LogTransaction, at: datetime
) -> tuple[list[Mark], dict[str, int]]:
    """Orders and refunds as a server states them; ids of the orders by number."""
    rows = _known_orders(deeds, speaker)
    known = _as_they_stand(rows.values()) if rows else {}  # and as the calls before say
    ids = {number: row.pk for number, row in rows.items()}
    marks: list[Mark] = []
    for is_late in (False, True):
        stated, refunds = [], []
        for deed in (deed for deed in deeds if deed.call.is_late == is_late):
            said = _stated(deed, known.get(_number(deed)), speaker)
            if isinstance(said, Reason):
                marks.append(Mark(deed.told, said))
            elif isinstance(said, RefundInput):
                refunds.append(said)
            else:
                known[said.number] = said
                stated.append(said)
        if stated or refunds:
            applied = apply_orders(stated, log, store_id=speaker.store_id, at=at, refunds=refunds, is_history=is_late)
            ids |= applied.order_ids
    return marks, ids


def _stated(deed: _Deed, known: OrderInput | None, speaker: Speaker) -> OrderInput | RefundInput | Reason:
    """The order or refund that a call states, or why it is none. What says too little to be an order may still change one."""
    if known:
        deed = deed._replace(currency=currency_of(deed.said, known.currency))
    if deed.name == "Order Refunded":
        amount = _refunded(deed, known)
        return Reason.UNKNOWN_ORDER if amount is None else _refund(deed, amount, speaker)
    if _number(deed) and deed.said.get("products"):
        return _order(deed, known, speaker)
    if _number(deed) and known and deed.name in _CHANGING:
        return _changed(deed, known, speaker)
    return Reason.NO_PRODUCTS


def _number(deed: _Deed) -> str:
    return str(deed.said.get("order_id", ""))


def _known_orders(deeds: Sequence[_Deed], speaker: Speaker) -> dict[str, Order]:
    rows = Order.objects.filter(store=speaker.store_id, number__in={_number(deed) for deed in deeds})
    return {row.number: row for row in rows}


def _as_they_stand(rows: Iterable[Order]) -> dict[str, OrderInput]:
    """What the record holds of these orders, as their source would state it."""
    lines: dict[int, list[LineInput]] = {row.pk: [] for row in rows}
    there = (
        OrderLine.objects.filter(order__in=lines, until_batch=None).select_related("variant__product").order_by("pk")
    )
    for line in there:
        key = line.variant.product.key if line.variant else ""
        lines[line.order_id].append(LineInput(line.sku, line.title, line.quantity, line.unit_price, key))
    return {
        row.number: OrderInput(
            number=row.number,
            placed_at=row.placed_at,
            currency=row.currency,
            lines=tuple(lines[row.pk]),
            channel=row.channel,
            shipping_minor=row.shipping_minor,
            tax_minor=row.tax_minor,
            tax_included=row.tax_included,
            discount_minor=row.discount_minor,
            discount_codes=row.discount_codes,
            total_minor=row.total_minor,
            status=OrderStatus(row.status),
            payment_status=PaymentStatus(row.payment_status),
            cancelled_at=row.cancelled_at,
            cart_keys=tuple(row.cart_keys),
            is_claimed=True,
        )
        for row in rows
    }


def _order(deed: _Deed, known: OrderInput | None, speaker: Speaker) -> OrderInput:
    """The order as the call states it now: subtotal = lines - discount, total = subtotal + tax + shipping."""
    said, occurred_at = deed.said, deed.call.times.occurred_at
    blank = OrderInput(
        number=_number(deed)[:120],
        placed_at=known.placed_at if known else occurred_at,
        currency=deed.currency,
        lines=tuple(_order_line(line) for product in said["products"] if (line := _line(product))),
        tax_included=False,
        status=known.status if known else OrderStatus.COMPLETED,
        payment_status=known.payment_status if known else PaymentStatus.PAID,
        cancelled_at=known.cancelled_at if known else None,
        is_claimed=True,
        cart_keys=(key,) if (key := _cart_key(deed)) else (),
    )
    return _changed(deed, blank, speaker)


_AMOUNTS = {"shipping": "shipping_minor", "tax": "tax_minor", "discount": "discount_minor", "total": "total_minor"}


def _changed(deed: _Deed, order: OrderInput, speaker: Speaker) -> OrderInput:
    """The order with what the call says of it; what it does not say stays."""
    said = deed.said
    amounts: dict[str, Any] = {
        field: to_minor(said[name], deed.currency) for name, field in _AMOUNTS.items() if name in said
    }
    if amounts and "total_minor" not in amounts:
        amounts |= {"total_minor": None}  # it follows from the others
    return replace(
        order,
        person=who(deed.call, speaker),
        channel=str(said.get("affiliation", order.channel))[:60],
        discount_codes=str(said.get("coupon", order.discount_codes)),
        **amounts,
        **_state_after(deed, order),
    )


def _state_after(deed: _Deed, order: OrderInput) -> dict[str, Any]:
    """An update says nothing of it, and what was told late brings back no order that was called off since."""
    at = deed.call.times.occurred_at
    if deed.name == "Order Cancelled":
        return {"status": OrderStatus.CANCELLED, "cancelled_at": at}
    if deed.name == "Order Updated" or (order.cancelled_at and order.cancelled_at > at):
        return {}
    return {"status": OrderStatus.COMPLETED, "payment_status": PaymentStatus.PAID, "cancelled_at": None}


def _order_line(line: CartLineInput) -> LineInput:
    return LineInput(line.sku, line.title, line.quantity, line.unit_price, line.product_key)


def _refunded(deed: _Deed, known: OrderInput | None) -> int | None:
    """What was given back: the stated total, else the whole order; None for an order that nobody knows."""
    if known is None or not _number(deed):
        return None
    return to_minor(deed.said["total"], deed.currency) if "total" in deed.said else known.total_minor


def _refund(deed: _Deed, amount_minor: int, speaker: Speaker) -> RefundInput:
    number = hashlib.sha256(f"{_number(deed)}\x1f{deed.call.message_id}".encode()).hexdigest()[:24]
    lines = tuple(_order_line(line) for product in deed.said.get("products", []) if (line := _line(product)))
    return RefundInput(
        number=f"refund-{number}",
        occurred_at=deed.call.times.occurred_at,
        currency=deed.currency,
        amount_minor=abs(amount_minor),
        lines=lines,
        order_number=_number(deed)[:120],
        person=who(deed.call, speaker),
        is_claimed=True,
    )
