"""Workflows: list, get and write."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from ninja import Query, Router, Schema

from regulars.foundation import clock
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.api.access import caller, needs
from regulars.foundation.api.fields import Strict
from regulars.foundation.api.idempotency import idempotent
from regulars.foundation.api.paging import Page, PageQuery, take
from regulars.foundation.api.problems import ERRORS
from regulars.foundation.audit.operations import record
from regulars.foundation.errors import NotFound
from regulars.foundation.ids import from_public, to_public
from regulars.workflows.models import Run, Workflow
from regulars.workflows.operations import save_version
from regulars.workflows.queries import seen_by

router = Router(tags=["workflows"])
ROUTERS = {"/workflows": router}


class WorkflowOut(Schema):
    """A workflow; ``runs`` counts its runs by state, ``version`` is what new entries start on."""

    id: str
    key: str
    name: str
    is_on: bool
    version: int | None
    created_at: datetime
    switched_at: datetime | None
    runs: dict[str, int]


class WorkflowDetail(WorkflowOut):
    """A workflow with the definition of its version."""

    definition: Any


@router.get("", auth=needs("workflows:read"), response={200: Page[WorkflowOut], **ERRORS}, summary="List workflows")
def list_workflows(request: HttpRequest, query: Query[PageQuery]) -> Page[WorkflowOut]:
    found, following = take(Workflow.objects.select_related("live"), query)
    runs = _runs([workflow.pk for workflow in found], caller(request))
    return Page[WorkflowOut](items=[WorkflowOut(**_columns(workflow, runs)) for workflow in found], next=following)


@router.get(
    "/{workflow_id}", auth=needs("workflows:read"), response={200: WorkflowDetail, **ERRORS}, summary="Get a workflow"
)
def one_workflow(request: HttpRequest, workflow_id: str) -> WorkflowDetail:
    workflow = _find(Workflow.objects.select_related("live"), workflow_id)
    runs = _runs([workflow.pk], caller(request))
    return WorkflowDetail(**_columns(workflow, runs), definition=workflow.live.definition if workflow.live else None)


class DefinitionIn(Strict):
    """What a workflow is (docs/workflows.md)."""

    definition: dict[str, Any]


@router.put(
    "/{workflow_id}/definition",
    auth=needs("workflows:write"),
    response={200: WorkflowDetail, **ERRORS},
    summary="Write a workflow",
)
@idempotent
def write(request: HttpRequest, workflow_id: str, payload: DefinitionIn) -> tuple[int, WorkflowDetail]:
    """The next version of a workflow (by id or key), which new entries start on; runs on their way keep theirs. An equal one makes none."""
    workflow, viewer = _find(Workflow.objects.all(), workflow_id), caller(request)
    with transaction.atomic():
        version = save_version(workflow.key, payload.definition, viewer.staff_id, clock.now())
        record(
            "workflow.written",
            viewer,
            to_public(Workflow.PREFIX, workflow.uid),
            {"version": version.number},
            at=clock.now(),
        )
    return 200, one_workflow(request, workflow_id)


def _find(rows: QuerySet[Workflow], workflow_id: str) -> Workflow:
    """By public id (``wf_…``) or key. Raises NotFound."""
    is_id = workflow_id.startswith(f"{Workflow.PREFIX}_")
    rows = (
        rows.filter(uid=from_public(Workflow.PREFIX, workflow_id))
        if is_id
        else rows.filter(key=workflow_id.replace("\x00", ""))
    )
    workflow = rows.first()
    if workflow is None:
        raise NotFound(f"There is no workflow {workflow_id[:60]}.")
    return workflow


def _runs(workflow_ids: list[int], viewer: Viewer) -> dict[int, dict[str, int]]:
    rows = seen_by(Run.objects.filter(workflow__in=workflow_ids), viewer)
    found: dict[int, dict[str, int]] = {workflow_id: {} for workflow_id in workflow_ids}
    for workflow_id, state, count in rows.values_list("workflow_id", "state").annotate(Count("id")):
        found[workflow_id][state] = count
    return found


def _columns(workflow: Workflow, runs: dict[int, dict[str, int]]) -> dict[str, Any]:
    return {
        "id": to_public(Workflow.PREFIX, workflow.uid),
        "key": workflow.key,
        "name": workflow.name,
        "is_on": workflow.is_on,
        "version": workflow.live.number if workflow.live else None,
        "created_at": workflow.created_at,
        "switched_at": workflow.switched_at,
        "runs": runs[workflow.pk],
    }
