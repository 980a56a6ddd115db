"""Ways of a person through workflows: running ones end, what was looked at goes, that they took place stays."""

from datetime import datetime

from django.db.models import Q

from regulars.foundation.privacy import SubjectData, keep, register
from regulars.foundation.subjects import exported
from regulars.record.customers.queries import customers_of
from regulars.workflows.models import Effect, Run, RunState, RunStep

OUTCOME = "erased"


def _runs(profile_ids: list[int]) -> Q:
    return Q(profile__in=profile_ids) | Q(customer__in=set(customers_of(profile_ids).values()))


def _erase_runs(profile_ids: list[int], at: datetime) -> int:
    of_person = Run.objects.filter(_runs(profile_ids))
    of_person.exclude(state=RunState.ENDED).update(
        state=RunState.ENDED, outcome=OUTCOME, wake_at=None, ended_at=at, lease_until=None
    )
    return of_person.update(problem="", entry={})


register(
    SubjectData(
        "workflows_run",
        lambda ids: exported(Run.objects.filter(_runs(ids)).order_by("pk")),
        _erase_runs,
        "that a number went through a workflow, and how it ended",
    )
)
register(
    SubjectData(
        "workflows_runstep",
        lambda ids: exported(
            RunStep.objects.filter(run__in=Run.objects.filter(_runs(ids))).select_related("run").order_by("pk"),
            "run.profile_id",
        ),
        lambda ids, at: RunStep.objects.filter(run__in=Run.objects.filter(_runs(ids))).update(values=[]),
        "which steps it took",
    )
)
register(
    SubjectData(
        "workflows_effect",
        lambda ids: exported(
            Effect.objects.filter(run__in=Run.objects.filter(_runs(ids))).select_related("run").order_by("at"),
            "run.profile_id",
        ),
        keep,
        "keys of what its steps did, so that nothing is done twice",
    )
)
