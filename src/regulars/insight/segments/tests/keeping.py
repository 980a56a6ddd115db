"""A shop whose segments are kept right: orders, a segment, its refresh, what its reader hears, and what became of it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from regulars.foundation.shop.models import Store
from regulars.insight.conditions.reading import read_condition
from regulars.insight.segments.models import Membership, Segment
from regulars.insight.segments.operations import refreshing, saving
from regulars.insight.segments.readers import CONDITIONS
from regulars.insight.warehouse.tests import shop
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.events.log import transaction
from regulars.record.events.models import Event
from regulars.record.events.readers import catch_up, waiting_shards
from regulars.record.orders.inputs import LineInput, OrderInput
from regulars.record.orders.operations import apply_orders

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TWICE = {"of": "orders", "window": {"last": {"days": 30}}, "op": "ge", "value": 2}


@pytest.fixture(autouse=True)
def own_folder(settings: Any, tmp_path: Path) -> None:
    settings.HOME = tmp_path


@pytest.fixture
def store() -> Store:
    return shop.make_store()


numbers: Iterator[int] = iter(range(10**6))


def order(store: Store, who: str, at: datetime, total: int = 10, *, is_history: bool = False) -> None:
    person = PersonInput((IdentityInput(IdentityKind.EMAIL, f"{who}@shop.example"),), at, store.pk)
    line = LineInput("MUG", "Mug", 1, Decimal(total), "mug")
    with transaction("test", "t") as log:
        told = OrderInput(str(next(numbers)), at, "GBP", (line,), person)
        apply_orders([told], log, store_id=store.pk, at=at, is_history=is_history)


def segment(condition: dict[str, Any] = TWICE, name: str = "Twice", at: datetime = NOW) -> Segment:
    made = saving.create_segment(name, read_condition(condition), None, at)
    refresh(made, at)
    return Segment.objects.get(pk=made.pk)


def refresh(one: Segment, at: datetime) -> refreshing.Refreshed:
    return refreshing.refresh(Segment.objects.get(pk=one.pk), lambda: at)


def hear(at: datetime) -> None:
    """Also what the reader itself tells."""
    while waiting_shards(CONDITIONS):
        catch_up([CONDITIONS], at)


def members(one: Segment) -> int:
    return Membership.objects.filter(segment=one, left_at=None).count()


def told(one: Segment) -> list[tuple[str, str, bool]]:
    rows = Event.objects.filter(kind__startswith="segment.", subject_id=one.pk).order_by("position")
    return [(e.kind.removeprefix("segment."), e.data["cause"], e.is_history) for e in rows]
