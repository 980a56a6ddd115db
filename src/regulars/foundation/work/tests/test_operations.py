from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.errors import Conflict
from regulars.foundation.work.jobs import rescue_stalled_jobs
from regulars.foundation.work.loops import Stop
from regulars.foundation.work.models import Task
from regulars.foundation.work.operations import enqueue, fail, finish, mark_seen, progress, start_task
from regulars.foundation.work.queries import count_unseen, list_tasks_for_bell

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def rows(statement: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def test_a_job_is_asked_for_in_the_callers_transaction() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        enqueue("imports.apply", import_id=7)
        raise ZeroDivisionError
    assert rows("SELECT count(*) FROM procrastinate_jobs") == [(0,)]
    number = enqueue("imports.apply", lock="store-1", import_id=7)
    assert rows("SELECT id, task_name, lock, args, status::text FROM procrastinate_jobs") == [
        (number, "imports.apply", "store-1", '{"import_id": 7}', "todo")
    ]


def test_once_keeps_the_callers_transaction_usable() -> None:
    with transaction.atomic():
        first = enqueue("rfm.compute", once="rfm")
        assert enqueue("rfm.compute", once="rfm") is None
        second = enqueue("rfm.compute", once="rfm:store-2")
    assert rows("SELECT id FROM procrastinate_jobs ORDER BY id") == [(first,), (second,)]


def test_jobs_of_a_killed_worker_are_taken_up_and_a_poisonous_one_is_given_up() -> None:
    enqueue("good")
    enqueue("deadly")
    rows("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 minute') RETURNING id")
    rows(
        "UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT max(id) FROM procrastinate_workers), "
        "attempts = CASE task_name WHEN 'deadly' THEN 2 ELSE 0 END RETURNING id"
    )
    rescue_stalled_jobs(Stop(), AT)
    assert rows("SELECT task_name, status::text, attempts FROM procrastinate_jobs ORDER BY task_name") == [
        ("deadly", "failed", 3),
        ("good", "todo", 1),
    ]


def test_a_job_of_a_living_worker_is_left_alone() -> None:
    enqueue("good")
    rows("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now()) RETURNING id")
    rows(
        "UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT max(id) FROM procrastinate_workers) RETURNING id"
    )
    rescue_stalled_jobs(Stop(), AT)
    assert rows("SELECT status::text, attempts FROM procrastinate_jobs") == [("doing", 0)]


def test_the_bell_follows_a_piece_of_work_from_waiting_to_done() -> None:
    task = start_task("import", "Import of orders.csv", AT, staff_id=5, total=100)
    assert Task.objects.values_list("state", "started_at", "done").get(pk=task) == ("waiting", None, 0)
    progress(task, AT + timedelta(seconds=1), done=40)
    progress(task, AT + timedelta(seconds=2), done=90)
    assert Task.objects.values_list("state", "started_at", "done", "total").get(pk=task) == (
        "running",
        AT + timedelta(seconds=1),
        90,
        100,
    )
    assert count_unseen(5) == 1
    finish(task, AT + timedelta(seconds=3), "90 orders came in.", link="/imports/1")
    assert Task.objects.values_list("state", "ended_at", "total", "sentence", "link").get(pk=task) == (
        "done",
        AT + timedelta(seconds=3),
        90,
        "90 orders came in.",
        "/imports/1",
    )
    assert mark_seen(5, AT + timedelta(seconds=4)) == 1
    assert count_unseen(5) == 0
    assert [entry.pk for entry in list_tasks_for_bell(Viewer(5, frozenset()))] == [task]
    assert list(list_tasks_for_bell(Viewer(6, frozenset()))) == []


def test_what_has_ended_stays_as_it_ended() -> None:
    task = start_task("import", "Import", AT)
    fail(task, AT, "The file is empty.")
    finish(task, AT, "All is well.")
    with pytest.raises(Conflict):
        progress(task, AT, done=5)
    assert Task.objects.values_list("state", "sentence", "done", "started_at").get(pk=task) == (
        "failed",
        "The file is empty.",
        0,
        None,
    )
