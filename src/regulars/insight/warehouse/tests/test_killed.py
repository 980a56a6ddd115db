"""Real processes that die while they write the warehouse: what was published before is read, and the next run finishes the work."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from regulars.foundation.crash import KILLED
from regulars.insight.warehouse import engine, files, operations, queries
from regulars.insight.warehouse.models import WarehouseFile
from regulars.insight.warehouse.tests import shop

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def run(action: str, database_url: str, home: Path, crash_at: str = "") -> int:
    """Exit code of ``regulars warehouse`` in a process of its own."""
    environment = os.environ | {
        "DATABASE_URL": database_url,
        "REGULARS_HOME": str(home),
        "REGULARS_CRASH_AT": crash_at,
        "DJANGO_SETTINGS_MODULE": "regulars.config.settings",
    }
    command = [sys.executable, "-m", "regulars", "warehouse", action]
    return subprocess.run(command, env=environment, check=False, capture_output=True).returncode


def totals() -> list[int]:
    pinned = queries.pin()
    rows = engine.run(
        f"SELECT total FROM {pinned.relation('orders', pinned.position)} WHERE known_until > {pinned.position}"
    )
    return sorted(rows["total"].to_pylist())


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_kill_of_sync_compaction_or_pruning_leaves_what_was_published(
    database_url: str, settings: Any, tmp_path: Path
) -> None:
    settings.HOME = tmp_path
    store = shop.make_store()
    [ada] = shop.make_people(store, 1, NOW)
    shop.add_orders(store, [("1", ada, NOW, 100)])
    operations.sync(NOW)
    shop.add_orders(store, [("2", ada, NOW, 200)])

    assert run("sync", database_url, tmp_path, operations.FILES_WRITTEN) == KILLED
    assert totals() == [100]
    operations.sync(NOW)
    assert totals() == [100, 200]

    before = queries.pin()
    assert run("compact", database_url, tmp_path, operations.FILES_WRITTEN) == KILLED
    assert (queries.pin(), totals()) == (before, [100, 200])
    assert len(operations.compact(NOW - timedelta(hours=2)).paths("orders")) == 1

    assert run("prune", database_url, tmp_path, operations.PRUNING) == KILLED
    assert totals() == [100, 200]
    operations.prune(datetime.now(UTC) + timedelta(hours=2))
    assert {path.name for path in files.folder().iterdir()} == set(WarehouseFile.objects.values_list("name", flat=True))
    assert totals() == [100, 200]
