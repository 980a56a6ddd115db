"""Carts in the navigation, on the customer's page and in their timeline."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.ids import to_public
from regulars.foundation.pages.formats import format_money
from regulars.foundation.pages.registries import (
    CUSTOMER_PANELS,
    NAVIGATION,
    TIMELINE,
    CustomerPanel,
    Group,
    NavigationEntry,
    TimelineEntry,
    TimelineKind,
)
from regulars.record.carts.labels import state_pill
from regulars.record.carts.models import Cart, CartState
from regulars.record.carts.queries import UNFINISHED, carts_of_customer

SHOWN = 3


def _href(cart: Cart) -> str:
    return f"/carts/{to_public(Cart.PREFIX, cart.uid)}"


def show(customer_id: int, viewer: Viewer) -> dict[str, Any] | None:
    """Carts that were not ordered; no block without one."""
    rows = carts_of_customer(customer_id, viewer)
    shown = list(rows[:SHOWN])
    if not shown:
        return None
    states = "&".join(f"state={state}" for state in UNFINISHED)
    return {
        "carts": [(cart, state_pill(cart.state), _href(cart)) for cart in shown],
        "count": rows.count(),
        "href": f"/carts?customer={customer_id}&{states}",
    }


def load(customer_id: int, viewer: Viewer, before: datetime | None, limit: int) -> Sequence[TimelineEntry]:
    """Carts as they stand, at the moment when they were last touched; those that were ordered stand there as the order."""
    rows = carts_of_customer(customer_id, viewer, (*UNFINISHED, CartState.RECOVERED))
    rows = rows.filter(changed_at__lt=before) if before else rows
    return [_entry(cart) for cart in rows[:limit]]


def _entry(cart: Cart) -> TimelineEntry:
    amount = format_money(cart.value_minor, cart.currency)
    detail = f"{amount} · {state_pill(cart.state).text}"
    words = _WORDS.get(CartState(cart.state)) or _("Filled a cart")
    return TimelineEntry(f"cart-{cart.pk}", "cart", cart.changed_at, str(words), detail, _href(cart))


_WORDS = {
    CartState.ABANDONED: _("Left a cart behind"),
    CartState.RECOVERED: _("Came back to a cart that was left behind"),
}


NAVIGATION.register(
    "carts",
    NavigationEntry(Group.SELL, _("Carts"), "carts", "shopping-cart", "carts.view", order=30, by_store=True),
)
CUSTOMER_PANELS.register("carts", CustomerPanel(_("Carts"), "carts/panel.html", "carts.view", show, order=10))
TIMELINE.register(
    "cart", TimelineKind(_("Carts"), "shopping-cart", "carts.view", load, order=15, opens=_("Open the cart"))
)
