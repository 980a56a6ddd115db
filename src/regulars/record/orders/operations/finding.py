"""Which known order an input means: by the platform's id, by its number, or, while only a tracker spoke of it, by its cart."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from regulars.foundation.bulk import execute, fetch
from regulars.record.events.tombstones import find_buried
from regulars.record.orders import rules
from regulars.record.orders.inputs import OrderInput

TOMBSTONE = "order"
_OVER = "cancelled"
SAME_CART = timedelta(hours=1)  # between what a tracker and what the platform say of when an order was placed
_COLUMNS = (
    "id, number, external_id, digest, stated_at, is_claimed, status, payment_status, fulfilment_status, placed_at,"
    " cart_keys, profile_id"
)
_BY_NUMBER = f"SELECT {_COLUMNS} FROM orders_order WHERE store_id = %s AND number = ANY(%s) ORDER BY id FOR UPDATE"
_BY_ID = (
    f"SELECT {_COLUMNS} FROM orders_order WHERE store_id = %s AND external_id = ANY(%s) AND external_id <> ''"
    " ORDER BY id FOR UPDATE"
)
_BY_CART = (
    f"SELECT {_COLUMNS} FROM orders_order WHERE store_id = %s AND cart_keys && %s::varchar[] AND cart_keys <> '{{}}'"
    " ORDER BY id FOR UPDATE"
)


@dataclass(frozen=True)
class Present:
    """An order as the record holds it, as far as it decides what an input does to it."""

    id: int
    number: str
    external_id: str
    digest: bytes
    stated_at: datetime | None
    is_claimed: bool
    status: str
    payment_status: str
    fulfilment_status: str
    placed_at: datetime
    cart_keys: Sequence[str]
    profile_id: int | None

    def outlives(self, said: OrderInput) -> bool:
        """Whether the input says less than what is known, and so changes nothing."""
        if said.is_claimed and not self.is_claimed:
            return self.stated_at is not None  # a platform's; what files and the API say, a tracker may go on with
        if self.is_claimed and not said.is_claimed:
            return False
        reached = rules.progress(self.status, self.payment_status, self.fulfilment_status)
        return rules.is_older(said, self.stated_at, reached)


@dataclass(frozen=True)
class Found:
    """Inputs under the number that their order has in the record, one for each order; ``names`` leads there from their own numbers.

    ``doubles`` are other orders that a tracker made of those which a platform states now.
    """

    orders: dict[str, OrderInput]
    there: dict[str, Present]
    gone: dict[str, str]
    names: dict[str, str]
    doubles: set[int]

    def fresh(self) -> list[OrderInput]:
        return [order for number, order in self.orders.items() if number not in self.there]

    def changed(self, digests: Mapping[str, bytes]) -> list[OrderInput]:
        """Of the known orders those that are said to be otherwise than before; ``digests`` by number."""
        known = ((order, self.there[number]) for number, order in self.orders.items() if number in self.there)
        return [order for order, row in known if row.digest != digests[order.number] and not row.outlives(order)]


def find_orders(inputs: Sequence[OrderInput], store_id: int) -> Found:
    """Locks the orders that are known, in the order of their ids. Of several inputs about one order the one that stands is kept."""
    newest: dict[str, OrderInput] = {}
    for order in inputs:
        name = rules.order_name(order.external_id, order.number)
        newest[name] = rules.said_later(newest[name], order) if name in newest else order
    known = _present(newest.values(), store_id)
    orders: dict[str, OrderInput] = {}
    there: dict[str, Present] = {}
    places: dict[str, str] = {}
    taken = {row.number: row for row in known.rows}
    doubles: set[int] = set()
    for name, order in newest.items():
        row = known.find(order)
        doubles |= known.claims(order) - {row.id if row else 0}
        number = _number(order, row, taken, orders)
        if number in orders:  # two names of one order
            orders[number] = rules.said_later(orders[number], replace(order, number=number))
        else:
            orders[number] = replace(order, number=number)
        if row:
            there[number] = row
        places[name] = number
    names = {order.number: places[rules.order_name(order.external_id, order.number)] for order in inputs}
    return Found(orders, there, _gone(orders.values(), there, store_id), names, doubles)


def _number(
    order: OrderInput, row: Present | None, taken: Mapping[str, Present], orders: Mapping[str, OrderInput]
) -> str:
    """Under which number the order stands: its own, unless another order of the store has that."""
    if row and (row.is_claimed <= order.is_claimed or row.number == order.number):
        return row.number
    other = taken.get(order.number)
    is_free = (other is None or (row is not None and other.id == row.id)) and order.number not in orders
    return order.number if is_free else f"{order.number}-{rules.bare_id(order.external_id)}"[:80]


class _Known:
    """The store's orders that inputs may mean, by everything that they may be called."""

    def __init__(self, rows: Iterable[Present]) -> None:
        self.rows = list({row.id: row for row in rows}.values())
        self._by_id = {row.external_id: row for row in self.rows if row.external_id}
        self._by_number: dict[str, list[Present]] = defaultdict(list)
        self._by_cart: dict[str, list[Present]] = defaultdict(list)
        for row in self.rows:
            self._by_number[rules.bare_number(row.number)].append(row)
            for key in row.cart_keys:
                self._by_cart[key].append(row)

    def find(self, order: OrderInput) -> Present | None:
        return self._by_id.get(_own_id(order)) or self._numbered(order) or self._of_cart(order)

    def claims(self, order: OrderInput) -> set[int]:
        """What a tracker made of an order that a platform states: under its number, or under its id as a number."""
        if order.is_claimed:
            return set()
        called = (rules.bare_number(order.number), rules.bare_id(order.external_id))
        return {
            row.id for name in called for row in self._by_number.get(name, ()) if row.is_claimed and row.status != _OVER
        }

    def _numbered(self, order: OrderInput) -> Present | None:
        """A row with another id of the platform's is another order, whatever its number; a tracker may call one by the id."""
        own = rules.bare_id(order.external_id)
        for row in self._by_number[rules.bare_number(order.number)]:
            if not own or not row.external_id or row.is_claimed:
                return row
        return next((row for row in self._by_number.get(own, ()) if row.is_claimed), None)

    def _of_cart(self, order: OrderInput) -> Present | None:
        """One of the two sides is a tracker's word, of about the same time."""
        for row in (row for key in order.cart_keys for row in self._by_cart.get(key, ())):
            if row.is_claimed != order.is_claimed and abs(row.placed_at - order.placed_at) <= SAME_CART:
                return row
        return None


