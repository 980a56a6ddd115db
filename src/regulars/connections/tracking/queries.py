"""What can be asked of tracking keys and of what was refused under them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet, Sum

from regulars.connections.tracking.models import Refusal, TrackingKey
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.errors import InvalidInput, NotFound
from regulars.foundation.shop.models import Store

SHOWN_DAYS = 30
MOST_SHOWN = 200


@dataclass(frozen=True)
class Listed:
    """A key with the calls of the last thirty days that were not recorded under it, and that were recorded with a mark."""

    key: TrackingKey
    refused: int
    marked: int


def list_keys(viewer: Viewer, at: datetime) -> list[Listed]:
    """Keys of the viewer's stores, living ones first, then the newest."""
    rows = TrackingKey.objects.select_related("store")
    if viewer.store_ids is not None:
        rows = rows.filter(store__in=viewer.store_ids)
    since = (at - timedelta(days=SHOWN_DAYS)).date()
    sums = (
        Refusal.objects.filter(key__in=rows, day__gte=since).values_list("key_id", "is_recorded").annotate(Sum("count"))
    )
    counts = {(key, is_recorded): count for key, is_recorded, count in sums}
    ordered = sorted(rows, key=lambda key: (key.revoked_at is not None, -key.pk))
    return [Listed(key, counts.get((key.pk, False), 0), counts.get((key.pk, True), 0)) for key in ordered]


def get_key(key_id: int, viewer: Viewer) -> TrackingKey:
    """Raises NotFound, also for a key of a store that the viewer does not see."""
    key = TrackingKey.objects.select_related("store").filter(pk=key_id).first()
    if key is None or not viewer.sees_store(key.store_id):
        raise NotFound("There is no such key.")
    return key


def list_refusals(key: TrackingKey) -> QuerySet[Refusal]:
    """Newest day first, the most frequent reason of a day first."""
    return key.refusals.order_by("-day", "-count", "pk")[:MOST_SHOWN]


def list_stores(viewer: Viewer) -> list[Store]:
    return [store for store in Store.objects.order_by("name") if viewer.sees_store(store.pk)]


def get_store(code: str, viewer: Viewer) -> Store:
    """Raises InvalidInput for a store that there is not, or that the viewer does not see."""
    found = next((store for store in list_stores(viewer) if store.code == code), None)
    if found is None:
        raise InvalidInput("Choose the store that the key is for.")
    return found
