"""Segments that come ready made: one click makes one's own of them, which is then changed like any other.

Amounts are minor units of the reporting currency; whoever adopts one looks at them first.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _

from regulars.foundation.pages.registries import Text
from regulars.insight.rfm.rules import SEGMENTS
from regulars.insight.segments.words import WORDS

_Json = dict[str, Any]


class Group(StrEnum):
    """What a ready-made segment looks at."""

    BEHAVIOUR = "behaviour"
    LIFE_CYCLE = "life-cycle"
    WHO = "who"
    RFM = "rfm"


GROUPS: dict[Group, Text] = {
    Group.BEHAVIOUR: _("What they do"),
    Group.LIFE_CYCLE: _("How far they are"),
    Group.WHO: _("Who they are"),
    Group.RFM: _("How lately, often and much they buy"),
}


@dataclass(frozen=True)
class ReadyMade:
    """``choose`` is the place of a condition of which the value has to be chosen first; '' where it can be used as it is."""

    key: str
    group: Group
    name: Text
    meaning: Text
    where: _Json
    choose: str = ""


def _days(count: int) -> _Json:
    return {"last": {"days": count}}


def _orders(**more: Any) -> _Json:
    return {"of": "orders", **more}


def _last_order(op: str, days: int) -> _Json:
    return _orders(measure={"last": "at"}, op=op, value={"days": days})


def _events(*kinds: str, **more: Any) -> _Json:
    return {"of": "events", "where": [{"field": "kind", "op": "in", "value": list(kinds)}], **more}


def _all(*parts: _Json) -> _Json:
    return {"all": list(parts)}


_NO_ORDER = _orders(op="is", value=0)
_KNOWN = {"of": "identifiers", "where": [{"field": "kind", "op": "in", "value": ["email", "phone"]}]}

_READY: list[ReadyMade] = [
    ReadyMade(
        "browsers",
        Group.BEHAVIOUR,
        _("Browsers without a purchase"),
        _("Looked at products at least three times in the last 30 days, and ordered nothing in them."),
        _all(
            _events("tracked.product_viewed", window=_days(30), op="ge", value=3),
            _orders(window=_days(30), op="is", value=0),
        ),
    ),
    ReadyMade(
        "cart-abandoners",
        Group.BEHAVIOUR,
        _("Cart abandoners"),
        _("Left a cart behind in the last 7 days, and it still waits to be ordered."),
        {
            "of": "waiting_carts",
            "where": [{"field": "state", "op": "is", "value": "abandoned"}],
            "window": _days(7),
        },
    ),
    ReadyMade(
        "discount-hunters",
        Group.BEHAVIOUR,
        _("Discount hunters"),
        _("At least two orders, and 15 % or more of their goods was discount."),
        _all(
            _orders(op="ge", value=2),
            {"ratio": [_orders(measure={"sum": "discount"}), _orders(measure={"sum": "gross"})], "op": "ge", "value": "0.15"},
        ),
    ),
    ReadyMade(
        "one-time-buyers",
        Group.BEHAVIOUR,
        _("One-time buyers"),
        _("Ordered once, more than 60 days ago."),
        _all(_orders(op="is", value=1), _last_order("older_than", 60)),
    ),
    ReadyMade(
        "frequent-returners",
        Group.BEHAVIOUR,
        _("Frequent returners"),
        _("At least three orders, and money back for every third of them or more."),
        _all(_orders(op="ge", value=3), {"ratio": [{"of": "refunds"}, _orders()], "op": "ge", "value": "0.333"}),
    ),
    ReadyMade(
        "high-spenders",
        Group.BEHAVIOUR,
        _("High spenders"),
        _("Orders of 500 or more in the last year."),
        _orders(window=_days(365), measure={"sum": "total"}, op="ge", value=50_000),
    ),
    ReadyMade(
        "category-fans",
        Group.BEHAVIOUR,
        _("Fans of a category"),
        _("Bought things of one category at least three times in the last year."),
        {
            "of": "order_lines",
            "where": [{"field": "categories", "op": "includes"}],
            "window": _days(365),
            "op": "ge",
            "value": 3,
        },
        choose="where[0].value",
    ),
    ReadyMade(
        "leads",
        Group.LIFE_CYCLE,
        _("Leads"),
        _("There is an address or a number, and no order yet."),
        _all(_KNOWN, _NO_ORDER),
    ),
    ReadyMade(
        "first-time-buyers",
        Group.LIFE_CYCLE,
        _("First-time buyers"),
        _("Their first and only order was in the last 60 days."),
        _all(_orders(op="is", value=1), _last_order("within_last", 60)),
    ),
    ReadyMade(
        "active",
        Group.LIFE_CYCLE,
        _("Active"),
        _("At least two orders, the last of them in the last 90 days."),
        _all(_orders(op="ge", value=2), _last_order("within_last", 90)),
    ),
    ReadyMade(
        "at-risk-of-leaving",
        Group.LIFE_CYCLE,
        _("At risk of leaving"),
        _("At least two orders, the last of them 90 to 180 days ago."),
        _all(_orders(op="ge", value=2), _last_order("older_than", 90), _last_order("within_last", 180)),
    ),
    ReadyMade(
        "gone",
        Group.LIFE_CYCLE,
        _("Lost"),
        _("No order for more than a year, and one before that."),
        _last_order("older_than", 365),
    ),
    ReadyMade(
        "won-back",
        Group.LIFE_CYCLE,
        _("Won back"),
        _("Ordered in the last 30 days, after half a year without an order."),
        _all(
            _orders(window=_days(30)),
            _orders(window={"ago": [{"days": 210}, {"days": 30}]}, op="is", value=0),
            _orders(measure={"first": "at"}, op="older_than", value={"days": 210}),
        ),
    ),
    ReadyMade(
        "of-a-country",
        Group.WHO,
        _("From a country"),
        _("Their newest address is in one of the countries that you choose."),
        {"of": "contacts", "measure": {"last": "country"}, "op": "in"},
        choose="value",
    ),
    ReadyMade(
        "of-a-language",
        Group.WHO,
        _("Speakers of a language"),
        _("The language in which they visit the shop is one that you choose."),
        {"of": "contacts", "measure": {"last": "language"}, "op": "in"},
        choose="value",
    ),
    ReadyMade(
        "birthdays",
        Group.WHO,
        _("Birthday soon"),
        _("Their birthday, a property of that name, comes round in the next 14 days."),
        {
            "of": "attributes",
            "where": [{"field": "name", "op": "is", "value": "birthday"}],
            "measure": {"last": "day"},
            "op": "anniversary_within",
            "value": {"days": 14},
        },
    ),
    ReadyMade(
        "business-addresses",
        Group.WHO,
        _("With a mail address of their own domain"),
        _("Their mail address is at none of the large providers."),
        {
            "of": "contacts",
            "measure": {"last": "mail_domain"},
            "op": "not_in",
            "value": ["gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com", "icloud.com",
                      "me.com", "gmx.de", "gmx.net", "web.de", "aol.com", "proton.me", "protonmail.com"],
            "missing": "out",
        },
    ),
]  # fmt: skip

READY_MADE: dict[str, ReadyMade] = {one.key: one for one in _READY} | {
    f"rfm-{segment.value}": ReadyMade(
        f"rfm-{segment.value}",
        Group.RFM,
        WORDS[segment].name,
        WORDS[segment].meaning,
        {"of": "rfm", "measure": {"last": "segment"}, "op": "is", "value": segment.value},
    )
    for segment in SEGMENTS
}
