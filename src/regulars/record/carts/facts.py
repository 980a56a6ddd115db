"""Carts as facts: does something of theirs wait to be ordered? And what conditions may ask of them."""

from collections.abc import Mapping, Sequence

from regulars.foundation.facts import FACTS, Answer, Fact, FactKind, Moment, Question
from regulars.foundation.relations import Field, FieldType, Relation, register
from regulars.record.carts import events
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

_FIELDS = {
    "state": Field("state", FieldType.TEXT, "state", is_listed=True),
    "value": Field("value", FieldType.MONEY, "worth of what lies in it"),
    "pieces": Field("pieces", FieldType.NUMBER, "pieces in it"),
    "is_checkout": Field("is_checkout", FieldType.FLAG, "was at the checkout"),
    "is_filled": Field("is_filled", FieldType.FLAG, "has something in it"),
    "changed_at": Field("changed_at", FieldType.MOMENT, "last touched"),
    "ordered_at": Field("ordered_at", FieldType.MOMENT, "ordered"),
    "store": Field("store", FieldType.TEXT, "store", is_listed=True),
    "currency": Field("currency", FieldType.TEXT, "currency", is_listed=True),
}
_KINDS = (
    events.CART_OPENED,
    events.CART_CHANGED,
    events.CHECKOUT_STARTED,
    events.CART_ABANDONED,
    events.CART_ORDERED,
    events.CART_RECOVERED,
)
CARTS = register(
    Relation(
        name="carts", meaning="carts, ended ones too", table="carts", at="opened_at", fields=_FIELDS, rises_with=_KINDS
    )
)
WAITING = register(
    Relation(
        name="waiting_carts",
        meaning="carts that wait to be ordered",
        table="carts",
        at="changed_at",
        until="ended_at",
        counts="is_filled",
        fields=_FIELDS,
        rises_with=_KINDS,
    )
)
