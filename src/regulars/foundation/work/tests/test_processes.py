"""Workers as processes of their own, asked to end, killed and frozen."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from regulars.foundation.supervisor.processes import end_with_parent
from regulars.foundation.work.models import Lease
from regulars.foundation.work.operations import enqueue

pytestmark = pytest.mark.django_db(transaction=True)

WORKER = """
import sys, django
django.setup()
from regulars.foundation.work.jobs import jobs
from regulars.foundation.work.operations import finish

@jobs.task(name="test.finish")
def finish_it(task_id):
    from regulars.foundation.clock import now
    finish(task_id, now(), "done by a worker")

from regulars.foundation.work.worker import run_worker
sys.exit(0 if run_worker(frozenset({"jobs", "work.rescue"})) else 1)
"""

OWNER = """
import sys, time, threading, django
django.setup()
from django.db import connection, transaction
from regulars.foundation.work import loops

loops.LEASE_SECONDS = 1.0
owner = sys.argv[1]

def batch(stop, at):
    print("begins", flush=True)
    time.sleep(0.4)
    with transaction.atomic(), connection.cursor() as cursor:
        stop.check_fence()
        cursor.execute("INSERT INTO written (owner, fence) VALUES (%s, %s)", [owner, stop.held.fence])
    return True

loops.drive("frozen", loops.Loop(batch, "test", is_exclusive=True), owner, threading.Event())
"""


def until(holds: Callable[[], bool], seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return holds()


def rows(statement: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


@pytest.fixture
def start(process_environment: dict[str, str]) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    started: list[subprocess.Popen[str]] = []

    def start(program: str, *arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", program, *arguments]
        process = subprocess.Popen(
            command,
            env=process_environment,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=end_with_parent(),  # noqa: PLW1509  an interrupted run must leave no worker behind
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_worker_does_its_job_and_ends_when_it_is_asked(start: Callable[..., "subprocess.Popen[str]"]) -> None:
    task = rows(
        "INSERT INTO work_task (uid, kind, title, state, done, unit, sentence, link, created_at) "
        "VALUES (gen_random_uuid(), 'test', 'Test', 'waiting', 0, 'rows', '', '', now()) RETURNING id"
    )[0][0]
    enqueue("test.finish", task_id=task)
    worker = start(WORKER)
    assert until(lambda: rows("SELECT state, sentence FROM work_task") == [("done", "done by a worker")])
    assert until(lambda: rows("SELECT count(*) FROM procrastinate_jobs") == [(0,)])
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(15) == 0
    assert Lease.objects.get(name="loop:work.rescue").until.year == 1970  # handed back, so that the next has it at once


def test_a_killed_owner_is_followed_once_its_lease_has_ended(start: Callable[..., "subprocess.Popen[str]"]) -> None:
    rows("CREATE TABLE written (id bigint GENERATED ALWAYS AS IDENTITY, owner text, fence bigint)")
    try:
        first = start(OWNER, "a")
        assert until(lambda: rows("SELECT 1 FROM written LIMIT 1") == [(1,)])
        start(OWNER, "b")
        first.kill()
        assert until(lambda: rows("SELECT 1 FROM written WHERE owner = 'b' LIMIT 1") == [(1,)])
        assert rows("SELECT DISTINCT owner, fence FROM written ORDER BY fence") == [("a", 1), ("b", 2)]
    finally:
        rows("DROP TABLE written")


def test_a_frozen_owner_that_wakes_after_a_take_over_writes_nothing(
    start: Callable[..., "subprocess.Popen[str]"],
) -> None:
    rows("CREATE TABLE written (id bigint GENERATED ALWAYS AS IDENTITY, owner text, fence bigint)")
    try:
        first = start(OWNER, "a")
        assert first.stdout is not None
        assert until(lambda: rows("SELECT 1 FROM written LIMIT 1") == [(1,)])
        assert first.stdout.readline() == "begins\n"
        while first.stdout.readline() and rows("SELECT count(*) < 2 FROM written") == [(True,)]:
            continue
        os.kill(first.pid, signal.SIGSTOP)  # within the pause of a batch, outside its transaction
        before = rows("SELECT count(*) FROM written WHERE owner = 'a'")
        start(OWNER, "b")
        assert until(lambda: rows("SELECT 1 FROM written WHERE owner = 'b' LIMIT 1") == [(1,)])
        os.kill(first.pid, signal.SIGCONT)
        time.sleep(2)
        assert rows("SELECT count(*) FROM written WHERE owner = 'a'") == before
        assert rows("SELECT DISTINCT owner, fence FROM written ORDER BY fence") == [("a", 1), ("b", 2)]
    finally:
        rows("DROP TABLE written")
