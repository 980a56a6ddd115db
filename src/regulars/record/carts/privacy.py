"""How a person's carts are exported and erased: they go as a whole."""

from regulars.foundation.privacy import SubjectData, keep, register
from regulars.foundation.subjects import exported
from regulars.record.carts.models import Cart, CartKey, CartLine

register(
    SubjectData(
        "carts_cartline",
        lambda ids: exported(
            CartLine.objects.filter(cart__profile__in=ids).select_related("cart").order_by("pk"), "cart.profile_id"
        ),
        keep,
        "nothing: its lines go with the cart",
    )
)
register(
    SubjectData(
        "carts_cartkey",
        lambda ids: exported(
            CartKey.objects.filter(cart__profile__in=ids).select_related("cart").order_by("pk"), "cart.profile_id"
        ),
        keep,
        "nothing: its names go with the cart",
    )
)
register(
    SubjectData(
        "carts_cart",
        lambda ids: exported(Cart.objects.filter(profile__in=ids).order_by("pk")),
        lambda ids, at: Cart.objects.filter(profile__in=ids).delete()[0],
    )
)
