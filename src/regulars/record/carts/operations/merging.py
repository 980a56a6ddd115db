"""One of two carts goes into the other."""

from regulars.foundation.sealing import seal
from regulars.foundation.vault import keys
from regulars.record.carts.links import link_cell, open_link
from regulars.record.carts.models import Cart, CartKey, CartState


def merge(one: Cart, whole: Cart) -> None:
    """``one`` keeps its row, is 'merged' and counted nowhere, and its names lead to ``whole`` from then on."""
    whole.empties = sorted({*whole.empties, *(at for at in one.empties if at < whole.opened_at)})
    whole.opened_at = min(one.opened_at, whole.opened_at)
    whole.touches = sorted({*one.touches, *whole.touches})
    whole.is_checkout = one.is_checkout or whole.is_checkout
    whole.is_claimed = one.is_claimed and whole.is_claimed
    whole.profile_id = whole.profile_id or one.profile_id
    if whole.state == CartState.OPEN and whole.is_checkout:
        whole.state = CartState.CHECKOUT
    whole.recovery_url = whole.recovery_url or _sealed_anew(one, whole)
    columns = ["opened_at", "touches", "empties", "is_checkout", "is_claimed", "profile", "state", "recovery_url"]
    whole.save(update_fields=columns)
    CartKey.objects.filter(cart=one).update(cart=whole)
    Cart.objects.filter(merged_into=one).update(merged_into=whole)
    Cart.objects.filter(pk=one.pk).update(state=CartState.MERGED, merged_into=whole)


def _sealed_anew(one: Cart, whole: Cart) -> bytes | None:
    """The link of the cart that goes, sealed where it stands now."""
    plain = keys.find_keys(profile for profile in (one.profile_id, whole.profile_id) if profile)
    link, key = open_link(one, plain.get(one.profile_id or 0)), plain.get(whole.profile_id or 0)
    return seal(key, link.encode(), link_cell(whole.pk)) if link and key else None
