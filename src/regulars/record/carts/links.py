"""Recovery links: sealed under the profile whose cart it is, and sealed anew where the cart becomes another's."""

from collections.abc import Sequence

from regulars.foundation.sealing import CannotOpen, Cell, seal, unseal
from regulars.foundation.vault import keys
from regulars.record.carts.models import Cart


def link_cell(cart_id: int) -> Cell:
    """Where the recovery link of a cart is sealed."""
    return Cell("carts_cart", "recovery_url", cart_id)


def seal_links(told: Sequence[tuple[Cart, int | None, str]]) -> None:
    """Keeps the link of each cart: the one that is said, else the one that is there, under the key of whose it is now.

    With each cart: the profile that it had before, and the link that is said ('': none).
    """
    told = [(c, old, url) for c, old, url in told if c.profile_id and (url or (c.recovery_url and old != c.profile_id))]
    plain = keys.find_keys({profile for cart, old, _ in told for profile in (cart.profile_id, old) if profile})
    for cart, old, url in told:
        key = plain.get(cart.profile_id or 0)
        link = url or open_link(cart, plain.get(old or 0))
        cart.recovery_url = seal(key, link.encode(), link_cell(cart.pk)) if key and link else None
    Cart.objects.bulk_update([cart for cart, _, _ in told], ["recovery_url"], batch_size=1000)


def open_link(cart: Cart, key: bytes | None) -> str:
    """The link in clear; '' where there is none or the key does not fit."""
    if not key or not cart.recovery_url:
        return ""
    try:
        return unseal(key, bytes(cart.recovery_url), link_cell(cart.pk)).decode()
    except CannotOpen:
        return ""
