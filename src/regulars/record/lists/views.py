"""Pages of lists: all of them, one with its history, and its ledger."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from regulars.foundation import clock
from regulars.foundation.access.gate import requires
from regulars.foundation.access.viewer import Viewer, viewer_of
from regulars.foundation.errors import InvalidInput, RegularsError
from regulars.foundation.ids import to_public
from regulars.foundation.pages.formats import format_number, today
from regulars.foundation.pages.listing import show_list
from regulars.foundation.pages.lists import Column, Empty, Filter, ListPage, ListQuery, Pill
from regulars.foundation.pages.paging import Order
from regulars.foundation.pages.sums import Door
from regulars.foundation.shop.models import Store
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.models import Customer
from regulars.record.customers.named import Named, with_owners
from regulars.record.customers.queries import customers_of, get_customer, parse_search, read_cards
from regulars.record.lists import operations, queries
from regulars.record.lists.authors import Author, authors_of
from regulars.record.lists.models import CustomerList, ListMember
from regulars.record.lists.uses import all_uses, uses_of

_MOVES = 20
_NEWEST = 8
_RECENT = timedelta(days=30)


def address_of(row: CustomerList) -> str:
    return f"/lists/{to_public(CustomerList.PREFIX, row.uid)}"


@dataclass(frozen=True)
class Sized:
    """A list with how many customers are on it and how many things ask for it."""

    row: CustomerList
    size: int
    uses: int

    @property
    def id(self) -> int:
        return self.row.pk

    @property
    def door(self) -> Door | None:
        return Door(f"/customers?list={self.row.key}", self.size) if self.size else None


def _rows(query: ListQuery, viewer: Viewer) -> QuerySet[CustomerList]:
    rows = CustomerList.objects.filter(is_archived=query.one("state") == "archived")
    return rows.filter(name__icontains=query.text) if query.text else rows


def _sized(rows: Sequence[CustomerList], viewer: Viewer) -> list[Sized]:
    sizes, uses = queries.sizes(), all_uses()
    return [Sized(row, sizes.get(row.pk, 0), len(uses.get(row.key, ()))) for row in rows]


LISTS = ListPage(
    name="lists",
    title=_("Lists"),
    search=_("Search lists"),
    columns=[
        Column("name", _("List"), "strong", value=lambda one: one.row.name, sort="name"),
        Column("size", _("Customers"), "number", door=lambda one: one.door, on_phone=False),
        Column("uses", _("Asked for by"), "number", on_phone=False),
        Column("key", _("Key"), value=lambda one: one.row.key, is_optional=True),
        Column("created_at", _("Made"), "when", value=lambda one: one.row.created_at, sort="made", on_phone=False),
    ],
    filters=[Filter("state", _("State"), choices=lambda viewer: [("archived", _("Archived"))])],
    default_sort="name",
    rows=_rows,
    sorts={"name": Order("name"), "made": Order("created_at")},
    present=_sized,
    href=lambda one: address_of(one.row),
    unit=lambda n: ngettext("%s list", "%s lists", n) % format_number(n),
    primary=(_("New list"), "/list-uploads/new"),
    empty=Empty(
        _("No lists yet"),
        _(
            "A list holds whom you put on it, such as the guests of a fair: upload or paste their addresses. Segments can ask for it."
        ),
        _("New list"),
        "/list-uploads/new",
        "list",
    ),
)


@requires("lists.view")
def lists(request: HttpRequest) -> HttpResponseBase:
    page = LISTS if viewer_of(request).may("lists.edit") else replace(LISTS, primary=None)
    return show_list(request, page)


@requires("lists.view")
def one_list(request: HttpRequest, public_id: str) -> HttpResponse:
    row, viewer = queries.get_list(public_id), viewer_of(request)
    moves = queries.history(row, _MOVES)
    context: dict[str, Any] = {
        "title": row.name,
        "list": row,
        "href": address_of(row),
        "upload_href": f"/list-uploads/new?list={to_public(CustomerList.PREFIX, row.uid)}",
        "size": queries.sizes().get(row.pk, 0),
        "customers_href": f"/customers?list={row.key}",
        "figures": _figures(row, viewer),
        "uses": uses_of(row.key),
        "moves": list(zip(moves, authors_of([(move.source, move.reference) for move in moves]), strict=True)),
        "may_edit": viewer.may("lists.edit"),
    }
    if viewer.may("customers.view"):
        newest = queries.members(row).order_by("-added_at", "-id")[:_NEWEST]
        context["newest"] = with_owners(list(newest), viewer)
    return render(request, "lists/one.html", context)


def _figures(row: CustomerList, viewer: Viewer) -> dict[str, tuple[int, str]]:
    """Who was put on and taken off in a month, each with the address of exactly those rows."""
    day = today(clock.now()) - _RECENT
    return {
        name: (
            queries.stays(row, ListQuery(dates={name: (day, None)}), viewer).count(),
            f"{address_of(row)}/members?{name}_from={day.isoformat()}",
        )
        for name in ("added", "removed")
    }


@dataclass(frozen=True)
class Stay:
    """A row of the ledger, with whom it is about and who began and ended it."""

    named: Named
    card: ContactCard
    by: Author
    until_by: Author | None

    @property
    def id(self) -> int:
        return self.named.id

    @property
    def row(self) -> ListMember:
        row: ListMember = self.named.row
        return row


def _present(rows: Sequence[ListMember], viewer: Viewer) -> list[Stay]:
    named = with_owners(rows, viewer)
    owners = customers_of(row.profile_id for row in rows)
    cards = read_cards(set(owners.values()), viewer.store_ids) if viewer.may("customers.view") else {}
    by = authors_of([(row.batch.source, row.batch.reference) for row in rows])
    until = authors_of([(b.source, b.reference) if (b := row.until_batch) else ("", "") for row in rows])
    return [
        Stay(one, cards.get(owners[one.row.profile_id], ContactCard()), began, ended if one.row.until_batch else None)
        for one, began, ended in zip(named, by, until, strict=True)
    ]


MEMBERS = ListPage(
    name="list-members",
    title=_("Members"),
    columns=[
        Column(
            "public_id",
            _("Customer id"),
            value=lambda one: one.named.customer.public_id if one.named.customer else "",
            on_page=False,
        ),
        Column("name", _("Customer"), "strong", value=lambda one: one.named.name),
        Column("email", _("Mail"), value=lambda one: one.card.email, on_page=False),
        Column("phone", _("Phone"), value=lambda one: one.card.phone, on_page=False),
        Column(
            "state",
            _("State"),
            "pill",
            value=lambda one: Pill(_("On it"), "green") if one.row.until_batch is None else Pill(_("Taken off")),
        ),
        Column("added_at", _("Put on"), "when", value=lambda one: one.row.added_at, sort="added"),
        Column("by", _("By"), value=lambda one: one.by.text, on_phone=False),
        Column(
            "removed_at", _("Taken off"), "when", value=lambda one: one.row.removed_at, sort="removed", on_phone=False
        ),
        Column("until_by", _("Taken off by"), value=lambda one: one.until_by and one.until_by.text, is_optional=True),
    ],
    filters=[
        Filter("state", _("State"), choices=lambda viewer: [("now", _("On it now")), ("past", _("Taken off"))]),
        Filter("added", _("Put on"), "date"),
        Filter("removed", _("Taken off"), "date"),
    ],
    default_sort="-added",
    sorts={"added": Order("added_at"), "removed": Order("removed_at", nullable=True)},
    present=_present,
    href=lambda one: one.named.customer.href if one.named.customer else "",
    unit=lambda n: ngettext("%s stay", "%s stays", n) % format_number(n),
    empty=Empty(
        _("Nobody was ever on this list"),
        _("Whoever is put on it stands here, with the day and by whom."),
        _("All lists"),
        "/lists",
        "list",
    ),
    export_permission="customers.export",
)


@requires("lists.view", post="lists.view")
def members(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """The ledger: every stay of everybody on this list."""
    row = queries.get_list(public_id)
    href = address_of(row)
    page = replace(
        MEMBERS,
        title=gettext("%(list)s: members") % {"list": row.name},
        rows=partial(queries.stays, row),
        name=f"list-{row.key}",
        tabs=[
            (gettext("The list"), href),
            (gettext("On it now"), f"{href}/members?state=now"),
            (gettext("Every stay"), f"{href}/members"),
        ],
    )
    return show_list(request, page)


@requires(post="lists.edit")
def rename(request: HttpRequest, public_id: str) -> HttpResponse:
    row = queries.get_list(public_id)
    try:
        operations.rename_list(row, request.POST.get("name", ""), viewer_of(request), clock.now())
    except RegularsError as error:
        messages.error(request, error.sentence)
    return redirect(address_of(row))


@requires(post="lists.edit")
def archive(request: HttpRequest, public_id: str) -> HttpResponse:
    """Puts a list away, or takes it out again."""
    row, viewer = queries.get_list(public_id), viewer_of(request)
    try:
        if row.is_archived:
            operations.restore_list(row, viewer, clock.now())
        else:
            operations.archive_list(row, viewer, clock.now())
            messages.success(request, gettext("It is in the archive now. Its past stays."))
    except RegularsError as error:
        messages.error(request, error.sentence)
    return redirect(address_of(row))


@requires(post="lists.edit")
def put(request: HttpRequest) -> HttpResponse:
    """Puts one customer on a list: the one of a customer's page, or whoever is meant by what was typed on the list's."""
    row, viewer = queries.get_list(request.POST.get("list", "")), viewer_of(request)
    try:
        customer = _customer(request, viewer)
        done = operations.put_customers_on(row, [customer.pk], viewer, clock.now())
        said = gettext("Put on '%s'.") if done else gettext("Is on '%s' already.")
        messages.success(request, said % row.name)
    except InvalidInput as error:
        messages.error(request, error.sentence)
    return _back(request, row)


@requires(post="lists.edit")
def take(request: HttpRequest) -> HttpResponse:
    """Takes one customer off a list."""
    row, viewer = queries.get_list(request.POST.get("list", "")), viewer_of(request)
    operations.take_customers_off(row, [_customer(request, viewer).pk], viewer, clock.now())
    messages.success(request, gettext("Taken off '%s'.") % row.name)
    return _back(request, row)


def _customer(request: HttpRequest, viewer: Viewer) -> Customer:
    """By public id, or the one whom a mail address, phone or number leads to. Raises InvalidInput where that is nobody or several."""
    if public_id := request.POST.get("customer", ""):
        return get_customer(public_id)
    text = request.POST.get("who", "").strip()[:300]
    found = parse_search(text, list(Store.objects.values_list("code", flat=True)), viewer.store_ids).customer_ids
    if len(found) != 1:
        raise InvalidInput(
            gettext("Nobody is known by '%s'. To make new profiles, upload or paste their addresses.") % text
            if not found
            else gettext("Several customers have the number '%s': open the one that you mean, and put them on there.")
            % text
        )
    return Customer.objects.get(pk=found[0])


def _back(request: HttpRequest, row: CustomerList) -> HttpResponse:
    """To where the button stood."""
    if request.POST.get("from") == "customer":
        return redirect("customer", public_id=request.POST.get("customer", ""))
    return redirect(address_of(row))
