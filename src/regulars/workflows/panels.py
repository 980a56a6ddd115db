"""Workflows in the navigation, the search and the timeline."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.ids import to_public
from regulars.foundation.pages.registries import (
    FINDINGS,
    NAVIGATION,
    SEARCH,
    TIMELINE,
    Finding,
    FindingSource,
    Group,
    NavigationEntry,
    Reason,
    SearchHit,
    SearchSource,
    TimelineEntry,
    TimelineKind,
)
from regulars.insight.segments.uses import USES, Use
from regulars.record.lists.uses import USES as USES_OF_LISTS
from regulars.record.lists.uses import Use as UseOfList
from regulars.record.own_events.uses import USES as USES_OF_PROPERTIES
from regulars.record.own_events.uses import Use as UseOfProperty
from regulars.workflows.labels import in_words
from regulars.workflows.models import Run, RunState, Workflow, WorkflowVersion
from regulars.workflows.queries import list_workflows, runs_of_customer, seen_by


def find(text: str, viewer: Viewer, limit: int) -> list[SearchHit]:
    rows = Workflow.objects.filter(name__icontains=text).order_by("name")[:limit]
    return [
        SearchHit(
            w.name,
            gettext("On") if w.is_on else gettext("Off"),
            f"/workflows/{to_public(Workflow.PREFIX, w.uid)}",
            "route",
        )
        for w in rows
    ]


def load_runs(customer_id: int, viewer: Viewer, before: datetime | None, limit: int) -> Sequence[TimelineEntry]:
    return [_entry(run) for run in runs_of_customer(customer_id, viewer, before, limit)]


def _entry(run: Run) -> TimelineEntry:
    where = run.outcome if run.state == RunState.ENDED else gettext("on the way")
    why = [Reason(gettext("Because"), str(in_words(run.entry["kind"])))] if "kind" in run.entry else []
    if segment := run.entry.get("segment"):
        why.append(Reason(gettext("Segment"), str(segment), f"/segments/{segment}"))
    href = f"/runs/{to_public(Run.PREFIX, run.uid)}"
    title = gettext("Entered '%s'") % run.workflow.name
    return TimelineEntry(f"run-{run.pk}", "workflow", run.started_at, title, where, href, why=tuple(why))


def look(viewer: Viewer, at: datetime) -> list[Finding]:
    """What home should say of workflows: something is stuck, or nothing is on yet."""
    stuck = seen_by(Run.objects.filter(state=RunState.STUCK), viewer).count()
    if stuck:
        sentence = gettext("%d runs of workflows are stuck after three attempts each.") % stuck
        return [Finding(sentence, gettext("Look at them"), "/runs?state=stuck", 90, stuck, "/runs?state=stuck")]
    if not any(w.workflow.is_on for w in list_workflows(viewer)):
        sentence = gettext("No workflow is on: nobody who goes quiet is written to.")
        return [Finding(sentence, gettext("Choose a workflow"), "/workflows", 60)]
    return []


NAVIGATION.register(
    "workflows",
    NavigationEntry(Group.AUTOMATE, _("Workflows"), "workflows", "route", "workflows.view", order=10, at_hand=True),
)
SEARCH.register("workflows", SearchSource(_("Workflows"), "workflows.view", find, "/workflows", order=50))
TIMELINE.register(
    "workflow", TimelineKind(_("Workflows"), "route", "workflows.view", load_runs, order=40, opens=_("Open the run"))
)
FINDINGS.register("workflows", FindingSource("workflows.view", look))


def find_uses(key: str) -> list[Use]:
    """Workflows whose live definition names the segment: as what they begin with, or in a condition."""
    live = Workflow.objects.select_related("live").exclude(live=None)
    wanted = [w for w in live if w.live and key in _named(w.live.definition, "segment")]
    return [
        Use(
            gettext("Workflow"),
            w.name,
            f"/workflows/{to_public(Workflow.PREFIX, w.uid)}",
            w.is_on,
            begins=w.live is not None and w.live.definition["trigger"].get("segment") == key,
        )
        for w in wanted
    ]


def _named(part: Any, what: str) -> Iterator[str]:
    """Keys of segments or lists: by themselves, or as what a filter of a condition compares with."""
    if isinstance(part, dict):
        named = part.get("value") if part.get("field") == what else part.get(what)
        yield from (key for key in (named if isinstance(named, list) else [named]) if isinstance(key, str))
        parts: Iterable[Any] = part.values()
    else:
        parts = part if isinstance(part, list) else ()
    for one in parts:
        yield from _named(one, what)


def find_uses_of_lists() -> Iterator[UseOfList]:
    """Workflows whose live definition asks for a list."""
    for workflow in Workflow.objects.select_related("live").exclude(live=None):
        for key in set(_named(workflow.live and workflow.live.definition, "list")):
            href = f"/workflows/{to_public(Workflow.PREFIX, workflow.uid)}"
            yield UseOfList(key, gettext("Workflow"), workflow.name, href)


def find_uses_of_property(field: str) -> list[UseOfProperty]:
    """Workflows whose conditions ask for a declared property: the live version, and those that runs are still on."""
    on_the_way = Run.objects.exclude(state=RunState.ENDED).values("version")
    versions = WorkflowVersion.objects.annotate(written=Cast("definition", TextField()))
    asking = versions.filter(
        Q(pk__in=Workflow.objects.values("live")) | Q(pk__in=on_the_way), written__contains=f'"{field}"'
    )
    rows = Workflow.objects.filter(pk__in=asking.values("workflow")).order_by("name")
    return [UseOfProperty(gettext("Workflow"), w.name, f"/workflows/{to_public(Workflow.PREFIX, w.uid)}") for w in rows]


USES.register("workflows", find_uses)
USES_OF_LISTS.register("workflows", find_uses_of_lists)
USES_OF_PROPERTIES.register("workflows", find_uses_of_property)
