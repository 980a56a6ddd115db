"""What a shopper did, in their timeline."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from regulars.connections.tracking import events
from regulars.connections.tracking.models import TrackingKey
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.inbox.sources import SOURCES
from regulars.foundation.pages.registries import TIMELINE, Text, TimelineEntry, TimelineKind
from regulars.record.customers.queries import profiles_of
from regulars.record.events.models import Event
from regulars.record.events.recorded import read_properties

_IN_THE_SPEC: dict[str, Text] = {
    "Products Searched": _("Searched for products"),
    "Product List Viewed": _("Looked at a list of products"),
    "Product List Filtered": _("Filtered a list of products"),
    "Promotion Viewed": _("Saw a promotion"),
    "Promotion Clicked": _("Clicked on a promotion"),
    "Product Clicked": _("Clicked on a product"),
    "Product Viewed": _("Looked at a product"),
    "Product Added": _("Put a product into the cart"),
    "Product Removed": _("Took a product out of the cart"),
    "Cart Viewed": _("Looked at the cart"),
    "Checkout Started": _("Began to check out"),
    "Checkout Step Viewed": _("Looked at a step of the checkout"),
    "Checkout Step Completed": _("Completed a step of the checkout"),
    "Payment Info Entered": _("Entered how to pay"),
    "Order Completed": _("Completed an order"),
    "Order Updated": _("An order was changed"),
    "Order Refunded": _("An order was refunded"),
    "Order Cancelled": _("An order was cancelled"),
    "Coupon Entered": _("Entered a coupon"),
    "Coupon Applied": _("A coupon was applied"),
    "Coupon Denied": _("A coupon was denied"),
    "Coupon Removed": _("Removed a coupon"),
    "Product Added to Wishlist": _("Put a product on a wishlist"),
    "Product Removed from Wishlist": _("Took a product off a wishlist"),
    "Wishlist Product Added to Cart": _("Put a product of a wishlist into the cart"),
    "Product Shared": _("Shared a product"),
    "Cart Shared": _("Shared a cart"),
    "Product Reviewed": _("Reviewed a product"),
}
TITLES: dict[str, Text] = {events.KINDS[name]: title for name, title in _IN_THE_SPEC.items()} | {
    events.CALLS["identify"]: _("Said who they are"),
    events.CALLS["page"]: _("Looked at a page"),
    events.CALLS["screen"]: _("Looked at a screen"),
    events.CALLS["group"]: _("Joined a group"),
    events.CALLS["alias"]: _("Two ids turned out to be theirs"),
    events.TRACKED: _("Did something of the shop's own"),
}
_NAMED_BY = ("name", "sku", "product_id", "coupon_name", "coupon_id", "order_id", "list_id", "step")


# What a browser alone says, and somebody may doubt; that it looked at something nobody does.
_DOUBTED = {
    *(events.CALLS[call] for call in ("identify", "group", "alias")),
    *(events.KINDS[name] for name in _IN_THE_SPEC if name.startswith("Order ")),
    events.KINDS["Product Reviewed"],
}


def load(customer_id: int, viewer: Viewer, before: datetime | None, limit: int) -> Sequence[TimelineEntry]:
    """What trackers told of them, as far as the viewer's stores know it."""
    profiles = profiles_of([customer_id], viewer.store_ids).get(customer_id, [])
    rows = Event.objects.filter(profile_id__in=profiles, kind__in=TITLES)
    if before:
        rows = rows.filter(occurred_at__lt=before)
    newest = list(rows.order_by("-occurred_at", "-position")[:limit])
    said = read_properties(newest)
    return [_entry(row, said.get(row.position, {})) for row in newest]


def _entry(event: Event, said: Mapping[str, Any]) -> TimelineEntry:
    detail = detail_of(event.data) or words_of(event, said)
    if is_doubted(event):
        detail = gettext("%s, as a browser says") % detail if detail else gettext("as a browser says")
    return TimelineEntry(f"tracked-{event.position}", "tracked", event.occurred_at, str(TITLES[event.kind]), detail)


def is_doubted(event: Event) -> bool:
    """Whether it has to be said that only a browser says so."""
    return event.kind in _DOUBTED and event.data.get("trust") == "claimed"


def words_of(event: Event, said: Mapping[str, Any]) -> str:
    """What it was about, of what stands sealed with it: where a page lies, what was searched for."""
    name = {events.CALLS["page"]: "path", events.KINDS["Products Searched"]: "query"}.get(event.kind)
    words = said.get("rest", {}).get(name) if name else None
    return words if isinstance(words, str) else ""


def detail_of(data: Mapping[str, Any]) -> str:
    """What it was about, in clear; the properties go when the person is erased."""
    if data.get("name"):
        return str(data["name"])
    said = data.get("properties", {})
    return next((str(said[name]) for name in _NAMED_BY if said.get(name)), "")


def sources(viewer: Viewer) -> dict[str, str]:
    """What comes under the keys of the viewer's stores."""
    keys = TrackingKey.objects.all()
    keys = keys if viewer.store_ids is None else keys.filter(store__in=viewer.store_ids)
    return {key.source: key.name for key in keys}


SOURCES.register("tracking", sources)
TIMELINE.register("tracked", TimelineKind(_("In the shop"), "target", "customers.view", load, order=16))
