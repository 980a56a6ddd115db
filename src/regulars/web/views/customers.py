"""The list of customers: search as you type, filters in the address, bulk actions, export."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from regulars.foundation.access.gate import requires
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.errors import InvalidInput
from regulars.foundation.pages.formats import country_name, format_number
from regulars.foundation.pages.listing import show_list
from regulars.foundation.pages.lists import BulkAction, Choices, Column, Empty, Filter, ListPage, Pill
from regulars.record.catalog.queries import titles_of
from regulars.record.consent.operations import leave_alone
from regulars.record.customers.operations import set_tag
from regulars.record.customers.queries import list_tags
from regulars.record.events import totals
from regulars.web.labels import CONSENT, RFM, rfm_pill
from regulars.web.queries.customers import (
    SORTS,
    CustomerRow,
    count_leaving,
    countries_of_customers,
    customers_matching,
    list_segments,
    read_rows,
)


def _sentence(viewer: Viewer) -> str:
    """Who is about to leave, in words; nothing before the first scores."""
    leaving = count_leaving(viewer)
    if leaving is None:
        return ""
    words = ngettext(
        "%s of them used to buy and has gone quiet.", "%s of them used to buy and have gone quiet.", leaving
    )
    return words % format_number(leaving) if leaving else gettext("Nobody who used to buy has gone quiet.")


def _countries(viewer: Viewer) -> Choices:
    return sorted(((code, country_name(code)) for code in countries_of_customers()), key=lambda pair: pair[1])


def _describe_product(value: str) -> str:
    return titles_of([int(value)]).get(int(value), value) if value.isdigit() and len(value) < 19 else value


def _describe_rfm(value: str) -> str:
    return str(RFM.get(value, gettext("not yet a customer") if value == "none" else value))


def _staff(viewer: Viewer) -> int:
    if viewer.staff_id is None:
        raise InvalidInput(gettext("Only a member of staff can do this."))
    return viewer.staff_id


def _tag(ids: Sequence[int], form: Mapping[str, str], viewer: Viewer, at: datetime) -> str:
    changed = set_tag(ids, form["input"], True, _staff(viewer), at)
    return ngettext(
        "Put the tag '%(tag)s' on %(n)s customer.", "Put the tag '%(tag)s' on %(n)s customers.", changed
    ) % {"tag": form["input"], "n": format_number(changed)}


def _untag(ids: Sequence[int], form: Mapping[str, str], viewer: Viewer, at: datetime) -> str:
    changed = set_tag(ids, form["input"], False, _staff(viewer), at)
    return ngettext(
        "Took the tag '%(tag)s' off %(n)s customer.", "Took the tag '%(tag)s' off %(n)s customers.", changed
    ) % {"tag": form["input"], "n": format_number(changed)}


def _leave_alone(ids: Sequence[int], form: Mapping[str, str], viewer: Viewer, at: datetime) -> str:
    changed = leave_alone(ids, True, _staff(viewer), at)
    return ngettext(
        "%s customer will not be written to any more.", "%s customers will not be written to any more.", changed
    ) % format_number(changed)


def _may_contact(ids: Sequence[int], form: Mapping[str, str], viewer: Viewer, at: datetime) -> str:
    changed = leave_alone(ids, False, _staff(viewer), at)
    return ngettext(
        "%s customer may be written to again, where they agreed.",
        "%s customers may be written to again, where they agreed.",
        changed,
    ) % format_number(changed)


def _pills(row: CustomerRow) -> list[Pill]:
    return [Pill(tag) for tag in row.tags]


CUSTOMERS = ListPage(
    name="customers",
    title=_("Customers"),
    search=_("Search by name, mail, phone or number"),
    columns=[
        Column("public_id", _("Id"), on_page=False),
        Column("name", _("Customer"), "template", template="web/customer_cell.html"),
        Column("email", _("Mail"), on_page=False),
        Column("rfm", _("RFM"), "pill", value=lambda row: rfm_pill(row.rfm)),
        Column("country", _("Country"), value=lambda row: country_name(row.country), on_phone=False),
        Column("orders", _("Orders"), "number", sort="orders", on_phone=False),
        Column(
            "spent",
            _("Spent"),
            "money",
            value=lambda row: (row.spent_minor, row.currency) if row.currency else None,
            sort="spent",
        ),
        Column(
            "refunded",
            _("Refunded"),
            "money",
            value=lambda row: (row.refunded_minor, row.currency) if row.currency else None,
            is_optional=True,
        ),
        Column("currency", _("Currency"), on_page=False),
        Column("last_order_at", _("Last order"), "when", sort="last-order", on_phone=False),
        Column("first_order_at", _("First order"), "when", is_optional=True),
        Column("tags", _("Tags"), "pills", value=_pills, on_phone=False),
    ],
    filters=[
        Filter("segment", _("Segment"), choices=lambda viewer: list_segments()),
        Filter("last_order", _("Last order"), "date"),
        Filter("orders", _("Orders"), "number"),
        Filter("spent", _("Spent"), "number"),
        Filter("country", _("Country"), choices=_countries),
        Filter("tag", _("Tag"), choices=lambda viewer: [(tag, tag) for tag in list_tags()]),
        Filter("consent", _("Consent"), choices=lambda viewer: list(CONSENT.items())),
        Filter("first_order", _("First order"), "date", is_offered=False),
        Filter("ordered", _("Ordered"), "date", is_offered=False),
        Filter("rfm", _("RFM"), "hidden", describe=_describe_rfm),
        Filter("rfm_was", _("RFM a month earlier"), "hidden", describe=_describe_rfm),
        Filter("r", _("Recency score"), "hidden", describe=str),
        Filter("f", _("Frequency score"), "hidden", describe=str),
        Filter("m", _("Monetary score"), "hidden", describe=str),
        Filter("product", _("Bought"), "hidden", describe=_describe_product),
    ],
    default_sort="-last-order",
    sentence=_sentence,
    rows=lambda query, viewer: customers_matching(query, viewer).select_related("customer", "customer__figures"),
    sorts=SORTS,
    present=read_rows,
    count=totals.count,
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
        BulkAction("tag", _("Tag"), "tag", "customers.edit", _tag, input_label=_("Tag to put on")),
        BulkAction("untag", _("Take tag off"), "tags", "customers.edit", _untag, input_label=_("Tag to take off")),
        BulkAction("leave-alone", _("Do not contact"), "hand-stop", "customers.edit", _leave_alone),
        BulkAction("may-contact", _("May be contacted"), "mail", "customers.edit", _may_contact),
    ],
    export_permission="customers.export",
)


@requires("customers.view", post="customers.view")
def customers(request: HttpRequest) -> HttpResponseBase:
    return show_list(request, CUSTOMERS)
