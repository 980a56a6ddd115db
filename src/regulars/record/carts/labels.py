"""How the states of a cart are called on the screens."""

from django.utils.translation import gettext_lazy as _

from regulars.foundation.pages.lists import Pill
from regulars.foundation.pages.registries import Text
from regulars.record.carts.models import CartState

STATES: dict[str, tuple[Text, str]] = {
    CartState.OPEN: (_("Open"), "grey"),
    CartState.CHECKOUT: (_("At the checkout"), "accent"),
    CartState.ABANDONED: (_("Left behind"), "amber"),
    CartState.ORDERED: (_("Ordered"), "green"),
    CartState.RECOVERED: (_("Won back"), "green"),
    CartState.CLOSED: (_("Closed"), "grey"),
}
_THE_SAME = (_("The same cart"), "grey")  # in no list and no figure; only its own page says so


def state_pill(state: str) -> Pill:
    return Pill(*STATES.get(state, _THE_SAME))