def _own_id(order: OrderInput) -> str:
    """The platform's id, where the input gives one; what a tracker calls an order may be one."""
    return rules.bare_id(order.external_id or (order.number if order.is_claimed else ""))


def _present(orders: Iterable[OrderInput], store_id: int) -> _Known:
    said = list(orders)
    ids = {_own_id(order) for order in said} - {""}
    bare = {rules.bare_number(order.number) for order in said}
    numbers = bare | {f"#{number}" for number in bare} | {rules.bare_id(o.external_id) for o in said if o.external_id}
    carts = {key for order in said for key in order.cart_keys}
    rows = fetch(_BY_NUMBER, [store_id, list(numbers)])
    rows += fetch(_BY_ID, [store_id, list(ids)]) if ids else []
    rows += fetch(_BY_CART, [store_id, list(carts)]) if carts else []
    return _Known(Present(row[0], row[1], row[2], bytes(row[3]), *row[4:]) for row in rows)


def _gone(orders: Iterable[OrderInput], there: Mapping[str, Present], store_id: int) -> dict[str, str]:
    """Why orders that were deleted before we heard of them count nothing; by number."""
    fresh = {rules.order_name(order.external_id, order.number): order for order in orders if order.number not in there}
    buried = find_buried(fresh, TOMBSTONE, store_id) if fresh else {}
    return {fresh[name].number: grave.reason for name, grave in buried.items() if grave.holds(fresh[name].stated_at)}


def adopt_refunds(orders: Mapping[str, OrderInput], ids: Mapping[str, int], store_id: int) -> None:
    """Refunds that came before their orders belong to them from now on."""
    names, rows = [], []
    for number, row in ids.items():
        said = orders[number]
        for name in {rules.order_name(said.external_id, ""), rules.order_name("", said.number)} - {""}:
            names.append(name)
            rows.append(row)
    execute(_ADOPT, {"store": store_id, "names": names, "rows": rows})


_ADOPT = """
UPDATE orders_refund r SET order_id = n.row, profile_id = coalesce(r.profile_id, o.profile_id)
FROM unnest(%(names)s::text[], %(rows)s::bigint[]) AS n(name, row) JOIN orders_order o ON o.id = n.row
WHERE r.store_id = %(store)s AND r.order_id IS NULL AND r.order_name <> '' AND r.order_name = n.name
"""
