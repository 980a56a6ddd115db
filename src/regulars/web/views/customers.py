"""The list of customers: search as you type, filters in the address, bulk actions, export."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from regulars.foundation.access.gate import requires
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.errors import InvalidInput
from regulars.foundation.pages.formats import country_name, format_number
from regulars.foundation.pages.listing import show_list
from regulars.foundation.pages.lists import BulkAction, Choices, Column, Empty, Filter, ListPage, ListQuery, Pill
from regulars.foundation.pages.sums import Door, Sum, sum_key
from regulars.record.consent.operations import leave_alone
from regulars.record.customers.operations import set_tag
from regulars.record.customers.queries import list_tags
from regulars.record.events import totals
from regulars.record.lists.operations import put_customers_on, take_customers_off
from regulars.record.lists.queries import find_list, names_of_lists
from regulars.web.filters import countries, describe_product
from regulars.web.labels import CONSENT, RFM, rfm_pill
from regulars.web.queries.customers import (
    SORTS,
    CustomerRow,
    count_leaving,
    customers_counted,
    customers_matching,
    list_segments,
    read_rows,
    scores_asked,
)
from regulars.web.queries.spent import spent_of


def _sentence(query: ListQuery, viewer: Viewer) -> str:
    """Who of all is about to leave, in words; nothing before the first scores, nor of a part, whose filters say who they are."""
    leaving = None if query.is_narrowed else count_leaving(viewer)
    if leaving is None:
        return ""
    words = ngettext(
        "%s of them used to buy and has gone quiet.", "%s of them used to buy and have gone quiet.", leaving
    )
    return words % format_number(leaving) if leaving else gettext("Nobody who used to buy has gone quiet.")


def _describe_rfm(value: str) -> str:
    return str(RFM.get(value, gettext("not yet a customer") if value == "none" else value))


def _staff(viewer: Viewer) -> int:
    if viewer.staff_id is None:
        raise InvalidInput(gettext("Only a member of staff can do this."))
    return viewer.staff_id


def _tag(ids: Sequence[int], form: Mapping[str, str], viewer: Viewer, at: datetime) -> int:
    return set_tag(ids, form["input"], True, _staff(viewer), at, viewer.store_ids)


def _untag(ids: Sequence[int], form: Mapping[str, str], viewer: Viewer, at: datetime) -> int:
    return set_tag(ids, form["input"], False, _staff(viewer), at, viewer.store_ids)


def _leave_alone(ids: Sequence[int], form: Mapping[str, str], viewer: Viewer, at: datetime) -> int:
    return leave_alone(ids, True, _staff(viewer), at, viewer.store_ids)


def _may_contact(ids: Sequence[int], form: Mapping[str, str], viewer: Viewer, at: datetime) -> int:
    return leave_alone(ids, False, _staff(viewer), at, viewer.store_ids)


def _say_tagged(changed: int, form: Mapping[str, str]) -> str:
    words = ngettext("Put the tag '%(tag)s' on %(n)s customer.", "Put the tag '%(tag)s' on %(n)s customers.", changed)
    return words % {"tag": form["input"], "n": format_number(changed)}


def _say_untagged(changed: int, form: Mapping[str, str]) -> str:
    words = ngettext(
        "Took the tag '%(tag)s' off %(n)s customer.", "Took the tag '%(tag)s' off %(n)s customers.", changed
    )
    return words % {"tag": form["input"], "n": format_number(changed)}


def _say_left_alone(changed: int, form: Mapping[str, str]) -> str:
    words = ngettext(
        "%s customer will not be written to any more.", "%s customers will not be written to any more.", changed
    )
    return words % format_number(changed)


def _say_may_contact(changed: int, form: Mapping[str, str]) -> str:
    words = ngettext(
        "%s customer may be written to again, where they agreed.",
        "%s customers may be written to again, where they agreed.",
        changed,
    )
    return words % format_number(changed)


def _pills(row: CustomerRow) -> list[Pill]:
    return [Pill(tag) for tag in row.tags]


def _money(name: str) -> Callable[[CustomerRow], tuple[int, str] | None]:
    """One of the row's amounts; nothing for who never ordered."""
    return lambda row: (getattr(row, name), row.currency) if row.currency else None


def _spent(row: CustomerRow) -> tuple[int, str] | None:
    """Ordered less given back, as in RFM (docs/revenue.md)."""
    return (row.spent_minor - row.refunded_minor, row.currency) if row.currency else None


def _orders_door(row: CustomerRow) -> Door | None:
    return Door(f"/orders?counts=1&customer={row.id}", row.orders) if row.orders else None


def _ordered_door(row: CustomerRow) -> Door | None:
    if not row.orders:
        return None
    return Door(f"/orders?counts=1&customer={row.id}", sum=sum_key((row.spent_minor, row.currency)))


def _sum(query: ListQuery, viewer: Viewer) -> Sum | None:
    """What people in segments or cells of the RFM map have spent, by the same snapshot."""
    if not any(query.choices.get(name) for name in ("rfm", "r", "f", "m")):
        return None
    amounts = spent_of(customers_counted(query, viewer), scores_asked(query))
    return Sum(amounts, gettext("%s spent: orders less refunds") % Sum(amounts)) if amounts else None


def _lists(viewer: Viewer) -> Choices:
    return list(names_of_lists().items()) if viewer.may("lists.view") else []


