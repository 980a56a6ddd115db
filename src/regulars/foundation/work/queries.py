"""What can be asked about long work: the bell, and the state of the loops."""

from uuid import UUID

from django.db.models import Q, QuerySet

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.work.models import Task


def list_tasks_for_bell(viewer: Viewer, limit: int = 20) -> QuerySet[Task]:
    """Newest long work that this member of staff began; and what nobody in particular began, which is of all stores."""
    theirs = Q(staff_id=viewer.staff_id) if viewer.staff_id is not None else Q(pk__in=[])
    whole = Q(staff_id__isnull=True) if viewer.store_ids is None else Q(pk__in=[])
    return Task.objects.filter(theirs | whole).order_by("-created_at", "-pk")[:limit]


def find_task(uid: UUID) -> Task | None:
    return Task.objects.filter(uid=uid).first()


def count_unseen(staff_id: int) -> int:
    """Work of theirs that runs, or has ended since they last looked."""
    mine = Task.objects.filter(staff_id=staff_id)
    return mine.filter(Q(state__in=("waiting", "running")) | Q(seen_at__isnull=True)).count()
