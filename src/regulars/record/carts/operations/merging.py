"""One of two carts goes into the other."""

from regulars.foundation.sealing import Cell, seal, unseal
from regulars.foundation.vault import keys
from regulars.record.carts.models import Cart, CartKey, CartState


def link_cell(cart_id: int) -> Cell:
    """Where the recovery link of a cart is sealed."""
    return Cell("carts_cart", "recovery_url", cart_id)


def merge(one: Cart, whole: Cart) -> None:
    """``one`` keeps its row, is 'merged', and its names lead to ``whole`` from then on."""
    whole.opened_at = min(one.opened_at, whole.opened_at)
    whole.touches = sorted({*one.touches, *whole.touches})
    whole.is_checkout = one.is_checkout or whole.is_checkout
    if whole.state == CartState.OPEN and whole.is_checkout:
        whole.state = CartState.CHECKOUT
    whole.recovery_url = whole.recovery_url or _sealed_anew(one, whole)
    whole.save(update_fields=["opened_at", "touches", "is_checkout", "state", "recovery_url"])
    CartKey.objects.filter(cart=one).update(cart=whole)
    Cart.objects.filter(pk=one.pk).update(state=CartState.MERGED, merged_into=whole)


def _sealed_anew(one: Cart, whole: Cart) -> bytes | None:
    """The link of the cart that goes, sealed where it stands now."""
    plain = keys.find_keys(profile for profile in (one.profile_id, whole.profile_id) if profile)
    if not one.recovery_url or one.profile_id not in plain or whole.profile_id not in plain:
        return None
    link = unseal(plain[one.profile_id], bytes(one.recovery_url), link_cell(one.pk))
    return seal(plain[whole.profile_id], link, link_cell(whole.pk))
