"""Coupons: the list with how often each was used, and one coupon."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from regulars.foundation import clock
from regulars.foundation.access.gate import requires
from regulars.foundation.access.viewer import Viewer, viewer_of
from regulars.foundation.ids import to_public
from regulars.foundation.pages.formats import format_number, format_unit_price
from regulars.foundation.pages.listing import show_list
from regulars.foundation.pages.lists import Column, Empty, Filter, ListPage, Pill
from regulars.foundation.pages.registries import Text
from regulars.foundation.pages.sums import Door
from regulars.record.coupons import queries
from regulars.record.coupons.models import Coupon, CouponKind, CouponStatus
from regulars.record.coupons.rules import EXPIRED, PENDING, USED_UP, standing
from regulars.record.customers.named import Named, describe_customer, with_owners
from regulars.record.interest.queries import people_who_tried
from regulars.record.orders.coupons import uses_of_coupons

KINDS: dict[str, Text] = {
    CouponKind.PERCENT: _("Percentage"),
    CouponKind.FIXED: _("Amount"),
    CouponKind.FREE_SHIPPING: _("Free shipping"),
    CouponKind.OTHER: _("Something else"),
}
STATES: dict[str, tuple[Text, str]] = {
    CouponStatus.ACTIVE: (_("Active"), "green"),
    PENDING: (_("Begins later"), "accent"),
    EXPIRED: (_("Run out"), "grey"),
    USED_UP: (_("Used up"), "grey"),
    CouponStatus.DISABLED: (_("Switched off"), "amber"),
    CouponStatus.DELETED: (_("Deleted"), "red"),
}


@dataclass(frozen=True)
class CouponRow:
    """A coupon with how it stands, and how many orders it was used in."""

    coupon: Coupon
    named: Named
    state: str
    uses: int

    @property
    def id(self) -> int:
        return self.coupon.pk

    @property
    def worth(self) -> str:
        return worth_of(self.coupon)

    @property
    def pill(self) -> Pill:
        return Pill(*STATES[self.state])


def worth_of(coupon: Coupon) -> str:
    """'10 %', '£5.00', 'Free shipping'."""
    match coupon.kind:
        case CouponKind.PERCENT:
            return f"{format_number(coupon.amount.normalize())} %"
        case CouponKind.FIXED if coupon.currency:
            return format_unit_price(coupon.amount, coupon.currency)
    return str(KINDS.get(coupon.kind, coupon.kind))


def _rows(coupons: Sequence[Coupon], viewer: Viewer) -> list[CouponRow]:
    uses, at = uses_of_coupons(coupons), clock.now()
    return [
        CouponRow(
            one,
            named,
            standing(one.status, one.starts_at, one.expires_at, one.usage_limit, one.used, at),
            uses.get(one.pk, 0),
        )
        for one, named in zip(coupons, with_owners(coupons, viewer), strict=True)
    ]


def _orders(row: CouponRow) -> Door:
    return Door(f"/orders?coupon={row.id}&counts=1", row.uses)


def _whose(row: CouponRow) -> str:
    if row.coupon.profile_id is None:
        return gettext("Anybody")
    return row.named.name or gettext("One customer")


COUPONS = ListPage(
    name="coupons",
    title=_("Coupons"),
    search=_("Search by code"),
    columns=[
        Column("code", _("Code"), value=lambda row: row.coupon.code, sort="code"),
        Column("worth", _("Worth"), value=lambda row: row.worth),
        Column("state", _("State"), "pill", value=lambda row: row.pill, on_phone=False),
        Column("orders", _("Orders"), "number", value=lambda row: row.uses, door=_orders),
        Column("who", _("For"), value=_whose, on_phone=False, on_tablet=False, in_export=False),
        Column("ends", _("Ends"), "when", value=lambda row: row.coupon.expires_at, on_phone=False),
        Column(
            "created", _("Created"), "when", value=lambda row: row.coupon.created_at, sort="created", on_phone=False
        ),
        Column("used", _("Used, as the shop counts"), "number", value=lambda row: row.coupon.used, is_optional=True),
        Column("limit", _("Limit"), "number", value=lambda row: row.coupon.usage_limit, is_optional=True),
        Column("kind", _("Kind"), value=lambda row: KINDS.get(row.coupon.kind, row.coupon.kind), is_optional=True),
        Column("store", _("Store"), value=lambda row: row.coupon.store.name, is_optional=True),
    ],
    filters=[
        Filter(
            "state", _("State"), choices=lambda viewer: [(state, label) for state, (label, _tone) in STATES.items()]
        ),
        Filter("kind", _("Kind"), choices=lambda viewer: list(KINDS.items())),
        Filter("whose", _("For"), choices=lambda viewer: [("anybody", _("Anybody")), ("one", _("One customer"))]),
        Filter("customer", _("Customer"), "hidden", describe_to=describe_customer),
        Filter("workflow", _("Made by a workflow"), "hidden", describe=str),
    ],
    default_sort="-created",
    rows=lambda query, viewer: queries.coupons_matching(query, viewer, clock.now()),
    sorts=queries.SORTS,
    present=_rows,
    by_store=True,
    href=lambda row: f"/coupons/{to_public(Coupon.PREFIX, row.coupon.uid)}",
    unit=lambda n: ngettext("%s coupon", "%s coupons", n) % format_number(n),
    empty=Empty(
        _("No coupons yet"),
        _("Coupons come from connected shops, and workflows make codes for one customer each."),
        _("Connect a shop"),
        "/connections",
        "tag",
    ),
    export_permission="coupons.export",
)


@requires("coupons.view", post="coupons.view")
def coupons(request: HttpRequest) -> HttpResponseBase:
    return show_list(request, COUPONS)


@requires("coupons.view")
def one_coupon(request: HttpRequest, public_id: str) -> HttpResponse:
    viewer = viewer_of(request)
    [row] = _rows([queries.get_coupon(public_id, viewer)], viewer)
    context = {
        "title": row.coupon.code,
        "row": row,
        "coupon": row.coupon,
        "kind": KINDS.get(row.coupon.kind, row.coupon.kind),
        "orders": _orders(row),
        "tried": people_who_tried(row.coupon),
        "minimum": format_unit_price(row.coupon.minimum, row.coupon.currency)
        if row.coupon.minimum is not None and row.coupon.currency
        else "",
    }
    return render(request, "web/coupon.html", context)
