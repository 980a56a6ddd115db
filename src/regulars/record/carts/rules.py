"""When a cart was left, how it ended, and which carts are one. Pure (docs/carts.md)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

WITHIN = timedelta(days=7)  # an order later than that after the last touch is another errand
AFTER = timedelta(hours=1)  # a cart that is filled later than that after the order is another errand
SAME = timedelta(hours=1)  # between the last touches of two carts of one person that are one
NEWS = timedelta(days=1)  # what is told later than that after it happened starts no workflow


def abandoned_at(
    touches: Collection[datetime], until: datetime, silence: timedelta, empties: Collection[datetime] = ()
) -> datetime | None:
    """When the first silence ended that was long enough; None where there was none up to that moment. From ``empties`` on, which are
    touches too, nothing lay in it that could be left.
    """
    moments = sorted(at for at in touches if at <= until)
    for at, following in pairwise([*moments, until]):
        if following - at >= silence and at not in empties:
            return at + silence
    return None


@dataclass(frozen=True)
class Order:
    """An order that a cart may have become. ``is_named``: it names the cart; else the same person ordered some of the same things."""

    id: int
    placed_at: datetime
    is_named: bool


def order_of(orders: Iterable[Order], opened_at: datetime, changed_at: datetime) -> Order | None:
    """The order that a cart became: the first that names it, else the first of the person that fits in time."""
    fitting = [o for o in orders if o.is_named or _fits(o, opened_at, changed_at)]
    return min(fitting, key=lambda o: (not o.is_named, o.placed_at, o.id), default=None)


def _fits(order: Order, opened_at: datetime, changed_at: datetime) -> bool:
    return opened_at <= order.placed_at and changed_at - AFTER <= order.placed_at <= changed_at + WITHIN


@dataclass(frozen=True)
class Basket:
    """A cart that may be one with another of the same person. ``things`` are the products in it."""

    id: int
    changed_at: datetime
    things: frozenset[str]


def same_carts(baskets: Iterable[Basket]) -> dict[int, int]:
    """Carts of one person in one store that are one, though their keys differ: each that leads, within the hour, into a later touched one
    with everything that lies in it.

    So a tracker's and a platform's view of one cart meet as soon as they agree, and the cart of before signing in goes into the one of
    after it. All others stay two: another day's, another thing's, and empty ones.
    """
    filled = sorted((b for b in baskets if b.things), key=lambda b: (b.changed_at, b.id))
    into: dict[int, int] = {}
    for place, one in enumerate(filled):
        later = filled[place + 1 :]
        whole = next(
            (o for o in reversed(later) if one.things <= o.things and o.changed_at - one.changed_at <= SAME), None
        )
        if whole:
            into[one.id] = whole.id
    return into
