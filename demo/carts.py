"""Made carts around the real orders of a day: some that became them, some that were left, a few that were come back for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from demo import SEED
from demo.goods import Good
from regulars.foundation.shop.models import Store
from regulars.record.carts.inputs import CartInput, CartLineInput
from regulars.record.carts.models import Cart, CartState
from regulars.record.carts.operations import abandon_silent_carts, apply_carts, order_carts
from regulars.record.customers.inputs import PersonInput
from regulars.record.events import log as event_log
from regulars.record.events.log import LogTransaction
from regulars.record.orders.inputs import OrderInput

_SILENCE = timedelta(hours=3)
_LEFT_A_DAY = 14
_SHARE_WITH_CART = 0.2  # of orders; a cart for each would say nothing more
_MOST_LINES = 8


@dataclass(frozen=True)
class Shelf:
    """What people of a day may put into a cart, and who they may be."""

    goods: Sequence[Good]
    people: Sequence[PersonInput]


def fill_carts(
    day: date,
    midnight: datetime,
    orders: Sequence[OrderInput],
    numbers: Mapping[str, int],
    shelf: Shelf,
    store: Store,
    log: LogTransaction,
) -> None:
    """One day's carts. ``numbers`` leads from an order's number to its row; ``midnight`` is the beginning of the day as it is played."""
    chance = Random(f"{SEED} carts {day}")  # noqa: S311
    known = [order for order in orders if order.person]
    _come_back(known, numbers, store, log)
    bought = [order for order in known if chance.random() < _SHARE_WITH_CART]
    people = chance.sample(list(shelf.people), min(_LEFT_A_DAY, len(shelf.people)))
    left = [_left(person, shelf.goods, day, midnight, chance) for person in people] if shelf.goods else []
    carts = apply_carts([*(_before(order, chance) for order in bought), *left], log, store_id=store.pk)
    for order in bought:
        order_carts({carts[f"order-{order.number}"]: (numbers[order.number], order.placed_at)}, log)


def let_go(at: datetime) -> int:
    """What nobody has touched since is abandoned. How many carts."""
    with event_log.transaction("system", "demo") as log:
        return abandon_silent_carts(log, at, _SILENCE)


def _come_back(orders: Sequence[OrderInput], numbers: Mapping[str, int], store: Store, log: LogTransaction) -> None:
    """Whoever left a cart on an earlier day and orders now has come back for it."""
    waiting = {
        key.rpartition("-")[2]: cart
        for cart, key in Cart.objects.filter(store=store, state=CartState.ABANDONED).values_list("id", "key")
    }
    for order in orders:
        cart = waiting.pop(_number(order.person), None)
        if cart is not None:
            order_carts({cart: (numbers[order.number], order.placed_at)}, log)


def _before(order: OrderInput, chance: Random) -> CartInput:
    lines = tuple(
        CartLineInput(line.sku, line.title, line.quantity, line.unit_price, line.product_key)
        for line in order.lines[:_MOST_LINES]
        if not line.is_service and line.quantity > 0
    )
    at = order.placed_at - timedelta(minutes=chance.randint(6, 25))
    return CartInput(f"order-{order.number}", at, order.currency, lines, order.person, is_checkout=True)


def _left(person: PersonInput, goods: Sequence[Good], day: date, midnight: datetime, chance: Random) -> CartInput:
    chosen = chance.sample(list(goods), min(chance.randint(1, 5), len(goods)))
    lines = tuple(
        CartLineInput(g.code, g.title, chance.choice((1, 1, 2, 3, 6)), Decimal(g.price), g.code) for g in chosen
    )
    at = midnight + timedelta(minutes=chance.randint(8 * 60, 19 * 60))
    key = f"left-{day}-{_number(person)}"
    return CartInput(key, at, "GBP", lines, person, is_checkout=chance.random() < 0.4)


def _number(person: PersonInput | None) -> str:
    return person.identities[0].value if person else ""
