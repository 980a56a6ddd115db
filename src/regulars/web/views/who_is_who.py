"""Who may be one person, what staff decide about it, and taking that back."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from regulars.foundation import clock
from regulars.foundation.access.gate import requires
from regulars.foundation.access.viewer import Viewer, viewer_of
from regulars.foundation.errors import InvalidInput, NotFound
from regulars.foundation.ids import to_public
from regulars.foundation.pages.formats import format_number
from regulars.foundation.pages.listing import show_list
from regulars.foundation.pages.lists import BulkAction, Column, Empty, Filter, ListPage, ListQuery, Pill
from regulars.foundation.pages.registries import Text
from regulars.record.customers.duplicates import (
    Case,
    Decided,
    duplicates_visible,
    get_decision,
    read_cases,
    read_decisions,
    read_shared,
)
from regulars.record.customers.models import Decision, PossibleDuplicate, Verdict
from regulars.record.customers.named import describe_customer, names_of
from regulars.record.customers.operations import decisions as deciding
from regulars.record.customers.operations.decisions import Sides, different_people, parted, same_person
from regulars.record.customers.queries import found_by, profiles_of, read_cards, visible_cards
from regulars.record.customers.rules import Reason
from regulars.web.queries.customer import find_known
from regulars.web.queries.who_is_who import (
    DECISION_SORTS,
    DUPLICATE_SORTS,
    decisions_matching,
    duplicates_matching,
    read_part,
    read_parts,
)

REASONS: dict[str, Text] = {
    Reason.NAMES: _("Different names"),
    Reason.SIZE: _("Too many records"),
    Reason.EITHER: _("May be either"),
}
WHY: dict[str, Text] = {
    Reason.NAMES: _("Both have ordered, under names that cannot be one person's."),
    Reason.SIZE: _("Together they would have more records in one store than one person has."),
    Reason.EITHER: _("The identifier leads to several people, and nothing says which of them this is."),
}
VERDICTS: dict[str, Text] = {Verdict.SAME: _("Same person"), Verdict.DIFFERENT: _("Different people")}
STATES: dict[str, Text] = {"in-force": _("In force"), "withdrawn": _("Taken back")}
TABS: Sequence[tuple[Text, str]] = (
    (_("To decide"), "/customers/duplicates"),
    (_("Decided"), "/customers/decisions"),
)
FOUND_AT_MOST = 8  # customers offered to be merged with


def _sentence(query: ListQuery, viewer: Viewer) -> str:
    return gettext(
        "An identifier says that they are one person, and something speaks against it: nothing is joined until you decide."
    )


DUPLICATES = ListPage(
    name="duplicates",
    title=_("Possible duplicates"),
    search=_("Search by customer"),
    columns=[
        Column("one", _("Customer"), "strong", value=lambda case: case.one.text),
        Column("other", _("Maybe the same as"), "strong", value=lambda case: case.other.text),
        Column("value", _("They share"), "template", template="web/evidence_cell.html", on_phone=False),
        Column(
            "reason", _("Waits because"), value=lambda case: REASONS[case.row.reason], on_phone=False, on_tablet=False
        ),
        Column("since", _("Since"), "when", value=lambda case: case.row.since, sort="since"),
    ],
    filters=[
        Filter("reason", _("Waits because"), choices=lambda viewer: list(REASONS.items())),
        Filter("customer", _("Customer"), "hidden", describe_to=describe_customer),
    ],
    tabs=TABS,
    default_sort="-since",
    sentence=_sentence,
    rows=duplicates_matching,
    sorts=DUPLICATE_SORTS,
    present=read_cases,
    href=lambda case: f"/customers/duplicates/{case.id}",
    unit=lambda n: ngettext("%s pair", "%s pairs", n) % format_number(n),
    empty=Empty(
        _("Nobody waits for you"),
        _(
            "Where an address or number says that two customers are one, and their names or records speak against it, they are put here."
        ),
        icon="circle-check",
    ),
)


def _withdraw(ids: Sequence[int], form: Mapping[str, str], viewer: Viewer, at: datetime) -> int:
    rows = decisions_matching(ListQuery(), viewer).filter(pk__in=ids, withdrawn_at=None).order_by("-decided_at", "-id")
    for row in rows:
        deciding.withdraw(row, viewer, at)
    return len(rows)


def _say_withdrawn(changed: int, form: Mapping[str, str]) -> str:
    words = ngettext("Took %s decision back.", "Took %s decisions back.", changed)
    return words % format_number(changed)


def _verdict(decided: Decided) -> Pill:
    return Pill(VERDICTS[decided.row.verdict], "grey" if decided.row.withdrawn_at else "accent")


DECISIONS = ListPage(
    name="decisions",
    title=_("Decisions about customers"),
    columns=[
        Column("verdict", _("Decided"), "pill", value=_verdict),
        Column("people", _("About"), "template", template="web/people_cell.html"),
        Column("by", _("By"), value=lambda one: one.by or gettext("a program"), on_phone=False),
        Column("decided", _("When"), "when", value=lambda one: one.row.decided_at, sort="decided", on_phone=False),
        Column("withdrawn", _("Taken back"), "when", value=lambda one: one.row.withdrawn_at, on_phone=False),
    ],
    filters=[
        Filter("state", _("State"), choices=lambda viewer: list(STATES.items())),
        Filter("verdict", _("Decided"), choices=lambda viewer: list(VERDICTS.items())),
    ],
    tabs=TABS,
    default_sort="-decided",
    sentence=lambda query, viewer: gettext(
        "Each holds until it is taken back; then everybody is who they would be without it."
    ),
    rows=decisions_matching,
    sorts=DECISION_SORTS,
    present=read_decisions,
    href=lambda one: one.people[0].href if one.people else "/customers/decisions",
    unit=lambda n: ngettext("%s decision", "%s decisions", n) % format_number(n),
    empty=Empty(
        _("Nothing was decided yet"),
        _("Open a customer to merge or split, or look at who may be one person."),
        _("Possible duplicates"),
        "/customers/duplicates",
        "arrow-merge",
    ),
    actions=[
        BulkAction(
            "withdraw", _("Take back"), "arrow-back-up", "customers.merge", _withdraw, _say_withdrawn, is_one_step=True
        )
    ],
)


@requires("customers.merge")
def duplicates(request: HttpRequest) -> HttpResponseBase:
    return show_list(request, DUPLICATES)


@requires("customers.merge", post="customers.merge")
def decisions(request: HttpRequest) -> HttpResponseBase:
    return show_list(request, DECISIONS)


@requires("customers.merge", post="customers.merge")
def one_duplicate(request: HttpRequest, case_id: int) -> HttpResponse:
    """Both sides, what they share, what each has; POST decides and goes on to the next pair."""
    viewer = viewer_of(request)
    row = duplicates_visible(viewer).filter(pk=case_id).first()
    if row is None:
        raise NotFound(gettext("This pair does not wait any more: somebody decided, or what is known has changed."))
    [case] = read_cases([row], viewer)
    if request.method == "POST":
        following = _next(case, viewer)
        decision = deciding.decide(_chosen(request, case), viewer, clock.now())
        return _go_on(request, following, decision)
    parts = [read_part(profiles_of([c])[c], c) for c in (case.one_id, case.other_id)]
    context = {
        "title": gettext("One person or two?"),
        "case": case,
        "reason": REASONS[case.row.reason],
        "why": WHY[case.row.reason],
        "parts": parts,
        "shared": read_shared(case.one_id, case.other_id),
        "next": _next(case, viewer),
        "waiting": duplicates_visible(viewer).count(),
        "last_decided": _last_decided(request),
    }
    return render(request, "web/duplicate.html", context)


def _chosen(request: HttpRequest, case: Case) -> Sides:
    match request.POST.get("verdict"):
        case Verdict.SAME:
            return same_person([case.one_id, case.other_id])
        case Verdict.DIFFERENT:
            return different_people(case.one_id, case.other_id)
    raise InvalidInput(gettext("Choose: same person, or different people."))


def _next(case: Case, viewer: Viewer) -> int | None:
    rows = duplicates_visible(viewer).exclude(pk=case.id).order_by("-since", "-id")
    older = rows.filter(since__lte=case.row.since, pk__lt=case.id).values_list("pk", flat=True).first()
    return older or rows.values_list("pk", flat=True).first()


def _go_on(request: HttpRequest, following: int | None, decision: Decision) -> HttpResponse:
    """To the next pair, if it still waits after that."""
    if following and PossibleDuplicate.objects.filter(pk=following).exists():
        return redirect(f"/customers/duplicates/{following}?decided={to_public(Decision.PREFIX, decision.uid)}")
    messages.success(request, gettext("Decided. Nobody else waits; it can be taken back here."))
    return redirect("decisions")


def _last_decided(request: HttpRequest) -> Decided | None:
    """What was just decided here, to be taken back with one key."""
    if "decided" not in request.GET:
        return None
    viewer = viewer_of(request)
    row = get_decision(request.GET["decided"], viewer)
    return None if row.withdrawn_at else read_decisions([row], viewer)[0]


@requires(post="customers.merge")
def withdraw_one(request: HttpRequest, public_id: str) -> HttpResponse:
    viewer = viewer_of(request)
    deciding.withdraw(get_decision(public_id, viewer), viewer, clock.now())
    messages.success(request, gettext("Taken back: everybody is who they were."))
    place = request.POST.get("next", "")
    return redirect(place if place.startswith("/customers") else "decisions")


@requires("customers.merge", post="customers.merge")
def merge(request: HttpRequest, public_id: str) -> HttpResponse:
    """Find the other one, see what would be one, do it."""
    viewer = viewer_of(request)
    found = find_known(public_id, viewer)
    wanted = request.POST.get("with") or request.GET.get("with", "")
    other = find_known(wanted, viewer) if wanted else None
    name = names_of([found.pk], viewer)[found.pk]
    context = {"title": gettext("Merge %s with another customer") % name.text, "customer": name, "text": ""}
    if other is None:
        text = request.GET.get("q", "").strip()
        context |= {"text": text, "found": _candidates(text, found.pk, viewer)}
        return render(request, "web/merge.html", context)
    sides = same_person([found.pk, other.pk])
    if request.method == "POST":
        deciding.decide(sides, viewer, clock.now())
        messages.success(request, gettext("They are one customer now. It can be taken back below, under How we know."))
        return redirect("customer", public_id=public_id)
    deciding.may_decide(sides.profiles, viewer)
    context |= {
        "other": names_of([other.pk], viewer)[other.pk],
        "parts": [read_part(profiles_of([c])[c], c) for c in (found.pk, other.pk)],
        "shared": read_shared(found.pk, other.pk),
        "after": read_parts(deciding.preview(sides, clock.now())),
    }
    return render(request, "web/merge.html", context)


def _candidates(text: str, customer_id: int, viewer: Viewer) -> Sequence[object]:
    if not text:
        return []
    rows = visible_cards(viewer.store_ids).filter(found_by(text, viewer.store_ids)).exclude(pk=customer_id)
    found = list(rows.values_list("pk", flat=True)[:FOUND_AT_MOST])
    names, cards = names_of(found, viewer), read_cards(found, viewer.store_ids)
    return [(names[pk], ", ".join(filter(None, (cards[pk].email, cards[pk].city)))) for pk in found if pk in names]


@requires("customers.merge", post="customers.merge")
def split(request: HttpRequest, public_id: str) -> HttpResponse:
    """Tick what belongs to somebody else, see what goes, do it."""
    viewer = viewer_of(request)
    found = find_known(public_id, viewer)
    given = request.POST if request.method == "POST" else request.GET
    leaving = [int(one) for one in given.getlist("profile") if one.isascii() and one.isdigit() and len(one) < 19]
    name = names_of([found.pk], viewer)[found.pk]
    deciding.may_decide(profiles_of([found.pk])[found.pk], viewer)
    context = {"title": gettext("Split %s") % name.text, "customer": name, "leaving": leaving}
    context["choices"] = [read_part([p]) for p in sorted(deciding.people_of(found.pk))]
    if leaving:
        sides = parted(found.pk, leaving)
        if request.method == "POST":
            deciding.decide(sides, viewer, clock.now())
            messages.success(
                request, gettext("They are different customers now. It can be taken back below, under How we know.")
            )
            return redirect("customer", public_id=public_id)
        context["after"] = read_parts(deciding.preview(sides, clock.now()))
    return render(request, "web/split.html", context)
