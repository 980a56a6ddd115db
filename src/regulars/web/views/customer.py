"""One customer: who they are, what they are worth, what happened, and what staff can do."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from regulars.foundation import clock
from regulars.foundation.access.gate import requires
from regulars.foundation.access.queries import names_of_staff
from regulars.foundation.access.viewer import Viewer, viewer_of
from regulars.foundation.errors import InvalidInput, NotFound
from regulars.foundation.pages.charts import Chart, Series, day_labels
from regulars.foundation.pages.formats import country_name, format_date, format_money_short, format_number
from regulars.foundation.pages.registries import TIMELINE
from regulars.record.consent.operations import leave_alone
from regulars.record.customers.duplicates import cases_about, decisions_about, may_decide_about
from regulars.record.customers.operations import add_note, edit_contact, remove_note, set_tag
from regulars.record.customers.queries import list_tags, read_notes
from regulars.web.forms import ContactForm
from regulars.web.labels import RFM, rfm_pill
from regulars.web.queries.customer import (
    CustomerDetail,
    evidence_of,
    find_known,
    find_visible,
    panels_for,
    read_customer,
    read_timeline,
)


@requires("customers.view")
def customer(request: HttpRequest, public_id: str) -> HttpResponse:
    viewer = viewer_of(request)
    detail = read_customer(public_id, viewer)
    kinds = set(request.GET.getlist("kind")) & set(TIMELINE)
    context = {
        "title": detail.name,
        "sentence": _sentence(detail, clock.now()),
        "customer": detail,
        "figures": _figures(detail),
        "rfm": rfm_pill(detail.scores[-1].segment) if detail.scores else None,
        "chart": _scores_chart(detail),
        "country": country_name(detail.card.country),
        "kinds": _kinds(viewer, kinds),
        "authors": names_of_staff({note.row.staff_id for note in detail.notes}),
        "all_tags": [tag for tag in list_tags(viewer.store_ids) if tag not in detail.tags],
        "left": panels_for(detail.id, viewer, "left"),
        "right": panels_for(detail.id, viewer, "right"),
        "may_decide": may_decide_about(detail.id, viewer) and not detail.erased_at,
        "identities": evidence_of(detail.identities),
        "decided": decisions_about(detail.id, viewer),
        "cases": cases_about(detail.id, viewer) if viewer.may("customers.merge") else [],
        "may_edit": viewer.may("customers.edit") and not detail.erased_at,
        "may_erase": viewer.may("customers.erase") and not detail.erased_at,
        "timeline": read_timeline(detail.id, viewer, kinds, None),
        "kind_query": "".join(f"&kind={kind}" for kind in sorted(kinds)),
    }
    return render(request, "web/customer.html", context)


def _sentence(detail: CustomerDetail, at: datetime) -> str:
    """What is the case, in words: how they buy, and how long they have been silent."""
    figures = detail.figures
    if detail.erased_at:
        return gettext("Erased on %s. What is left are orders and totals under a bare number.") % format_date(
            detail.erased_at
        )
    if figures is None or figures.last_order_at is None or figures.first_order_at is None:
        return gettext("Has not ordered yet.")
    silent = (at - figures.last_order_at).days
    if figures.order_count < 2 and not silent:
        return gettext("Ordered once, in the last 24 hours.")
    if figures.order_count < 2:
        once = ngettext("Ordered once, %(days)s day ago.", "Ordered once, %(days)s days ago.", silent)
        return once % {"days": format_number(silent)}
    rhythm = (figures.last_order_at - figures.first_order_at).days / (figures.order_count - 1)
    words = ngettext(
        "Orders every %(rhythm)s days on average; the last order was %(silent)s day ago.",
        "Orders every %(rhythm)s days on average; the last order was %(silent)s days ago.",
        silent,
    )
    if rhythm and silent > 2 * rhythm:
        words = gettext("Used to order every %(rhythm)s days, but has been silent for %(silent)s.")
    return words % {"rhythm": format_number(max(1, round(rhythm))), "silent": format_number(silent)}


def _figures(detail: CustomerDetail) -> dict[str, Any]:
    figures = detail.figures
    if figures is None:
        return {}
    average = round(figures.spent_minor / figures.order_count) if figures.order_count else 0
    return {
        "orders": figures.order_count,
        "spent": format_money_short(figures.spent_minor, figures.currency),
        "refunded": format_money_short(figures.refunded_minor, figures.currency),
        "average": format_money_short(average, figures.currency),
        "last_order_at": figures.last_order_at,
        "first_order_at": figures.first_order_at,
        "unconverted": figures.unconverted_count,
    }


def _scores_chart(detail: CustomerDetail) -> Chart | None:
    """Recency, frequency and monetary scores over time; nothing before there are two points."""
    scores = detail.scores
    if len(scores) < 2:
        return None
    series = [
        Series(name, [getattr(score, axis) for score in scores])
        for axis, name in (("r", gettext("Recency")), ("f", gettext("Frequency")), ("m", gettext("Monetary")))
    ]
    first, last = RFM[scores[0].segment], RFM[scores[-1].segment]
    summary = gettext("From %(first)s on %(since)s to %(last)s now; scores run from 1 to %(scale)d.") % {
        "first": first,
        "since": format_date(scores[0].as_of),
        "last": last,
        "scale": scores[-1].scale,
    }
    return Chart(
        "rfm",
        gettext("RFM over time"),
        summary,
        day_labels([timezone.localtime(score.as_of).date() for score in scores]),
        series,
        height=180,
    )


def _kinds(viewer: Viewer, chosen: set[str]) -> list[tuple[str, str, bool]]:
    sources = sorted(
        ((name, kind) for name, kind in TIMELINE.items() if viewer.may(kind.permission)), key=lambda pair: pair[1].order
    )
    return [(name, str(kind.label), name in chosen) for name, kind in sources]


@requires("customers.view")
def timeline(request: HttpRequest, public_id: str) -> HttpResponse:
    """An earlier stretch of the timeline, as a fragment."""
    viewer = viewer_of(request)
    found = find_visible(public_id, viewer)
    kinds = set(request.GET.getlist("kind")) & set(TIMELINE)
    try:
        before = datetime.fromisoformat(request.GET.get("before", ""))
    except ValueError as error:
        raise InvalidInput(gettext("This link to a part of the timeline is damaged.")) from error
    context = {
        "timeline": read_timeline(found.pk, viewer, kinds, before),
        "public_id": public_id,
        "kind_query": "".join(f"&kind={kind}" for kind in sorted(kinds)),
    }
    return render(request, "web/timeline.html", context)


@requires("customers.edit", post="customers.edit")
def edit(request: HttpRequest, public_id: str) -> HttpResponse:
    viewer = viewer_of(request)
    find_known(public_id, viewer)
    detail = read_customer(public_id, viewer)
    form = ContactForm(request.POST) if request.method == "POST" else ContactForm.of(detail.card)
    if request.method == "POST" and form.is_valid() and _saved(form, detail, viewer):
        messages.success(request, gettext("Saved."))
        return redirect("customer", public_id=detail.public_id)
    title = gettext("Edit %s") % detail.name
    return render(
        request,
        "web/customer_edit.html",
        {"title": title, "customer": detail, "form": form},
        status=400 if form.errors else 200,
    )


def _saved(form: ContactForm, detail: CustomerDetail, viewer: Viewer) -> bool:
    try:
        edit_contact(detail.id, form.card(detail.card), _staff(viewer), clock.now(), viewer.store_ids)
    except InvalidInput as error:
        field = str(error.details.get("field", ""))
        form.add_error(field if field in form.fields else None, error.sentence)
        return False
    return True


@requires(post="customers.edit")
def act(request: HttpRequest, public_id: str, action: str) -> HttpResponse:
    """One small change from the page: a tag, a note, 'do not contact'."""
    viewer = viewer_of(request)
    found = find_known(public_id, viewer)
    messages.success(request, _act(action, found.pk, request, viewer))
    return redirect("customer", public_id=public_id)


def _act(action: str, customer_id: int, request: HttpRequest, viewer: Viewer) -> str:
    at, staff_id, stores = clock.now(), _staff(viewer), viewer.store_ids
    text = request.POST.get("text", "").strip()
    match action:
        case "tag" | "untag":
            changed = set_tag([customer_id], text, action == "tag", staff_id, at, stores)
            return ngettext("Done: %d change.", "Done: %d changes.", changed) % changed
        case "note":
            add_note(customer_id, text, staff_id, at, stores)
            return gettext("Note added.")
        case "remove-note":
            _remove_note(customer_id, request.POST.get("note", ""), viewer, at)
            return gettext("Note removed.")
        case "leave-alone" | "may-contact":
            leave_alone([customer_id], action == "leave-alone", staff_id, at, stores)
            return (
                gettext("Will not be written to any more.")
                if action == "leave-alone"
                else gettext("May be written to again, where they agreed.")
            )
    raise NotFound


def _remove_note(customer_id: int, uid: str, viewer: Viewer, at: datetime) -> None:
    for note in read_notes(customer_id, viewer.store_ids):
        if str(note.row.uid) == uid:
            return remove_note(note.row, _staff(viewer), at)
    raise NotFound


def _staff(viewer: Viewer) -> int:
    if viewer.staff_id is None:
        raise InvalidInput(gettext("Only a member of staff can do this."))
    return viewer.staff_id
