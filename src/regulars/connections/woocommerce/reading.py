"""From a body to statements: a page of a topic, a thing of it, or a webhook; each thing is read alike, wherever it stands."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from regulars.connections.base.platforms import Account, Incoming, PersonGone, Statements, Wanted
from regulars.connections.base.things import read_thing
from regulars.connections.woocommerce.envelopes import Envelope
from regulars.connections.woocommerce.mapping.consents import consents_of
from regulars.connections.woocommerce.mapping.coupons import coupon_of
from regulars.connections.woocommerce.mapping.orders import order_of
from regulars.connections.woocommerce.mapping.parcels import has_parcels
from regulars.connections.woocommerce.mapping.people import account_identity, customer_of
from regulars.connections.woocommerce.mapping.products import product_of
from regulars.connections.woocommerce.mapping.refunds import refund_of
from regulars.connections.woocommerce.mapping.values import Json, key, parse, part
from regulars.record.catalog.inputs import ProductInput, ProductRemoval
from regulars.record.coupons.inputs import CouponInput, CouponRemoval
from regulars.record.orders.inputs import OrderInput, OrderRemoval

More = Sequence[Json]
Read = Callable[[Json, More, Account, Statements], None]


def read(account: Account, incoming: Incoming) -> Statements:
    """Raises ValueError for a body that is no JSON, and for a topic that nobody asked for."""
    said, body = Statements(), parse(incoming.raw.body)
    if "." in incoming.topic:
        _read_webhook(incoming, part(body), account, said)
        return said
    page, reader = Envelope.read(body), _READERS[_RESOURCES[incoming.topic]]
    for thing in page.things:
        _read_one(reader, thing, page, account, said)
    return said


def split(incoming: Incoming) -> Sequence[bytes]:
    body = parse(incoming.raw.body)
    if "." in incoming.topic:
        return [incoming.raw.body]
    page = Envelope.read(body)
    return [page.alone(thing) for thing in page.things]


def _read_one(reader: Read, thing: Any, page: Envelope, account: Account, said: Statements) -> None:
    read_thing(
        said,
        lambda own: reader(page.whole(thing), page.details(thing), account, own),
        lambda: page.alone(thing),
    )


def _read_webhook(incoming: Incoming, thing: Json, account: Account, said: Statements) -> None:
    """A payload is built when it is sent: what it holds counts, not what its topic says happened."""
    resource = incoming.topic.partition(".")[0]
    if resource not in _READERS:
        raise ValueError("a topic that nobody asked for")
    if "code" in thing and "data" in thing:
        _read_refusal(thing)
    elif thing.keys() == {"id"} and incoming.topic.endswith(".deleted"):
        _gone(resource, key(thing["id"]), incoming.raw.received_at, account, said)
    else:
        _READERS[resource](thing, [], account, said)
        if said.orders and (
            thing.get("refunds") or has_parcels(thing)
        ):  # a webhook holds no lines, days and numbers of them
            said.wanted.append(Wanted("orders", key(thing["id"])))


def _read_refusal(thing: Json) -> None:
    """Instead of the thing, the answer that the shop gave to itself. Gone since: its deletion is told too."""
    if part(thing["data"]).get("status") != 404:
        raise ValueError("the shop may not read this itself")


def _gone(resource: str, number: str, at: datetime, account: Account, said: Statements) -> None:
    match resource:
        case "order":
            said.orders_gone.append(OrderRemoval(at, external_id=number))
        case "product":
            said.products_gone.append(ProductRemoval(number, at))
        case "coupon":
            said.coupons_gone.append(CouponRemoval(at, external_id=number))
        case _:
            said.people_gone.append(PersonGone(account_identity(number, account), at))


def _order(thing: Json, more: More, account: Account, said: Statements) -> None:
    order = order_of(thing, account)
    if isinstance(order, OrderRemoval):
        said.orders_gone.append(order)
    elif isinstance(order, OrderInput):
        said.orders.append(order)
        said.refunds += [refund_of(one, order) for one in more]
        said.consents += consents_of(thing, order.person, account)


def _product(thing: Json, more: More, account: Account, said: Statements) -> None:
    product = product_of(thing, account, more)
    if isinstance(product, ProductInput):
        said.products.append(product)
    else:
        said.products_gone.append(product)


def _coupon(thing: Json, more: More, account: Account, said: Statements) -> None:
    coupon = coupon_of(thing, account)
    if isinstance(coupon, CouponInput):
        said.coupons.append(coupon)
    else:
        said.coupons_gone.append(coupon)


def _customer(thing: Json, more: More, account: Account, said: Statements) -> None:
    person = customer_of(thing, account)
    if person is not None:
        said.people.append(person)
        said.consents += consents_of(thing, person, account)


_READERS: Mapping[str, Read] = {"order": _order, "product": _product, "coupon": _coupon, "customer": _customer}
_RESOURCES = {
    "orders": "order",
    "trashed-orders": "order",
    "products": "product",
    "trashed-products": "product",
    "coupons": "coupon",
    "customers": "customer",
}
