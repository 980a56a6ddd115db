"""Carts of one person that are one: told by a tracker and by a platform under two names, or begun before signing in."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from regulars.record.carts.models import LIVE, Cart, CartLine
from regulars.record.carts.operations.merging import merge
from regulars.record.carts.rules import Basket, same_carts
from regulars.record.customers.queries import customers_of, profiles_of


def unite_carts(customer_ids: Collection[int]) -> set[int]:
    """Makes one of those live carts of each customer that are one (``rules.same_carts``); the carts that were gone into (see ``merge``)."""
    members = profiles_of(customer_ids)
    rows = Cart.objects.select_for_update().filter(
        profile__in=[p for some in members.values() for p in some], state__in=LIVE
    )
    carts = {cart.pk: cart for cart in rows.order_by("pk")}
    owners = customers_of(cart.profile_id for cart in carts.values() if cart.profile_id)
    things = _things(carts)
    groups: dict[tuple[int, int], list[Basket]] = defaultdict(list)
    for cart in carts.values():
        basket = Basket(cart.pk, cart.changed_at, things.get(cart.pk, frozenset()))
        groups[owners[cart.profile_id or 0], cart.store_id].append(basket)
    into = {one: whole for some in groups.values() if len(some) > 1 for one, whole in same_carts(some).items()}
    for one, whole in into.items():
        merge(carts[one], carts[_end(whole, into)])
    return {_end(whole, into) for whole in into.values()}


def _end(cart: int, into: Mapping[int, int]) -> int:
    while cart in into:
        cart = into[cart]
    return cart


def _things(cart_ids: Collection[int]) -> dict[int, frozenset[str]]:
    """Which products lie in each cart; what the catalog does not know by its sku."""
    found: dict[int, set[str]] = defaultdict(set)
    rows = CartLine.objects.filter(cart__in=cart_ids, cart__value_minor__gt=0)
    for cart, product, sku in rows.values_list("cart_id", "variant__product_id", "sku"):
        found[cart].add(str(product) if product else sku)
    return {cart: frozenset(some) for cart, some in found.items()}
