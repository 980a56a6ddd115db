"""Carts that nobody touches any more are abandoned."""

from datetime import datetime, timedelta

from regulars.record.carts import events
from regulars.record.carts.models import Cart, CartState
from regulars.record.carts.operations.ending import line_counts, settle_carts
from regulars.record.carts.rules import NEWS
from regulars.record.customers.queries import customers_of
from regulars.record.events.log import LogTransaction


def abandon_silent_carts(log: LogTransaction, at: datetime, silence: timedelta, limit: int = 500) -> int:
    """Carts with something in them that nobody touched for so long are abandoned, unless an order of theirs is known; how many.

    Event: cart.abandoned, at the end of the silence; one that ended more than a day ago is history and starts nothing.
    """
    rows = Cart.objects.select_for_update(skip_locked=True).filter(
        state__in=(CartState.OPEN, CartState.CHECKOUT), changed_at__lte=at - silence, value_minor__gt=0
    )
    carts = list(rows.order_by("changed_at", "pk")[:limit])
    ended = settle_carts([cart.pk for cart in carts], log, at, silence)
    carts = [cart for cart in carts if cart.pk not in ended]
    Cart.objects.filter(pk__in=[cart.pk for cart in carts]).update(state=CartState.ABANDONED)
    owners = customers_of(cart.profile_id for cart in carts if cart.profile_id)
    counts = line_counts(carts)
    for cart in carts:
        ended_at = cart.changed_at + silence
        is_history = cart.is_history or at - ended_at > NEWS
        owner, lines = owners.get(cart.profile_id or 0), counts.get(cart.pk, 0)
        log.append(events.of_cart(events.CART_ABANDONED, cart, owner, ended_at, is_history, lines=lines))
    return len(carts)
