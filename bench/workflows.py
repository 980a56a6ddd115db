"""Workflow steps, each with its trace and a queued message, beside the same rows moved by bare SQL; and runs that are asleep.

Each run takes four steps at its turn (the wait is over, the segment is asked, a mail is planned, the end) and leaves four lines of trace,
an effect, a message, an event and its own new state. The limit writes the same rows and columns under the same constraints, in batches
of the same size, from within the database and without deciding anything.
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from bench import Figure, Scale, against
from regulars.foundation.shop.models import Brand, Store
from regulars.insight.segments.operations import ensure_rfm_segments
from regulars.messages.library import install
from regulars.workflows.models import Workflow
from regulars.workflows.runs.driving import step_runs, work_off

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
BATCH = 500
STEPS = 4
_RUNS, _ASLEEP = 40_000, 1_000_000
_GOAL = "5,000 a second and 0.12 of bare SQL"

_PEOPLE = """
INSERT INTO events_batch (source, reference) VALUES ('bench', '');
INSERT INTO customers_customer (uid, created_at) SELECT gen_random_uuid(), '2026-01-01' FROM generate_series(1, {count});
INSERT INTO customers_identity (kind, scope, token) SELECT 'email', '', decode(md5(n::text), 'hex') FROM generate_series(1, {count}) n;
INSERT INTO customers_profile (store_id, named_by_id, occurred_at, batch_id)
SELECT (SELECT min(id) FROM shop_store), i.id, '2026-01-01', (SELECT min(id) FROM events_batch) FROM customers_identity i ORDER BY i.id;
INSERT INTO customers_customerprofile (profile_id, customer_id, from_batch_id)
SELECT p.id, p.id - (SELECT min(id) FROM customers_profile) + (SELECT min(id) FROM customers_customer), p.batch_id FROM customers_profile p;
INSERT INTO segments_membership (segment_id, profile_id, customer_id, entered_at, is_initial, reason, batch_id)
SELECT s.id, m.profile_id, m.customer_id, '2026-11-01', false, '{{}}', m.from_batch_id
FROM customers_customerprofile m, segments_segment s WHERE s.key = 'at-risk';
"""
_BEGIN = """
INSERT INTO workflows_run (uid, workflow_id, version_id, customer_id, profile_id, entry_key, entry, slot, state, outcome, node, since, steps,
    visits, wake_at, started_at, lease_owner, fence, failures, problem, batch_id)
SELECT gen_random_uuid(), w.id, w.live_id, m.customer_id, m.profile_id, %(key)s, '{}', %(key)s, 'active', '', 'wait', %(since)s, 0, '{}',
    %(wake)s, %(since)s, '', 0, 0, '', m.from_batch_id
FROM customers_customerprofile m, workflows_workflow w WHERE w.key = 'win-back' ORDER BY m.id LIMIT %(count)s
"""
_MOVE = """
WITH due AS (
    SELECT id FROM workflows_run WHERE state = 'active' AND wake_at <= %(at)s ORDER BY wake_at, id LIMIT %(size)s FOR UPDATE SKIP LOCKED
), moved AS (
    UPDATE workflows_run r SET state = 'ended', outcome = 'completed', node = 'written-to', since = %(at)s, steps = 4,
        visits = '{"mail": 1}', wake_at = NULL, ended_at = %(at)s, fence = fence + 1
    FROM due WHERE r.id = due.id RETURNING r.id, r.uid, r.customer_id, r.profile_id
), trace AS (
    INSERT INTO workflows_runstep (run_id, number, node, kind, decision, values, at, batch_id)
    SELECT m.id, s.number, s.node, s.kind, s.decision, s.seen::jsonb, %(at)s, 1 FROM moved m, (VALUES
        (1, 'wait', 'wait', 'next', '[["waited since", "2026-11-18T09:00:00+00:00", "arrival at this step"],
            ["was due", "2026-11-20T09:00:00+00:00", "rule"]]'),
        (2, 'still-at-risk', 'condition', 'yes', '[["segment.member (segment at-risk)", true, "membership 123456"]]'),
        (3, 'mail', 'send_mail', 'next', '[]'), (4, 'written-to', 'exit', 'completed', '[]')) s(number, node, kind, decision, seen)
), effects AS (
    INSERT INTO workflows_effect (key, run_id, step, node, action, at)
    SELECT decode(md5(m.uid::text), 'hex'), m.id, 3, 'mail', 'send_mail', %(at)s FROM moved m
), messages AS (
    INSERT INTO outbox_message (uid, effect_key, run_id, node, customer_id, profile_id, brand_id, template_id, channel, topic, is_marketing,
        state, reason, sentence, planned_at, due_at, expires_at, attempts, lease_owner, fence, reply)
    SELECT gen_random_uuid(), decode(md5(m.uid::text), 'hex'), m.id, 'mail', m.customer_id, m.profile_id, (SELECT min(id) FROM shop_brand),
        (SELECT min(id) FROM outbox_messagetemplate), 'email', 'marketing', true, 'planned', '', '', %(at)s, %(at)s,
        %(at)s + interval '3 days', 0, '', 0, '' FROM moved m
)
INSERT INTO events_event (position, recorded_at, occurred_at, kind, batch_id, profile_id, shard, subject_id, is_history, data)
SELECT nextval('events_position'), now(), %(at)s, 'run.ended', 1, m.profile_id, m.customer_id %% 16, m.id, false,
    '{"workflow": "win-back", "outcome": "completed"}' FROM moved m
