"""What ``regulars stats`` says of carts."""

from django.db.models import Count, Sum

from regulars.record.carts.models import Cart, CartState


def stats() -> dict[str, object]:
    """Carts by state, and what lies in the abandoned and lay in the recovered ones, in minor units by currency."""
    states = dict(Cart.objects.order_by("state").values_list("state").annotate(Count("id")))
    return {
        "carts": sum(count for state, count in states.items() if state != CartState.MERGED),
        "carts_by_state": states,
        "carts_abandoned_minor": _worth(CartState.ABANDONED),
        "carts_recovered_minor": _worth(CartState.RECOVERED),
    }


def _worth(state: str) -> dict[str, int]:
    rows = Cart.objects.filter(state=state).order_by("currency").values_list("currency")
    return {str(currency): int(total) for currency, total in rows.annotate(total=Sum("value_minor"))}
