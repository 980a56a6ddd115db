"""What is pulled: whole things, one a line, each read for itself."""

import json
from collections.abc import Callable

from regulars.connections.base.platforms import Account, Incoming, Statements
from regulars.connections.base.things import read_thing
from regulars.connections.shopify.mapping import carts, coupons, orders, people, products
from regulars.connections.shopify.mapping.values import Node

Reader = Callable[[Account, Node, Statements], None]


def _customer(account: Account, node: Node, said: Statements) -> None:
    who = people.customer(account, node)
    said.consents += people.consents(account, node)
    said.people.append(who)


def _product(account: Account, node: Node, said: Statements) -> None:
    said.products.append(products.product(account, node))


def _stock(_account: Account, node: Node, said: Statements) -> None:
    said.stocks += list(products.stocks(node))


def _order(account: Account, node: Node, said: Statements) -> None:
    said.orders.append(orders.order(account, node))


def _coupons(account: Account, node: Node, said: Statements) -> None:
    said.coupons += list(coupons.coupons(account, node))


def _checkout(account: Account, node: Node, said: Statements) -> None:
    if found := carts.checkout(account, node):
        said.carts.append(found)


READERS: dict[str, Reader] = {
    "products": _product,
    "stock": _stock,
    "customers": _customer,
    "orders": _order,
    "coupons": _coupons,
    "checkouts": _checkout,
}


def parse(raw: bytes) -> Node:
    """A JSON object. Raises ValueError, RecursionError."""
    found = json.loads(raw, parse_constant=_refuse)
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no number")


def things(body: bytes) -> list[bytes]:
    return [line for line in body.split(b"\n") if line]


def read_page(account: Account, incoming: Incoming) -> Statements:
    reader, said = READERS[incoming.topic], Statements()
    for line in things(incoming.raw.body):
        _read_line(reader, account, line, said)
    return said


def _read_line(reader: Reader, account: Account, line: bytes, said: Statements) -> None:
    read_thing(said, lambda own: reader(account, parse(line), own), lambda: line)
