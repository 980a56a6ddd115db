"""A batch that others made fail is applied again as a whole; the summary still adds up to the file."""

import time
from collections import Counter
from functools import partial
from typing import Any

import pytest

from regulars.connections.files.models import Import
from regulars.connections.files.operations import apply_import, applying
from regulars.connections.files.operations.writing import write
from regulars.connections.files.tests.conftest import AT, Importer
from regulars.foundation.bulk import fetch
from regulars.foundation.inbox.models import Frame
from regulars.foundation.retrying import RETRIES, Busy, Overtaken
from regulars.record.customers.models import Profile
from regulars.record.events.models import Batch

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = "Email,First Name\n" + "".join(f"p{n}@x.example,P{n}\n" for n in range(5))


def failing(times: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The record takes each batch and then fails, so many times."""
    tried: list[int] = []

    def overtaken(*args: Any) -> Counter[str]:
        gained = write(*args)
        tried.append(1)
        if len(tried) <= times:
            raise Overtaken
        return gained

    monkeypatch.setattr(applying, "write", overtaken)
    return tried


def test_it_is_applied_once_in_the_end(stage: Importer, monkeypatch: pytest.MonkeyPatch) -> None:
    row = stage(PEOPLE, "customers")
    tried = failing(2, monkeypatch)
    done = apply_import(row.pk, lambda: AT)
    assert (len(tried), Profile.objects.count(), done.counts["rows_taken"]) == (3, 5, 5)
    assert Batch.objects.filter(source="import").count() == 2  # the rows, and the last word
    assert not Frame.objects.exists()


def test_it_can_be_continued_after_the_last_attempt(stage: Importer, monkeypatch: pytest.MonkeyPatch) -> None:
    row = stage(PEOPLE, "customers")
    with monkeypatch.context() as patched:
        failing(RETRIES + 1, patched)
        with pytest.raises(Busy):
            apply_import(row.pk, lambda: AT)
    assert Profile.objects.count() == 0
    row.refresh_from_db()
    assert (row.state, row.units_applied, row.sentence) == ("failed", 0, Busy().sentence)
    assert apply_import(row.pk, lambda: AT).counts["rows_taken"] == 5


def test_the_reading_thread_leaves_no_connection_behind(stage: Importer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the import is stopped while the thread is ahead of it."""
    own = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
    before = fetch(own, [])
    monkeypatch.setattr(applying, "_FEWEST_ROWS", 1)
    monkeypatch.setattr(applying, "Pace", partial(applying.Pace, rows=1))
    rows, seen = stage(PEOPLE, "customers"), []

    def stop(row: Import) -> None:
        seen.append(fetch(own, []))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply_import(rows.pk, lambda: AT, stop)
    assert seen == [[(before[0][0] + 1,)]]
    end = time.monotonic() + 10
    while fetch(own, []) != before and time.monotonic() < end:  # PostgreSQL takes a moment to end its side
        time.sleep(0.01)
    assert fetch(own, []) == before
    assert apply_import(rows.pk, lambda: AT).counts["rows_taken"] == 5