"""


def run(scale: Scale) -> list[Figure]:
    """Steps a second by one worker and by two, and what a million sleeping runs cost a worker that looks for work."""
    count = scale.of(_RUNS, 2_000)
    asleep = scale.of(_ASLEEP, 20_000)
    _set_up(max(count, asleep))
    _begin("limit", count)
    limit = count * STEPS / _timed(_move_all)
    _begin("one", count)
    one = count * STEPS / _timed(lambda: work_off("bench", AT))
    _begin("two", count)
    two = count * STEPS / _timed(lambda: _in_processes(2))
    note = f"{count:,} runs, batches of {BATCH}"
    return [
        against("Workflow steps, one worker", one, "a second", limit, goal=_GOAL, note=note),
        against("Workflow steps, two workers", two, "a second", limit, goal=_GOAL, note=note),
        *_sleepers(asleep),
    ]


def _set_up(people: int) -> None:
    brand = Brand.objects.create(name="Bench", from_name="Bench", from_address="bench@shop.example")
    Store.objects.create(code="bench", name="Bench", brand=brand, currency="GBP")
    ensure_rfm_segments(AT)
    workflow = install("win-back", AT)
    Workflow.objects.filter(pk=workflow.pk).update(is_on=True)
    _execute(_PEOPLE.format(count=people))
    _execute("ANALYZE")


def _begin(key: str, count: int, wake: datetime = AT) -> None:
    since = AT - timedelta(days=5)
    _execute(_BEGIN, {"key": key, "since": since, "wake": wake, "count": count})
    _execute("VACUUM ANALYZE workflows_run")


def _move_all() -> None:
    moved = BATCH
    while moved:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_MOVE, {"at": AT, "size": BATCH})
            moved = cursor.rowcount


def _in_processes(number: int) -> None:
    """The same work shared by processes of their own, as workers do."""
    connection.close()
    children = []
    for n in range(number):
        pid = os.fork()
        if pid == 0:
            work_off(f"bench-{n}", AT)
            os._exit(0)
        children.append(pid)
    for pid in children:
        _, status = os.waitpid(pid, 0)
        if status:
            raise RuntimeError(f"a worker of the bench ended with {status}")


def _sleepers(count: int) -> list[Figure]:
    """How long a worker needs to find that nothing is due, with nobody asleep and with so many."""
    before = _look()
    _begin("asleep", count, AT + timedelta(days=30))
    after = _look()
    name = f"Looking for due runs, {count:,} asleep"
    return [
        against(
            name,
            after * 1000,
            "ms",
            before * 1000,
            goal="as if nobody were asleep",
            note="limit: nobody asleep; smaller is better",
        )
    ]


def _look() -> float:
    times = 50
    return _timed(lambda: [step_runs("bench", AT) for _ in range(times)]) / times


def _execute(statement: str, parameters: dict[str, Any] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
