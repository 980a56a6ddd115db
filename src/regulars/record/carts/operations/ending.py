"""How carts end: by an order that names them, or by one of the same person with some of the same things."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from regulars.foundation.bulk import execute, fetch
from regulars.foundation.money import line_total
from regulars.record.carts import events, rules
from regulars.record.carts.models import LIVE, ORDERED, Cart, CartLine, CartState
from regulars.record.carts.queries import silence_of_carts
from regulars.record.customers.queries import customers_of, profiles_of
from regulars.record.events.log import LogTransaction


def order_carts(
    orders: Mapping[int, tuple[int | None, datetime]], log: LogTransaction, is_history: bool = False
) -> int:
    """Carts (by id) became orders, as somebody says of these very carts: 'recovered' where they had been left in silence before. How many
    that changed. Events: cart.ordered, cart.recovered.

    With each the order, and when it was placed. None: somebody says that it was ordered, and the record knows no such order.
    """
    carts = list(
        Cart.objects.select_for_update().filter(pk__in=orders, state__in=(*LIVE, CartState.CLOSED)).order_by("pk")
    )
    for cart in carts:
        cart.is_told, (cart.order_id, cart.ordered_at) = True, orders[cart.pk]
    _end(carts, log, silence_of_carts(), is_history)
    return len(carts)


def settle_carts(cart_ids: Collection[int], log: LogTransaction, at: datetime, silence: timedelta) -> set[int]:
    """Works out of what is known whether each of these carts was ordered; those that were not, and are now. Events: as ``order_carts``.

    A cart that was ordered by that rule, and is not any more (filled again long after the order, or the order was called off or names
    another cart), is open again.
    """
    wanted = {*cart_ids, *(cart for (cart,) in fetch(_LET_GO, [list(cart_ids)]))}
    rows = Cart.objects.select_for_update().filter(pk__in=wanted).exclude(state=CartState.MERGED)
    carts = list(rows.order_by("pk"))
    orders = _orders_of(carts)
    newly, moved, opened = [], [], []
    for cart in carts:
        order = rules.order_of(orders.get(cart.pk, ()), cart.opened_at, cart.changed_at)
        if order is None:
            if cart.state in ORDERED and not (cart.is_told and cart.order_id is None):
                opened.append(cart)
        elif cart.state not in ORDERED:
            cart.order_id, cart.ordered_at = order.id, order.placed_at
            newly.append(cart)
        elif order.is_named or not cart.is_told:
            before = (cart.state, cart.order_id, cart.ordered_at)
            cart.order_id, cart.ordered_at = order.id, order.placed_at
            if before != (_ended(cart, silence), cart.order_id, cart.ordered_at):
                moved.append(cart)
    _open_again(opened)
    _write(moved, silence)
    fresh = [cart for cart in newly if not cart.is_history and at - (cart.ordered_at or at) <= rules.NEWS]
    _end(fresh, log, silence, is_history=False)
    _end([cart for cart in newly if cart not in fresh], log, silence, is_history=True)
    return {cart.pk for cart in newly}


def let_orders_go(batch_id: int) -> set[int]:
    """The carts of orders that an undo of this batch removes: they have none any more, and are to be settled once it has."""
    return {cart for (cart,) in fetch(_LET_ORDERS_GO, [batch_id])}


_LET_ORDERS_GO = """
UPDATE carts_cart c SET order_id = NULL FROM orders_order o
WHERE o.batch_id = %s AND c.order_id = o.id AND NOT EXISTS (SELECT FROM orders_orderchange later WHERE later.order_id = o.id)
RETURNING c.id
"""
# OFFSET 0: the order in which they are written is the one in which tables are read (see ``customers.operations.links._FIND``). Left to the
# planner, all lines of a young shop met all of its carts for the sake of two.
_NAMED = """
SELECT k.cart_id, o.id, o.placed_at, true FROM carts_cartkey k
CROSS JOIN LATERAL (SELECT * FROM orders_order WHERE cart_keys @> ARRAY[k.key] AND cart_keys <> '{}' OFFSET 0) o
WHERE k.cart_id = ANY(%s) AND o.store_id = k.store_id AND o.status <> 'cancelled'
"""
_TOLD = """
SELECT c.id, o.id, o.placed_at, true FROM carts_cart c JOIN orders_order o ON o.id = c.order_id
WHERE c.id = ANY(%s) AND c.is_told AND o.status <> 'cancelled'
"""
_OF_PERSON = """
SELECT c.id, o.id, o.placed_at, false FROM unnest(%s::bigint[], %s::bigint[]) AS m(cart_id, profile_id)
CROSS JOIN LATERAL (SELECT id, store_id, opened_at, changed_at FROM carts_cart WHERE id = m.cart_id OFFSET 0) c
CROSS JOIN LATERAL (
    SELECT id, store_id, status, placed_at, cart_keys FROM orders_order WHERE profile_id = m.profile_id OFFSET 0) o
