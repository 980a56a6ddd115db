"""What can be asked of workflows: definitions with their counts, runs with their trace and reasons."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.utils import timezone

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.errors import NotFound
from regulars.foundation.ids import from_public, to_public
from regulars.foundation.pages.lists import ListQuery
from regulars.foundation.pages.paging import Order
from regulars.insight.segments.queries import list_segments
from regulars.record.customers.models import Customer
from regulars.workflows.definition import Definition
from regulars.workflows.matching import in_words
from regulars.workflows.models import Run, RunState, RunStep, Workflow
from regulars.workflows.runs.deciding import definition_of
from regulars.workflows.steps.action import CARRIERS
from regulars.workflows.steps.condition import MATCHES
from regulars.workflows.steps.kinds import Names
from regulars.workflows.triggers import TRIGGERS

ON_THE_WAY = (RunState.ACTIVE, RunState.PAUSED)


@dataclass(frozen=True)
class WorkflowSummary:
    """A workflow and how many are where in it. ``sentence`` says in words what it does."""

    workflow: Workflow
    sentence: str
    on_the_way: int
    ended: int
    stuck: int
    last_entry_at: datetime | None

    @property
    def id(self) -> int:
        return self.workflow.pk

    @property
    def public_id(self) -> str:
        return to_public(Workflow.PREFIX, self.workflow.uid)

    @property
    def href(self) -> str:
        return f"/workflows/{self.public_id}"


def seen_by(rows: QuerySet[Run], viewer: Viewer) -> QuerySet[Run]:
    """Runs that began for a profile of the viewer's stores: of other stores' doings with the same customer they see nothing."""
    if viewer.store_ids is None:
        return rows
    return rows.filter(profile__store__in=viewer.store_ids)


def list_workflows(viewer: Viewer) -> list[WorkflowSummary]:
    """All workflows, those that are on first; as many queries for many as for few."""
    return _summaries(Workflow.objects.order_by("-is_on", "name"), Run.objects.all(), viewer)


def summarize(workflow: Workflow, viewer: Viewer) -> WorkflowSummary:
    return _summaries(Workflow.objects.filter(pk=workflow.pk), Run.objects.filter(workflow=workflow), viewer)[0]


def _summaries(workflows: QuerySet[Workflow], runs: QuerySet[Run], viewer: Viewer) -> list[WorkflowSummary]:
    """Counts come from the index alone, the last entry from its first row: a million runs are counted quickly."""
    newest = seen_by(Run.objects.filter(workflow=OuterRef("pk")), viewer).order_by("-started_at", "-id")
    rows = workflows.select_related("live").annotate(last_entry_at=Subquery(newest.values("started_at")[:1]))
    states: dict[int, Counter[str]] = {}
    for workflow_id, state, count in seen_by(runs, viewer).values_list("workflow_id", "state").annotate(Count("id")):
        states.setdefault(workflow_id, Counter())[state] = count
    names = names_in_use()
    return [_summary(workflow, states.get(workflow.pk, Counter()), names) for workflow in rows]


def _summary(workflow: Any, states: Counter[str], names: Names) -> WorkflowSummary:
    return WorkflowSummary(
        workflow,
        sentence_of(workflow, names),
        sum(states[state] for state in ON_THE_WAY),
        states[RunState.ENDED],
        states[RunState.STUCK],
        workflow.last_entry_at,
    )


def sentence_of(workflow: Workflow, names: Names) -> str:
    """What the live version does, in one sentence."""
    if workflow.live_id is None:
        return ""
    definition = definition_of(workflow.live_id)
    return f"{describe_trigger(definition, names)}: {definition.in_words(names)}."


def describe_trigger(definition: Definition, names: Names) -> str:
    return TRIGGERS[definition.trigger["kind"]].describe(definition.trigger, names)


class _InUse(dict[tuple[str, str], str]):
    """Conditions are put into words when they are asked for: they name themselves."""

    def __missing__(self, named: tuple[str, str]) -> str:
        if named[0] != MATCHES:
            raise KeyError(named)
        return in_words(named[1])


def names_in_use() -> Names:
    """What people call segments, templates and whatever else workflows name by key, and conditions in words."""
    found = _InUse({("segment", s.key): s.name for s in list_segments()})
    for _, carrier in CARRIERS.items():
        found.update(carrier.names())
    return found


def get_workflow(name: str) -> Workflow:
    """By public id (``wf_…``) or key. Raises NotFound."""
    by_id = name.startswith(f"{Workflow.PREFIX}_")
    wanted = {"uid": from_public(Workflow.PREFIX, name)} if by_id else {"key": name}
    found = Workflow.objects.select_related("live").filter(**wanted).first()
    if found is None:
        raise NotFound(f"There is no workflow {name[:60]}")
    return found


def lock_switched_off(run_ids: Collection[int]) -> dict[int, str]:
    """Those of these runs whose workflow is off, with its name. Held to the commit: switching on or off waits for it."""
    if not run_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.id, w.name, w.is_on FROM workflows_run r JOIN workflows_workflow w ON w.id = r.workflow_id"
            " WHERE r.id = ANY(%s) ORDER BY w.id FOR SHARE OF w",
            [sorted(run_ids)],
        )
        return {run_id: name for run_id, name, is_on in cursor.fetchall() if not is_on}


@dataclass(frozen=True)
class NodeCounts:
    """How many wait at a node, ended there, or are stuck there."""

    waiting: int = 0
    ended: int = 0
    stuck: int = 0


def count_by_node(workflow: Workflow, viewer: Viewer) -> dict[str, NodeCounts]:
    """Runs of all versions by the node where they stand or ended."""
    rows = seen_by(Run.objects.filter(workflow=workflow), viewer).values_list("node", "state").annotate(Count("id"))
    found: dict[str, Counter[str]] = {}
    for node, state, count in rows:
        found.setdefault(node, Counter())[state] += count
    return {
        node: NodeCounts(
            states[RunState.ACTIVE] + states[RunState.PAUSED], states[RunState.ENDED], states[RunState.STUCK]
        )
        for node, states in found.items()
    }


def count_entries(workflow: Workflow, since: datetime, until: datetime, viewer: Viewer) -> int:
    """Runs that began in ``since <= moment < until``."""
    rows = Run.objects.filter(workflow=workflow, started_at__gte=since, started_at__lt=until)
    return seen_by(rows, viewer).count()


def runs_matching(query: ListQuery, viewer: Viewer) -> QuerySet[Run]:
    """Runs that fit the filters of the list page."""
    rows = seen_by(Run.objects.select_related("workflow", "customer"), viewer)
    if key := query.one("workflow"):
        rows = rows.filter(workflow__key=key)
    if states := query.choices.get("state"):
        wanted = [s for s in states if s != "on-the-way"] + (list(ON_THE_WAY) if "on-the-way" in states else [])
        rows = rows.filter(state__in=wanted)
    for name in ("node", "outcome"):
        if given := query.choices.get(name):
            rows = rows.filter(**{f"{name}__in": given})
    if query.one("customer"):
        rows = rows.filter(customer=query.row_id("customer"))
    first, last = query.dates.get("started", (None, None))
    if first is not None:
        rows = rows.filter(started_at__gte=_midnight(first))
    if last is not None:
        rows = rows.filter(started_at__lt=_midnight(last + timedelta(days=1)))
    return rows


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


SORTS = {"started": Order("started_at"), "wakes": Order("wake_at", descending=False, nullable=True)}


def get_run(public_id: str, viewer: Viewer) -> Run:
    """Raises NotFound, also for the run of a customer whom the viewer may not see."""
    rows = seen_by(Run.objects.filter(uid=from_public(Run.PREFIX, public_id)), viewer)
    found = rows.select_related("workflow", "version", "customer").first()
    if found is None:
        raise NotFound(f"There is no run {public_id[:60]}")
    return found


def trace_of(run: Run) -> list[RunStep]:
    return list(RunStep.objects.filter(run=run).order_by("number"))


def runs_of_customer(customer_id: int, viewer: Viewer, before: datetime | None, limit: int) -> Sequence[Run]:
    """Runs of one customer, newest first."""
    rows = (
        seen_by(Run.objects.filter(customer=customer_id), viewer)
        .select_related("workflow")
        .order_by("-started_at", "-id")
    )
    return list((rows.filter(started_at__lt=before) if before else rows)[:limit])


def customer_href(customer: Customer) -> str:
    return f"/customers/{to_public(Customer.PREFIX, customer.uid)}"


def stats() -> dict[str, int]:
    """Runs by state, for ``regulars stats``."""
    return dict(Run.objects.values_list("state").annotate(Count("id")).order_by("state"))
