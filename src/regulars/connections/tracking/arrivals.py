"""What has just arrived under tracking keys, and whom it is about: for a page that is looked at while a shop is tried out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from regulars.connections.tracking.models import TrackingKey
from regulars.connections.tracking.panels import TITLES, detail_of, is_doubted, words_of
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.ids import to_public
from regulars.foundation.pages.lists import Pill
from regulars.foundation.pages.registries import Text
from regulars.record.carts.events import CART_ABANDONED, CART_ORDERED, CART_RECOVERED
from regulars.record.carts.labels import state_pill
from regulars.record.carts.models import Cart
from regulars.record.customers.named import Name, names_of
from regulars.record.customers.queries import customers_of, profiles_of
from regulars.record.events.models import Event
from regulars.record.events.recorded import read_properties

SHOWN = 30
MOST_VISITORS = 4
WINDOW = 20_000  # newest positions of the log that are looked through: this is a page for now, and never slow
BECAME: dict[str, Text] = {
    CART_ABANDONED: _("The cart counts as left behind"),
    CART_RECOVERED: _("The cart was won back by an order"),
    CART_ORDERED: _("The cart became an order"),
}


@dataclass(frozen=True)
class Arrival:
    """One thing that happened: told by a tracker, or what became of a cart by it."""

    at: datetime
    title: Text
    detail: str
    customer_id: int
    who: Name | None
    is_claimed: bool
    icon: str
    key: str
    position: int


@dataclass(frozen=True)
class Visitor:
    """Somebody of the newest arrivals with the cart that they touched last, where there is one."""

    who: Name
    last_at: datetime
    cart: Cart | None

    @property
    def pill(self) -> Pill | None:
        return state_pill(self.cart.state) if self.cart else None

    @property
    def href(self) -> str:
        return f"/carts/{to_public(Cart.PREFIX, self.cart.uid)}" if self.cart else ""


def list_arrivals(keys: Collection[TrackingKey], viewer: Viewer) -> list[Arrival]:
    """Newest first; what became of these visitors' carts stands among it."""
    rows = _newest(keys, viewer)
    owners = customers_of(row.profile_id for row in rows if row.profile_id)
    names = {pk: _called(name) for pk, name in names_of(set(owners.values()), viewer).items()}
    said = read_properties(rows) if viewer.may("customers.view") else {}
    called = {key.pk: key.name for key in keys}
    return [
        Arrival(
            row.occurred_at,
            TITLES.get(row.kind) or BECAME[row.kind],
            detail_of(row.data) or words_of(row, said.get(row.position, {})),
            (owner := owners.get(row.profile_id or 0, 0)),
            names.get(owner),
            is_doubted(row),
            _icon(row.kind),
            called.get(row.data.get("key", 0), ""),
            row.position,
        )
        for row in rows
    ]


_ICONS = {
    "wishlist": "star",
    "cart": "shopping-cart",
    "checkout": "shopping-cart",
    "payment": "credit-card",
    "order": "shopping-bag",
    "coupon": "tag",
    "search": "search",
    "review": "message",
    "product": "package",
    "identified": "user",
}


def _icon(kind: str) -> str:
    """Drawn by the first word that the kind's name holds."""
    return next((icon for word, icon in _ICONS.items() if word in kind), "target")


def _called(name: Name) -> Name:
    """Somebody whose name nobody has said yet is told apart by the end of their id."""
    return Name(name.public_id, gettext("Visitor %s") % name.public_id[-4:]) if name.text == name.public_id else name


def _newest(keys: Collection[TrackingKey], viewer: Viewer) -> list[Event]:
    newest = Event.objects.aggregate(newest=Max("position"))["newest"] or 0
    window = Event.objects.filter(position__gt=newest - WINDOW).order_by("-position")
    told = list(window.filter(kind__in=TITLES, data__key__in=[key.pk for key in keys])[:SHOWN])
    members = _everybody_of(told, viewer)
    became = window.filter(kind__in=BECAME, profile_id__in=members)[:SHOWN] if members else []
    return sorted([*told, *became], key=lambda row: row.position, reverse=True)[:SHOWN]


def _everybody_of(rows: Sequence[Event], viewer: Viewer) -> set[int]:
    """Profiles of the customers that these events are about, as far as the viewer's stores know them."""
    owners = customers_of(row.profile_id for row in rows if row.profile_id)
    return {profile for some in profiles_of(set(owners.values()), viewer.store_ids).values() for profile in some}


def list_visitors(arrivals: Sequence[Arrival], viewer: Viewer) -> list[Visitor]:
    """Who was here last, each with their newest cart as far as the viewer may see it."""
    last: dict[int, Arrival] = {}
    for arrival in arrivals:
        if arrival.who:
            last.setdefault(arrival.customer_id, arrival)
    shown = dict(list(last.items())[:MOST_VISITORS])
    carts = _newest_carts(shown, viewer) if viewer.may("carts.view") else {}
    return [Visitor(one.who, one.at, carts.get(customer)) for customer, one in shown.items() if one.who]


def _newest_carts(customer_ids: Collection[int], viewer: Viewer) -> dict[int, Cart]:
    owners = {p: customer for customer, some in profiles_of(customer_ids, viewer.store_ids).items() for p in some}
    rows = Cart.objects.filter(profile__in=owners).order_by("changed_at", "pk")
    return {owners[row.profile_id or 0]: row for row in rows}
