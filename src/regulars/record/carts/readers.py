"""What carts do when they hear of orders, of other carts and of who is who."""

from collections.abc import Sequence
from datetime import datetime

from regulars.foundation.bulk import fetch
from regulars.record.carts import events as own
from regulars.record.carts.models import Cart, CartState
from regulars.record.carts.operations import settle_carts, unite_carts
from regulars.record.carts.queries import silence_of_carts
from regulars.record.customers.events import MERGED, SPLIT
from regulars.record.customers.queries import customers_of, profiles_of
from regulars.record.events.log import transaction
from regulars.record.events.readers import Reader, Recorded
from regulars.record.orders.events import ORDER_CANCELLED, ORDER_PLACED, ORDER_UPDATED

_OF_ORDERS = frozenset({ORDER_PLACED, ORDER_UPDATED, ORDER_CANCELLED})
_OF_PEOPLE = frozenset({MERGED, SPLIT})
_OF_CARTS = frozenset({own.CART_OPENED, own.CART_CHANGED, own.CHECKOUT_STARTED})
_NAMED = """
SELECT k.cart_id FROM orders_order o JOIN carts_cartkey k ON k.store_id = o.store_id AND k.key = ANY(o.cart_keys)
WHERE o.id = ANY(%s) AND o.cart_keys <> '{}'
UNION SELECT id FROM carts_cart WHERE order_id = ANY(%s)
"""


def settle(events: Sequence[Recorded], at: datetime) -> None:
    """Unites the carts of everybody who is spoken of, and works out which of them were ordered."""
    orders = [e.subject_id for e in events if e.kind in _OF_ORDERS and e.subject_id]
    touched = {e.subject_id for e in events if e.kind in _OF_CARTS and e.subject_id}
    buyers = {e.profile_id for e in events if e.kind in _OF_ORDERS and e.profile_id}
    fillers = {e.profile_id for e in events if e.kind in _OF_CARTS and e.profile_id}
    changed = [event.data for event in events if event.kind in _OF_PEOPLE]
    joined = {customer for data in changed for customer in (data["kept"], *data.get("new", []))}
    owners = customers_of(buyers | fillers)
    with_carts = _with_carts({*joined, *owners.values()})
    touched |= {cart for (cart,) in fetch(_NAMED, [orders, orders])} if orders else set()
    if not (touched or with_carts):
        return
    with transaction("system", "carts") as log:
        touched |= unite_carts(with_carts & ({owners[p] for p in fillers if p in owners} | joined))
        touched |= _carts_of(with_carts & ({owners[p] for p in buyers if p in owners} | joined))
        settle_carts(touched, log, at, silence_of_carts())


def _with_carts(customers: set[int]) -> set[int]:
    """Those who have any cart that may still be settled: of an import of old orders hardly anybody."""
    members = profiles_of(customers)
    rows = Cart.objects.filter(profile__in=[p for some in members.values() for p in some])
    return set(customers_of(rows.values_list("profile_id", flat=True)).values()) & customers


def _carts_of(customers: set[int]) -> set[int]:
    members = profiles_of(customers)
    rows = Cart.objects.filter(profile__in=[p for some in members.values() for p in some])
    return set(rows.exclude(state=CartState.MERGED).values_list("pk", flat=True))


SETTLING = Reader("carts.settling", _OF_ORDERS | _OF_CARTS | _OF_PEOPLE, settle)
