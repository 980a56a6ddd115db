"""What can be asked of carts: lists for pages, and one cart with what lies in it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, QuerySet

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.bulk import fetch
from regulars.foundation.errors import NotFound
from regulars.foundation.ids import from_public
from regulars.foundation.pages.days import within_days, within_numbers
from regulars.foundation.pages.lists import ListQuery
from regulars.foundation.pages.paging import Order as Sorting
from regulars.foundation.pages.sums import summed
from regulars.foundation.shop.settings import read_setting
from regulars.record.carts.inputs import CartLineInput
from regulars.record.carts.left_behind import open_links
from regulars.record.carts.models import LIVE, Cart, CartLine, CartState
from regulars.record.customers.queries import profiles_of

SORTS = {"touched": Sorting("changed_at"), "value": Sorting("value_minor")}
UNFINISHED = LIVE


def silence_of_carts() -> timedelta:
    """After how long without a touch a cart counts as abandoned."""
    return timedelta(minutes=read_setting("carts.silence_minutes"))


def is_any_silent(since: datetime) -> bool:
    """Whether a cart with something in it was not touched since."""
    rows = Cart.objects.filter(state__in=(CartState.OPEN, CartState.CHECKOUT), changed_at__lte=since, value_minor__gt=0)
    return rows.exists()


def carts_matching(query: ListQuery, viewer: Viewer) -> QuerySet[Cart]:
    """Carts that fit the filters of the list page and that the viewer may see."""
    rows = (
        Cart.objects.select_related("store", "order")
        .annotate(line_count=Count("lines"))
        .exclude(state=CartState.MERGED)
    )
    rows = rows.exclude(state=CartState.CLOSED, filled_at=None)  # told to be gone before it was told to be there
    if viewer.store_ids is not None:
        rows = rows.filter(store__in=viewer.store_ids)
    if states := query.choices.get("state"):
        rows = rows.filter(state__in=states)
    if known := query.one("who"):
        rows = rows.filter(profile__isnull=known == "unknown")
    if query.one("customer"):
        customer = query.row_id("customer")
        rows = rows.filter(profile__in=profiles_of([customer]).get(customer, []))
    return rows.filter(
        within_days("changed_at", query.dates, "touched"), within_numbers("value_minor", query.numbers, "value", 100)
    )


def sums_of(query: ListQuery, viewer: Viewer) -> list[tuple[int, str]]:
    """What lies in the carts of a list, by currency."""
    return summed(Cart.objects.filter(pk__in=carts_matching(query, viewer).values("pk")), "value_minor")


@dataclass(frozen=True)
class CartDetail:
    """One cart with what lies in it now, or lay in it when it was ordered. ``link`` is '' for who may not see the person."""

    cart: Cart
    lines: Sequence[CartLine]
    link: str


def get_cart(public_id: str, viewer: Viewer) -> CartDetail:
    """Raises NotFound, also for a cart of a store that the viewer does not see."""
    cart = (
        Cart.objects.filter(uid=from_public(Cart.PREFIX, public_id))
        .select_related("store", "order", "merged_into")
        .first()
    )
    if cart is None or not viewer.sees_store(cart.store_id):
        raise NotFound(f"There is no cart {public_id}")
    lines = list(cart.lines.select_related("variant__product").order_by("pk")) if cart.value_minor else []
    link = open_links([cart]).get(cart.pk, "") if viewer.may("customers.view") else ""
    return CartDetail(cart, lines, link)


def carts_of_customer(customer_id: int, viewer: Viewer, states: tuple[str, ...] = UNFINISHED) -> QuerySet[Cart]:
    """A customer's carts in these states, the last touched first; unless others are named those that were not ordered."""
    query = ListQuery(choices={"customer": (str(customer_id),), "state": states})
    return carts_matching(query, viewer).order_by("-changed_at", "-pk")


@dataclass(frozen=True)
class KnownCart:
    """A cart that is not ordered, as a source would state it."""

    key: str
    customer_id: int | None
    changed_at: datetime
    currency: str
    is_checkout: bool
    is_claimed: bool
    lines: tuple[CartLineInput, ...]


_NAMED = "SELECT key, cart_id FROM carts_cartkey WHERE store_id = %s AND key = ANY(%s)"
# OFFSET 0: one look at an index for each (see ``customers.operations.links._FIND``), where the planner may read all carts and products.
_LIVE = """
SELECT c.id, c.key, m.customer_id, c.changed_at, c.currency, c.state, c.is_claimed, c.value_minor FROM (
    SELECT unnest(%(carts)s::bigint[]) AS id
    UNION
    SELECT own.id FROM unnest(%(profiles)s::bigint[]) AS p(id)
    CROSS JOIN LATERAL (SELECT id FROM carts_cart WHERE profile_id = p.id OFFSET 0) own
) w
CROSS JOIN LATERAL (SELECT * FROM carts_cart WHERE id = w.id OFFSET 0) c
LEFT JOIN LATERAL (
    SELECT customer_id FROM customers_customerprofile WHERE profile_id = c.profile_id AND until_batch_id IS NULL OFFSET 0) m ON true
WHERE c.store_id = %(store)s AND c.state = ANY(%(states)s) ORDER BY c.changed_at, c.id
"""
_LINES = """
SELECT l.cart_id, l.sku, l.title, l.quantity, l.unit_price, coalesce(p.key, ''), coalesce(v.key, '')
FROM (SELECT * FROM carts_cartline WHERE cart_id = ANY(%s) OFFSET 0) l
LEFT JOIN LATERAL (SELECT product_id, key FROM catalog_variant WHERE id = l.variant_id OFFSET 0) v ON true
LEFT JOIN LATERAL (SELECT key FROM catalog_product WHERE id = v.product_id OFFSET 0) p ON true ORDER BY l.id
"""


def find_live_carts(store_id: int, keys: Collection[str], customers: Collection[int]) -> list[KnownCart]:
    """Carts of one store that are not ordered: those with one of these keys, and those of these customers.

    A cart with several names is given under each of ``keys`` that is one of them, else under its first.
    """
    members = [p for some in profiles_of(customers).values() for p in some]
    named: dict[int, list[str]] = {}
    for key, cart in carts_named(store_id, keys).items():
        named.setdefault(cart, []).append(key)
    states = [state.value for state in UNFINISHED]
    carts = fetch(_LIVE, {"store": store_id, "states": states, "carts": list(named), "profiles": members})
    lines: dict[int, list[CartLineInput]] = {row[0]: [] for row in carts if row[-1]}
    for cart, *line in fetch(_LINES, [list(lines)]) if lines else ():
        lines[cart].append(CartLineInput(*line))
    return [
        KnownCart(name, customer, at, currency, state == CartState.CHECKOUT, is_claimed, tuple(lines.get(cart, ())))
        for cart, key, customer, at, currency, state, is_claimed, _ in carts
        for name in named.get(cart, [key])
    ]


def carts_named(store_id: int, keys: Collection[str]) -> dict[str, int]:
    """Cart of each of these names of one store, if there is one."""
    return dict(fetch(_NAMED, [store_id, list(keys)])) if keys else {}