def _put_on_list(ids: Sequence[int], form: Mapping[str, str], viewer: Viewer, at: datetime) -> int:
    return put_customers_on(find_list(form["input"]), ids, viewer, at)


def _take_off_list(ids: Sequence[int], form: Mapping[str, str], viewer: Viewer, at: datetime) -> int:
    return take_customers_off(find_list(form["input"]), ids, viewer, at)


def _say_put_on(changed: int, form: Mapping[str, str]) -> str:
    words = ngettext("Put %(n)s customer on '%(list)s'.", "Put %(n)s customers on '%(list)s'.", changed)
    return words % {"list": form["input"], "n": format_number(changed)}


def _say_taken_off(changed: int, form: Mapping[str, str]) -> str:
    words = ngettext("Took %(n)s customer off '%(list)s'.", "Took %(n)s customers off '%(list)s'.", changed)
    return words % {"list": form["input"], "n": format_number(changed)}


def _segments(viewer: Viewer) -> Choices:
    """They are of all stores: who is limited to some is offered none."""
    return list_segments() if viewer.may("segments.view") else []


CUSTOMERS = ListPage(
    name="customers",
    title=_("Customers"),
    search=_("Search by name, mail, phone or number"),
    columns=[
        Column("public_id", _("Id"), on_page=False),
        Column("name", _("Customer"), "template", template="web/customer_cell.html"),
        Column("email", _("Mail"), on_page=False),
        Column("rfm", _("RFM"), "pill", value=lambda row: rfm_pill(row.rfm)),
        Column("country", _("Country"), value=lambda row: country_name(row.country), on_phone=False, on_tablet=False),
        Column("orders", _("Orders"), "number", sort="orders", on_phone=False, door=_orders_door),
        Column(
            "ordered",
            _("Ordered"),
            "money",
            value=_money("spent_minor"),
            sort="spent",
            on_phone=False,
            door=_ordered_door,
        ),
        Column(
            "refunded",
            _("Given back"),
            "money",
            value=_money("refunded_minor"),
            is_optional=True,
        ),
        Column("spent", _("Spent"), "money", value=_spent, is_optional=True),
        Column("currency", _("Currency"), on_page=False),
        Column("last_order_at", _("Last order"), "when", sort="last-order", on_phone=False),
        Column("first_order_at", _("First order"), "when", is_optional=True),
        Column("tags", _("Tags"), "pills", value=_pills, on_phone=False, on_tablet=False),
    ],
    filters=[
        Filter("segment", _("Segment"), choices=_segments),
        Filter("list", _("List"), choices=_lists),
        Filter("last_order", _("Last order"), "date"),
        Filter("orders", _("Orders"), "number"),
        Filter("spent", _("Ordered, in money"), "number"),
        Filter("country", _("Country"), choices=countries),
        Filter("tag", _("Tag"), choices=lambda viewer: [(tag, tag) for tag in list_tags(viewer.store_ids)]),
        Filter("consent", _("Consent"), choices=lambda viewer: list(CONSENT.items())),
        Filter("first_order", _("First order"), "date", is_offered=False),
        Filter("ordered", _("Ordered on"), "date", is_offered=False),
        Filter("rfm", _("RFM"), "hidden", describe=_describe_rfm),
        Filter("rfm_was", _("RFM a month earlier"), "hidden", describe=_describe_rfm),
        Filter("r", _("Recency score"), "hidden", describe=str),
        Filter("f", _("Frequency score"), "hidden", describe=str),
        Filter("m", _("Monetary score"), "hidden", describe=str),
        Filter("product", _("Bought"), "hidden", describe=describe_product),
    ],
    default_sort="-last-order",
    sentence=_sentence,
    rows=customers_matching,
    counted=customers_counted,
    sorts=SORTS,
    present=read_rows,
    count=totals.count,
    sum=_sum,
    by_store=True,
    href=lambda row: f"/customers/{row.public_id}",
    unit=lambda n: ngettext("%s customer", "%s customers", n) % format_number(n),
    empty=Empty(
        _("No customers yet"),
        _(
            "Bring in what your shop already knows: a file of orders or customers, from Shopify or elsewhere, makes a profile of each."
        ),
        _("Import a file"),
        "/imports/new",
        "users",
    ),
    actions=[
        BulkAction("tag", _("Tag"), "tag", "customers.edit", _tag, _say_tagged, input_label=_("Tag to put on")),
        BulkAction(
            "untag",
            _("Take tag off"),
            "tags",
            "customers.edit",
            _untag,
            _say_untagged,
            input_label=_("Tag to take off"),
        ),
        BulkAction(
            "put-on-list",
            _("Put on list"),
            "list",
            "lists.edit",
            _put_on_list,
            _say_put_on,
            input_label=_("List to put them on"),
        ),
        BulkAction(
            "take-off-list",
            _("Take off list"),
            "minus",
            "lists.edit",
            _take_off_list,
            _say_taken_off,
            input_label=_("List to take them off"),
        ),
        BulkAction("leave-alone", _("Do not contact"), "hand-stop", "customers.edit", _leave_alone, _say_left_alone),
        BulkAction("may-contact", _("May be contacted"), "mail", "customers.edit", _may_contact, _say_may_contact),
    ],
    export_permission="customers.export",
)


@requires("customers.view", post="customers.view")
def customers(request: HttpRequest) -> HttpResponseBase:
    return show_list(request, CUSTOMERS)
