"""Workflows: the list, one workflow as a tree with live numbers, its switch, runs and one run with its reasons."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from regulars.foundation import clock
from regulars.foundation.access.gate import requires
from regulars.foundation.access.viewer import Viewer, viewer_of
from regulars.foundation.audit.operations import record
from regulars.foundation.facts import FACTS
from regulars.foundation.ids import to_public
from regulars.foundation.pages.formats import format_full, format_number
from regulars.foundation.pages.listing import show_list
from regulars.foundation.pages.lists import Choices, Column, Empty, Filter, ListPage, ListQuery
from regulars.insight.segments.files import InvalidFile
from regulars.record.customers.named import Named, with_names
from regulars.workflows import operations, queries
from regulars.workflows.cards import cards_of
from regulars.workflows.definition import InvalidDefinition, Problem
from regulars.workflows.labels import RUN_STATES, in_words, question_in_words, run_pill, workflow_pill
from regulars.workflows.models import Run, Workflow
from regulars.workflows.operations import Already, Who
from regulars.workflows.recipes import RECIPES, get_recipe
from regulars.workflows.runs.deciding import definition_of
from regulars.workflows.steps.action import CARRIERS, NodeOutcome
from regulars.workflows.steps.condition import MATCHES
from regulars.workflows.steps.kinds import STEPS, Names
from regulars.workflows.texts import as_text, from_text

MONTH = timedelta(days=30)


def node_in_words(run: Run, names: Names) -> str:
    """The step at which a run stands or ended, by the version that it is on."""
    node = definition_of(run.version_id).nodes.get(run.node)
    return node.step.describe(names) if node else run.node


def _present(runs: Sequence[Run], viewer: Viewer) -> list[Named]:
    """Runs with whose they are, and at which step each stands."""
    names = queries.names_in_use()
    return [replace(one, words=node_in_words(one.row, names)) for one in with_names(runs, viewer)]


@requires("workflows.view")
def workflows(request: HttpRequest) -> HttpResponse:
    viewer = viewer_of(request)
    found = queries.list_workflows(viewer)
    on = [w for w in found if w.workflow.is_on]
    people = sum(w.on_the_way for w in found)
    sentence = ngettext("%(on)s workflow is on", "%(on)s workflows are on", len(on)) % {"on": format_number(len(on))}
    sentence += ", " + ngettext("%s customer is on the way.", "%s customers are on the way.", people) % format_number(
        people
    )
    there = {w.workflow.key for w in found}
    context = {
        "title": gettext("Workflows"),
        "sentence": sentence if found else "",
        "workflows": [(w, workflow_pill(w.workflow)) for w in found],
        "may_edit": viewer.may("workflows.edit"),
        "recipes": [recipe for name, recipe in RECIPES.items() if name not in there],
    }
    return render(request, "workflows/list.html", context)


@requires(post="workflows.edit")
def install(request: HttpRequest, key: str) -> HttpResponseBase:
    viewer = viewer_of(request)
    with transaction.atomic():
        workflow = get_recipe(key).install(clock.now(), viewer.staff_id)
        record("workflow.installed", viewer, _public_id(workflow), {"workflow": key}, at=clock.now())
    messages.success(request, gettext("'%s' is here, and switched off. Look at it, then switch it on.") % workflow.name)
    return redirect("workflow", _public_id(workflow))


@requires("workflows.view")
def one_workflow(request: HttpRequest, public_id: str) -> HttpResponse:
    viewer, at = viewer_of(request), clock.now()
    workflow = queries.get_workflow(public_id)
    summary = queries.summarize(workflow, viewer)
    newest = queries.runs_matching(ListQuery(choices={"workflow": (workflow.key,)}), viewer)
    context = {
        "title": workflow.name,
        "sentence": summary.sentence,
        "summary": summary,
        "may_switch": viewer.may("workflows.switch"),
        "may_edit": viewer.may("workflows.edit"),
        "pill": workflow_pill(workflow),
        "cards": cards_of(workflow, viewer),
        "trigger": queries.describe_trigger(definition_of(workflow.live_id), queries.names_in_use())
        if workflow.live_id
        else "",
        "entries": queries.count_entries(workflow, at - MONTH, at, viewer),
        "newest": [
            (one, run_pill(one.row)) for one in _present(list(newest.order_by("-started_at", "-pk")[:8]), viewer)
        ],
    }
    return render(request, "workflows/one.html", context)


@requires("workflows.edit", post="workflows.edit")
def edit(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """The definition as text: checked on request, and saved as the next version."""
    viewer, workflow = viewer_of(request), queries.get_workflow(public_id)
    written, checked, problems = as_text(workflow), None, []
    if request.method == "POST":
        written = request.POST.get("definition", "")
        try:
            definition = from_text(written)
            checked = operations.check_definition(definition)
            if request.POST.get("do") == "save":
                return _save(workflow, definition, viewer)
        except InvalidDefinition as error:
            problems = error.problems
        except InvalidFile as error:
            problems = [Problem("definition", error.sentence)]
    names = queries.names_in_use()
    context = {
        "title": gettext("Edit '%s'") % workflow.name,
        "public_id": public_id,
        "written": written,
        "problems": problems,
        "checked": f"{queries.describe_trigger(checked, names)}: {checked.in_words(names)}." if checked else "",
        "facts": [(name, fact) for name, fact in FACTS.items() if name != MATCHES],
    }
    return render(request, "workflows/edit.html", context, status=400 if problems else 200)


def _save(workflow: Workflow, definition: Any, viewer: Viewer) -> HttpResponseBase:
    with transaction.atomic():
        version = operations.save_version(workflow.key, definition, viewer.staff_id, clock.now())
        record("workflow.written", viewer, _public_id(workflow), {"version": version.number}, at=clock.now())
    return redirect("workflow", _public_id(workflow))


@requires("workflows.switch", post="workflows.switch")
def switch(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """Asks before it switches on, with the counts; switching off is done at once, since it can be undone."""
    workflow, at = queries.get_workflow(public_id), clock.now()
    if request.method == "POST":
        return _switch(request, workflow, at)
    if workflow.is_on:
        return redirect("workflow", public_id)
    there = operations.count_already_there(workflow, at)
    newest_paused = queries.runs_matching(
        ListQuery(choices={"workflow": (workflow.key,), "state": ("paused",)}), viewer_of(request)
    )
    context = {
        "title": gettext("Switch on '%s'?") % workflow.name,
        "sentence": queries.sentence_of(workflow, queries.names_in_use()),
        "workflow": workflow,
        "public_id": public_id,
        "there": there,
        "sample": min(there, Already().sample),
        "per_hour": Already().per_hour,
        "hours": max(1, round(there / Already().per_hour)),
        "paused": newest_paused.count(),
    }
    return render(request, "workflows/switch.html", context)


def _switch(request: HttpRequest, workflow: Workflow, at: datetime) -> HttpResponseBase:
    viewer, is_on = viewer_of(request), request.POST.get("to") == "on"
    if is_on:
        who = request.POST.get("who", Who.NONE)
        done = operations.switch_on(workflow, at, Already(Who(who) if who in set(Who) else Who.NONE))
    else:
        done = operations.switch_off(workflow, at)
    details = {"workflow": workflow.key, "begun": done.begun, "resumed": done.resumed, "paused": done.paused}
    record("workflow.switched_on" if is_on else "workflow.switched_off", viewer, _public_id(workflow), details, at=at)
    messages.success(request, _switched_words(workflow, done))
    return redirect("workflow", _public_id(workflow))


def _switched_words(workflow: Workflow, done: operations.Switched) -> str:
    if not workflow.is_on:
        paused = ngettext(
            "%s customer stands still where they are.", "%s customers stand still where they are.", done.paused
        )
        words = [
            gettext("'%s' is off.") % workflow.name,
            paused % format_number(done.paused),
            gettext("What it planned and has not left is held back."),
        ]
        return " ".join(words)
    begun = ngettext(
        "%s customer who was there already begins.", "%s customers who were there already begin.", done.begun
    )
    return gettext("'%s' is on.") % workflow.name + (" " + begun % format_number(done.begun) if done.begun else "")


def _public_id(workflow: Workflow) -> str:
    return to_public(Workflow.PREFIX, workflow.uid)


def _workflow_choices(viewer: Viewer) -> Choices:
    return list(Workflow.objects.order_by("name").values_list("key", "name"))


def _state_choices(viewer: Viewer) -> Choices:
    return [(state, words.capitalize()) for state, words in RUN_STATES.items()]


def _describe_state(value: str) -> str:
    return gettext("on the way or paused") if value == "on-the-way" else RUN_STATES.get(value, value)


RUNS = ListPage(
    name="runs",
    title=_("Runs"),
    columns=[
        Column("name", _("Customer"), "strong"),
        Column("workflow", _("Workflow"), value=lambda one: one.row.workflow.name, on_phone=False),
        Column("state", _("State"), "pill", value=lambda one: run_pill(one.row)),
        Column("where", _("Where, or why it ended"), value=lambda one: one.row.outcome or one.words, on_phone=False),
        Column("started", _("Entered"), "when", value=lambda one: one.row.started_at, sort="started"),
        Column("wakes", _("Goes on"), "when", value=lambda one: one.row.wake_at, sort="wakes", on_phone=False),
    ],
    filters=[
        Filter("workflow", _("Workflow"), choices=_workflow_choices),
        Filter("state", _("State"), choices=_state_choices, describe=_describe_state),
        Filter("started", _("Entered"), "date"),
        Filter("node", _("Step"), "hidden", describe=str),
        Filter("outcome", _("Ended because"), "hidden", describe=str),
        Filter("customer", _("Customer"), "hidden", describe=lambda value: gettext("one of them")),
    ],
    default_sort="-started",
    rows=queries.runs_matching,
    sorts=queries.SORTS,
    present=_present,
    by_store=True,
    href=lambda one: f"/runs/{to_public(Run.PREFIX, one.row.uid)}",
    unit=lambda n: ngettext("%s run", "%s runs", n) % format_number(n),
    empty=Empty(
        _("Nobody has been on the way yet"),
        _("A run begins when a customer enters a workflow that is on, and keeps every step with its reasons."),
        _("Workflows"),
        "/workflows",
        "route",
    ),
)


@requires("workflows.view")
def runs(request: HttpRequest) -> HttpResponseBase:
    return show_list(request, RUNS)


@requires("workflows.view", post="workflows.edit")
def one_run(request: HttpRequest, public_id: str) -> HttpResponseBase:
    viewer, at = viewer_of(request), clock.now()
    run = queries.get_run(public_id, viewer)
    if request.method == "POST":
        if operations.retry_stuck(run, at):
            record("run.retried", viewer, public_id, {}, at=at)
            messages.success(request, gettext("It is tried again within a second or two."))
        return redirect("run", public_id)
    [one] = _present([run], viewer)
    context = {
        "title": one.name,
        "sentence": _run_sentence(run, one.words, at),
        "is_yet_to_begin": _is_yet_to_begin(run, at),
        "run": run,
        "may_edit": viewer.may("workflows.edit"),
        "step_now": one.words,
        "pill": run_pill(run),
        "customer_href": queries.customer_href(run.customer),
        "workflow_href": f"/workflows/{_public_id(run.workflow)}",
        "entry": _entry_facts(run.entry),
        "steps": _steps(run),
    }
    return render(request, "workflows/run.html", context)


def _is_yet_to_begin(run: Run, at: datetime) -> bool:
    """One of many who were there already: their beginnings are spread."""
    return run.steps == 0 and run.since > at


def _run_sentence(run: Run, step: str, at: datetime) -> str:
    if run.state == "ended":
        return gettext("Went through '%(name)s'; it ended: %(why)s.") % {"name": run.workflow.name, "why": run.outcome}
    if run.state == "stuck":
        return (
            gettext("Stuck in '%s': three attempts failed. Nothing was lost; mend the cause, then try again.")
            % run.workflow.name
        )
    words = {
        "name": run.workflow.name,
        "step": step,
        "when": format_full(run.wake_at) if run.wake_at else "",
    }
    if run.state == "paused":
        return gettext("Stands still in '%(name)s', because it is switched off. Next: %(step)s.") % words
    if _is_yet_to_begin(run, at):
        return gettext("Begins '%(name)s' on %(when)s: many were there already, and do not begin all at once.") % words
    return gettext("On the way through '%(name)s'. Now: %(step)s, until %(when)s.") % words


_ENTRY = {
    "kind": _("What happened"),
    "segment": _("Segment"),
    "membership": _("Membership"),
    "snapshot": _("RFM snapshot"),
    "event": _("Event"),
    "since": _("Member since"),
}


def _entry_facts(entry: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(str(label), in_words(entry[name])) for name, label in _ENTRY.items() if name in entry]


def _steps(run: Run) -> list[dict[str, Any]]:
    """The trace in words: each step, what it decided, the values that it saw."""
    definition, names = definition_of(run.version_id), queries.names_in_use()
    effects: dict[str, NodeOutcome] = {}
    for _name, entry in CARRIERS.items():
        effects.update(entry.outcomes(run.pk))
    shown = []
    for step in queries.trace_of(run):
        node, kind = definition.nodes.get(step.node), STEPS.get(step.kind)
        shown.append(
            {
                "step": step,
                "words": node.step.describe(names) if node else step.node,
                "icon": kind.icon if kind else "point",
                "decision": "" if step.decision == "next" or step.kind == "exit" else step.decision,
                "values": [
                    {"label": question_in_words(label), "value": in_words(value), "source": source}
                    for label, value, source in step.values
                ],
                "outcome": effects.get(step.node),
            }
        )
    return shown
