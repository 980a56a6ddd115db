"""What a mail may say of carts that were left behind: what lies in them, and the link that brings them back."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from regulars.foundation.vault import keys
from regulars.record.carts.links import open_link
from regulars.record.carts.models import Cart, CartState
from regulars.record.customers.queries import customers_of, profiles_of


@dataclass(frozen=True)
class LeftItem:
    """One line of a cart; ``url`` and ``image_url`` are the catalog's, '' where it has none."""

    title: str
    quantity: int
    unit_price: Decimal
    url: str = ""
    image_url: str = ""


@dataclass(frozen=True)
class LeftCart:
    """An abandoned cart. ``link`` is the recovery link in clear: it stands in sealed contexts and before whoever may see the person."""

    id: int
    brand_id: int
    value_minor: int
    currency: str
    link: str
    items: tuple[LeftItem, ...]


def left_carts(customer_ids: Collection[int]) -> dict[int, list[LeftCart]]:
    """Abandoned carts with something in them by customer, the last touched first. Number of statements: fixed."""
    members = [p for some in profiles_of(customer_ids).values() for p in some]
    rows = Cart.objects.filter(profile__in=members, state=CartState.ABANDONED, value_minor__gt=0)
    carts = list(
        rows.select_related("store").prefetch_related("lines__variant__product").order_by("-changed_at", "-pk")
    )
    owners, links = customers_of(cart.profile_id for cart in carts if cart.profile_id), open_links(carts)
    found: dict[int, list[LeftCart]] = defaultdict(list)
    for cart in carts:
        found[owners[cart.profile_id or 0]].append(_left(cart, links))
    return found


def open_links(carts: Sequence[Cart]) -> dict[int, str]:
    """The recovery links of these carts in clear; whoever has none, or none that can be opened any more, is left out."""
    told = [cart for cart in carts if cart.profile_id and cart.recovery_url]
    plain = keys.find_keys(cart.profile_id for cart in told if cart.profile_id)
    return {cart.pk: link for cart in told if (link := open_link(cart, plain.get(cart.profile_id or 0)))}


def _left(cart: Cart, links: Mapping[int, str]) -> LeftCart:
    items = []
    for line in sorted(cart.lines.all(), key=lambda line: line.pk):
        product = line.variant.product if line.variant else None
        title = line.title or (product.title if product else "") or line.sku
        url, image_url = (product.url, product.image_url) if product else ("", "")
        items.append(LeftItem(title, line.quantity, line.unit_price, url, image_url))
    brand = cart.store.brand_id
    return LeftCart(cart.pk, brand, cart.value_minor, cart.currency, links.get(cart.pk, ""), tuple(items))