WHERE o.store_id = c.store_id AND o.status <> 'cancelled'
AND o.placed_at BETWEEN c.opened_at AND c.changed_at + interval '7 days' AND EXISTS (
    SELECT FROM (SELECT variant_id, sku, until_batch_id FROM orders_orderline WHERE order_id = o.id OFFSET 0) ol
    LEFT JOIN LATERAL (SELECT product_id FROM catalog_variant WHERE id = ol.variant_id OFFSET 0) ov ON true
    CROSS JOIN (SELECT variant_id, sku FROM carts_cartline WHERE cart_id = c.id OFFSET 0) cl
    LEFT JOIN LATERAL (SELECT product_id FROM catalog_variant WHERE id = cl.variant_id OFFSET 0) cv ON true
    WHERE ol.until_batch_id IS NULL AND (ov.product_id = cv.product_id OR ol.sku <> '' AND ol.sku = cl.sku) OFFSET 0
) AND NOT EXISTS (SELECT FROM carts_cartkey k WHERE k.store_id = o.store_id AND k.key = ANY(o.cart_keys) OFFSET 0)
"""
# Carts that an order ended as the person's, which names one of these carts: it ends that one only.
_LET_GO = """
SELECT DISTINCT c.id FROM carts_cartkey k
CROSS JOIN LATERAL (SELECT id, store_id FROM orders_order WHERE cart_keys @> ARRAY[k.key] AND cart_keys <> '{}' OFFSET 0) o
CROSS JOIN LATERAL (SELECT id FROM carts_cart WHERE order_id = o.id OFFSET 0) c
WHERE k.cart_id = ANY(%s) AND o.store_id = k.store_id AND c.id <> k.cart_id
"""


def _orders_of(carts: Sequence[Cart]) -> dict[int, list[rules.Order]]:
    """What each of the carts may have become."""
    owners = customers_of(cart.profile_id for cart in carts if cart.profile_id)
    members = profiles_of(set(owners.values()))
    pairs = [(c.pk, profile) for c in carts if c.profile_id for profile in members.get(owners.get(c.profile_id, 0), [])]
    found: dict[int, list[rules.Order]] = defaultdict(list)
    own = [[cart.pk for cart in carts]]
    rows = fetch(_NAMED, own) + fetch(_TOLD, own) if carts else []
    rows += fetch(_OF_PERSON, [[cart for cart, _ in pairs], [profile for _, profile in pairs]]) if pairs else []
    for cart, *order in rows:
        found[cart].append(rules.Order(*order))
    return found


def _end(carts: Sequence[Cart], log: LogTransaction, silence: timedelta, is_history: bool) -> None:
    """Writes that these carts were ordered when they were, and says so."""
    owners = customers_of(cart.profile_id for cart in carts if cart.profile_id)
    counts = line_counts(carts)
    _write(carts, silence)
    for cart in carts:
        kind = events.CART_RECOVERED if cart.state == CartState.RECOVERED else events.CART_ORDERED
        told = {"order_id": cart.order_id, "lines": counts.get(cart.pk, 0)}
        at = cart.ordered_at or cart.changed_at
        log.append(events.of_cart(kind, cart, owners.get(cart.profile_id or 0), at, is_history, **told))


def _write(carts: Sequence[Cart], silence: timedelta) -> None:
    """'Recovered' is what was left in silence before it was ordered. What was emptied by ordering is worth what lay in it."""
    emptied = [cart for cart in carts if not cart.value_minor]
    worth = _worth(emptied) if emptied else {}
    for cart in carts:
        cart.state = _ended(cart, silence)
        cart.value_minor = cart.value_minor or worth.get(cart.pk, 0)
    rows = [(c.pk, str(c.state), c.order_id, c.ordered_at, c.is_told, c.value_minor) for c in carts]
    if rows:
        execute(_WRITE, [list(column) for column in zip(*rows, strict=True)])


_WRITE = """
UPDATE carts_cart c SET state = w.state, order_id = w.order_id, ordered_at = w.ordered_at, is_told = w.is_told, value_minor = w.value_minor
FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::timestamptz[], %s::boolean[], %s::bigint[])
    AS w(id, state, order_id, ordered_at, is_told, value_minor)
WHERE c.id = w.id
"""


def _ended(cart: Cart, silence: timedelta) -> CartState:
    left_at = rules.abandoned_at(cart.touches, cart.ordered_at or cart.changed_at, silence, cart.empties)
    return CartState.ORDERED if left_at is None else CartState.RECOVERED


def _worth(carts: Sequence[Cart]) -> dict[int, int]:
    found: dict[int, int] = defaultdict(int)
    currencies = {cart.pk: cart.currency for cart in carts}
    for line in CartLine.objects.filter(cart__in=currencies):
        found[line.cart_id] += line_total(line.quantity, line.unit_price, currencies[line.cart_id])
    return found


def _open_again(carts: Sequence[Cart]) -> None:
    """What is open because its order counts no more is left in silence again, and that begins nothing a second time."""
    for cart in carts:
        is_filled_again = cart.ordered_at is not None and cart.changed_at > cart.ordered_at + rules.AFTER
        cart.is_history = cart.is_history or not is_filled_again
        cart.state = CartState.CHECKOUT if cart.is_checkout else CartState.OPEN
        cart.order_id, cart.ordered_at, cart.is_told = None, None, False
        if cart.filled_at != cart.changed_at:
            cart.value_minor = 0  # it was emptied
    columns = ["state", "order", "ordered_at", "is_told", "is_history", "value_minor"]
    Cart.objects.bulk_update(carts, columns, batch_size=1000)


_COUNT = "SELECT cart_id, count(*) FROM carts_cartline WHERE cart_id = ANY(%s) GROUP BY cart_id"


def line_counts(carts: Collection[Cart]) -> dict[int, int]:
    return dict(fetch(_COUNT, [[cart.pk for cart in carts]])) if carts else {}
