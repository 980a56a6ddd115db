"""Real processes that die at the named points: what they leave is readable, and the next run finishes the work once."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from regulars.foundation.crash import KILLED
from regulars.insight.rfm.models import RfmScore
from regulars.insight.rfm.rules import SEGMENTS
from regulars.insight.segments import operations
from regulars.insight.segments.models import Membership, Segment
from regulars.insight.warehouse import files, queries
from regulars.insight.warehouse import operations as warehouse
from regulars.insight.warehouse.models import WarehouseFile
from regulars.insight.warehouse.tests import shop
from regulars.record.events.models import Event

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def refresh(database_url: str, home: Path, crash_at: str = "") -> int:
    """Exit code of ``regulars segments refresh`` in a process of its own."""
    environment = os.environ | {
        "DATABASE_URL": database_url,
        "REGULARS_HOME": str(home),
        "REGULARS_CRASH_AT": crash_at,
        "DJANGO_SETTINGS_MODULE": "regulars.config.settings",
    }
    command = [sys.executable, "-m", "regulars", "segments", "refresh"]
    return subprocess.run(command, env=environment, check=False, capture_output=True).returncode


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_process_killed_at_each_point_leaves_work_that_the_next_run_finishes_once(
    database_url: str, settings: Any, tmp_path: Path
) -> None:
    settings.HOME = tmp_path
    store = shop.make_store()
    people = shop.make_people(store, 30, NOW - timedelta(days=400))
    shop.add_orders(
        store, [(str(n), p, NOW - timedelta(days=3 * n), 100 * n) for n, p in enumerate(people)], is_history=True
    )

    assert refresh(database_url, tmp_path, warehouse.FILES_WRITTEN) == KILLED
    assert (queries.pin().position, Membership.objects.count(), WarehouseFile.objects.count()) == (0, 0, 0)
    strays = {path.name for path in files.folder().iterdir()}
    assert len(strays) == 3

    assert refresh(database_url, tmp_path, operations.BETWEEN_CHUNKS) == KILLED
    assert Membership.objects.count() == 30
    assert Segment.objects.filter(computed_at=None).count() == 11

    assert refresh(database_url, tmp_path) == 0
    assert Segment.objects.filter(computed_at=None).count() == 0
    assert Membership.objects.filter(is_initial=True).count() == Membership.objects.filter(left_at=None).count() == 30
    assert Event.objects.filter(kind="segment.entered", is_history=True).count() == 30
    newest = RfmScore.objects.order_by("-snapshot_id").values_list("snapshot_id", flat=True)[0]
    scored = {
        (c, SEGMENTS[n].value)
        for c, n in RfmScore.objects.filter(snapshot=newest).values_list("customer_id", "segment")
    }
    assert set(Membership.objects.values_list("customer_id", "segment__key")) == scored

    warehouse.prune(datetime.now(UTC) + timedelta(hours=2))
    assert not strays & {path.name for path in files.folder().iterdir()}
