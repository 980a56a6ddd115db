"""Carts as facts: does something of theirs wait to be ordered?"""

from collections.abc import Mapping, Sequence

from regulars.foundation.facts import FACTS, Answer, Fact, FactKind, Moment, Question
from regulars.record.carts.models import Cart, CartState
from regulars.record.customers.queries import customers_of, profiles_of


def _abandoned(customer_ids: Sequence[int], question: Question, moment: Moment) -> Mapping[int, Answer]:
    members = [p for some in profiles_of(customer_ids).values() for p in some]
    rows = Cart.objects.filter(profile__in=members, state=CartState.ABANDONED, value_minor__gt=0)
    newest = list(rows.order_by("changed_at", "pk").only("profile_id", "changed_at"))
    owners = customers_of(cart.profile_id for cart in newest if cart.profile_id)
    found = {owners[cart.profile_id or 0]: cart for cart in newest}
    none = Answer(False, "no cart that was left behind", moment.at)
    return {c: Answer(True, f"cart {found[c].pk}", found[c].changed_at) if c in found else none for c in customer_ids}


FACTS.register(
    "cart.abandoned",
    Fact(
        "cart.abandoned",
        "Has a cart that was left behind, and neither ordered nor touched since",
        FactKind.LOCAL,
        {},
        _abandoned,
    ),
)
