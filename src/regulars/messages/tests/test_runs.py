"""The shell: once per entry, fences, failures, switching on and off, storms."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from regulars.foundation.errors import Conflict
from regulars.insight.segments.models import Membership
from regulars.insight.segments.operations import ensure_rfm_segments
from regulars.messages.models import Message
from regulars.messages.operations import Draft, save_template
from regulars.record.customers.operations import decide_link
from regulars.record.customers.queries import customers_of
from regulars.record.customers.tests.test_at_once import while_open
from regulars.record.events import log
from regulars.record.events.models import Event
from regulars.record.events.readers import READERS, catch_up
from regulars.workflows.models import Effect, Run, RunStep, Workflow
from regulars.workflows.operations import (
    Already,
    Who,
    count_already_there,
    retry_stuck,
    save_version,
    switch_off,
    switch_on,
)
from regulars.workflows.runs.claiming import Pace, claim_due
from regulars.workflows.runs.deciding import decide
from regulars.workflows.runs.driving import step_runs, work_off
from regulars.workflows.runs.following import follow_map
from regulars.workflows.runs.starting import STORM, Arrival, start_runs
from regulars.workflows.runs.writing import write
from regulars.workflows.tests.factories import AT, DAY, DEFINITION, enter, make_people, make_shop, membership

pytestmark = pytest.mark.django_db
BODY = "<mj-section><mj-column><mj-text>Hello</mj-text></mj-column></mj-section>"
DUE = AT + 3 * DAY


@pytest.fixture
def workflow() -> Iterator[Workflow]:
    with membership(set()):
        save_template("win-back", "Win back", Draft("Hi", "", BODY), None, AT)
        workflow = save_version("win-back", DEFINITION, None, AT).workflow
        switch_on(workflow, AT)
        yield workflow


def read(at: object = AT) -> None:
    catch_up([READERS["workflows.entries"]], at)  # type: ignore[arg-type]


def rows() -> tuple[int, int, int, int]:
    return Run.objects.count(), RunStep.objects.count(), Effect.objects.count(), Message.objects.count()


def test_an_entry_that_is_read_again_begins_nothing_new(workflow: Workflow) -> None:
    people = make_people(2, make_shop())
    enter(people, AT)
    read()
    customer, profile = people[0]
    key = Run.objects.get(customer=customer).entry_key
    assert start_runs(workflow, [Arrival(customer, profile, key, AT)], AT) == 0
    assert Run.objects.count() == 2


def test_history_and_other_segments_begin_nothing(workflow: Workflow) -> None:
    people = make_people(1, make_shop())
    enter(people, AT, is_history=True)
    enter(people, AT, "champions")
    read()
    assert not Run.objects.exists()


def test_who_is_on_the_way_does_not_begin_a_second_time(workflow: Workflow) -> None:
    people = make_people(1, make_shop())
    enter(people, AT)
    enter(people, AT + DAY)
    read(AT + DAY)
    assert sorted(Run.objects.values_list("state", "outcome")) == [("active", ""), ("ended", "already on the way")]


def test_old_entries_and_storms_end_at_once_and_say_so(workflow: Workflow) -> None:
    ((customer, profile),) = make_people(1, make_shop())
    assert start_runs(workflow, [Arrival(customer, profile, "old", AT - 8 * DAY)], AT) == 0
    for n in range(STORM + 5):
        start_runs(workflow, [Arrival(customer, profile, f"e{n}", AT)], AT)
        Run.objects.filter(state="active").update(state="ended", outcome="completed", wake_at=None)
    outcomes = list(Run.objects.order_by("id").values_list("outcome", flat=True))
    assert outcomes[0] == "entered too long ago"
    assert (outcomes.count("completed"), outcomes.count("entered too often within a day")) == (STORM - 1, 6)


def test_steps_of_many_runs_take_as_many_queries_as_of_few(workflow: Workflow) -> None:
    store = make_shop()
    counts = []
    for first, many in ((1, 2), (10, 40)):
        enter(make_people(many, store, first=first), AT)
        read()
        work_off("w", AT)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert step_runs("w", DUE) == 4 * many
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 25


def test_a_worker_whose_lease_was_taken_over_writes_nothing(workflow: Workflow) -> None:
    enter(make_people(3, make_shop()), AT)
    read()
    work_off("first", AT)
    gone = Pace(lease=timedelta(0))
    frozen = claim_due("frozen", DUE, gone)
    assert len(frozen) == 3
    assert step_runs("other", DUE, gone) > 0
    while step_runs("other", DUE, gone):
        pass
    before = rows()
    with log.transaction("workflow") as entries:
        kept = write(decide(frozen, DUE), entries, DUE)
    assert (kept, rows()) == ([], before)
    assert before == (3, 12, 3, 3)


def test_a_held_lease_keeps_others_away(workflow: Workflow) -> None:
    enter(make_people(3, make_shop()), AT)
    read()
    assert len(claim_due("one", AT, Pace())) == 3
    assert step_runs("other", AT) == 0


def test_a_run_that_fails_stays_alone_with_its_trouble(workflow: Workflow) -> None:
    good, bad = make_people(2, make_shop())
    enter([good, bad], AT)
    read()
    work_off("w", AT)
    Run.objects.filter(customer=bad[0]).update(node="no-such-node")
    at = DUE
    for _ in range(3):
        work_off("w", at)
        at += DAY
    states = dict(Run.objects.values_list("customer_id", "state"))
    assert states == {good[0]: "ended", bad[0]: "stuck"}
    stuck = Run.objects.get(customer=bad[0])
    assert stuck.problem == "KeyError: 'no-such-node'"
    Run.objects.filter(pk=stuck.pk).update(node="check")
    assert retry_stuck(stuck, at)
    assert not retry_stuck(stuck, at)
    work_off("w", at)
    assert set(Run.objects.values_list("state", "outcome")) == {("ended", "completed")}


def test_a_run_that_kills_its_workers_is_given_up(workflow: Workflow) -> None:
    people = make_people(5, make_shop())
    enter(people, AT)
    read()
    gone = Pace(lease=timedelta(0))
    killer = Run.objects.order_by("id")[4].pk
    assert len(claim_due("dies", AT, gone)) == 5  # and dies, with all five in hand
    for _ in range(20):
        claimed = claim_due("w", AT, gone)
        if claimed and killer not in [c.id for c in claimed]:
            with log.transaction("workflow") as entries:
                write(decide(claimed, AT), entries, AT)
    states = dict(Run.objects.values_list("id", "state"))
    assert states.pop(killer) == "stuck"
    assert set(states.values()) == {"active"}


def test_off_means_that_everybody_stands_still(workflow: Workflow) -> None:
    enter(make_people(2, make_shop()), AT)
    read()
    work_off("w", AT)
    assert switch_off(workflow, AT).paused == 2
    with pytest.raises(Conflict):
        switch_off(workflow, AT)
    assert work_off("w", DUE) == 0
    assert switch_on(workflow, DUE).resumed == 2
    work_off("w", DUE)
    assert set(Run.objects.values_list("outcome", flat=True)) == {"completed"}


def _stuck(person: tuple[int, int]) -> Run:
    """A run that failed too often."""
    enter([person], AT)
    read()
    Run.objects.update(state="stuck", failures=3, problem="it broke", wake_at=AT)
    return Run.objects.get()


def test_a_stuck_run_of_a_workflow_that_is_off_waits_until_it_is_on(workflow: Workflow) -> None:
    stuck = _stuck(make_people(1, make_shop())[0])
    switch_off(workflow, AT)
    assert retry_stuck(stuck, DUE)
    assert (work_off("w", DUE), Message.objects.count()) == (0, 0)
    switch_on(workflow, DUE)
    work_off("w", DUE)
    work_off("w", DUE + 3 * DAY)
    assert Run.objects.get().outcome == "completed"


def test_a_stuck_run_does_not_go_on_beside_a_newer_one(workflow: Workflow) -> None:
    people = make_people(1, make_shop())
    stuck = _stuck(people[0])
    enter(people, AT + DAY)
    read(AT + DAY)
    with pytest.raises(Conflict):
        retry_stuck(stuck, AT + DAY)
    assert list(Run.objects.order_by("id").values_list("state", "failures")) == [("stuck", 3), ("active", 0)]


def test_runs_that_begin_while_it_is_switched_off_stand_still(workflow: Workflow) -> None:
    """A reader found it on, staff switched it off, then the reader began the run."""
    customer, profile = make_people(1, make_shop())[0]
    found_on = Workflow.objects.get(id=workflow.id)
    switch_off(workflow, AT)
    start_runs(found_on, [Arrival(customer, profile, "membership 1", AT)], AT)
    assert (work_off("w", DUE), Run.objects.filter(state="active").count()) == (0, 0)


def test_runs_keep_the_version_that_they_began_on(workflow: Workflow) -> None:
    people = make_people(2, make_shop())
    enter(people[:1], AT)
    read()
    nodes = {"now": {"kind": "exit", "reason": "second version"}}
    save_version("win-back", {**DEFINITION, "start": "now", "nodes": nodes}, None, AT)
    enter(people[1:], AT)
    read()
    work_off("w", DUE)
    work_off("w", DUE)
    assert sorted(Run.objects.values_list("version__number", "outcome")) == [(1, "completed"), (2, "second version")]


def test_after_a_merge_the_further_run_stays(workflow: Workflow) -> None:
    one, two = make_people(2, make_shop())
    enter([one], AT)
    read()
    work_off("w", AT)
    enter([two], AT + DAY)
    read(AT + DAY)
    decide_link(one[1], two[1], "must-link", 1, AT + DAY)
    catch_up([READERS["workflows.merges"]], AT + DAY)
    kept = customers_of([one[1], two[1]])
    assert kept[one[1]] == kept[two[1]]
    assert set(Run.objects.values_list("customer_id", flat=True)) == {kept[one[1]]}
    assert sorted(Run.objects.values_list("profile_id", "state", "outcome")) == sorted(
        [(one[1], "active", ""), (two[1], "ended", "merged")]
    )


def merge_two(workflow: Workflow) -> tuple[tuple[int, int], tuple[int, int]]:
    """Two people on their way through the workflow, joined; the run of the first stays."""
    one, two = make_people(2, make_shop())
    enter([one], AT)
    read()
    work_off("w", AT)
    enter([two], AT + DAY)
    read(AT + DAY)
    work_off("w", AT + DAY)
    decide_link(one[1], two[1], "must-link", 1, AT + DAY)
    catch_up([READERS["workflows.merges"]], AT + DAY)
    return one, two


@pytest.mark.django_db(transaction=True)
def test_a_run_that_ends_while_a_merge_waits_for_it_keeps_its_end(workflow: Workflow) -> None:
    one, two = make_people(2, make_shop())
    enter([one], AT)
    read()
    work_off("w", AT)
    enter([two], AT + DAY)
    read(AT + DAY)
    work_off("w", AT + DAY)
    decide_link(one[1], two[1], "must-link", 1, AT + DAY)
    behind = Run.objects.get(profile_id=two[1])

    def end() -> None:
        Run.objects.filter(pk=behind.pk).update(
            state="ended", outcome="left the segment", ended_at=AT + DAY, wake_at=None
        )

    [done] = while_open(end, lambda: follow_map([one[0], two[0]], [], AT + 2 * DAY))
    behind.refresh_from_db()
    assert (behind.state, behind.outcome, behind.ended_at) == ("ended", "left the segment", AT + DAY)
    assert done == 0
    assert not Event.objects.filter(kind="run.ended").exists()


def split_two(one: tuple[int, int], two: tuple[int, int], at: datetime) -> None:
    decide_link(one[1], two[1], "cannot-link", 1, at)
    catch_up([READERS["workflows.merges"]], at)


def runs() -> list[tuple[int, int, str, str, str]]:
    return list(Run.objects.order_by("id").values_list("profile_id", "customer_id", "node", "state", "outcome"))


def test_a_split_returns_each_run_to_its_profile_at_its_step(workflow: Workflow) -> None:
    one, two = merge_two(workflow)
    assert [row[3:] for row in runs()] == [("active", ""), ("ended", "merged")]
    split_two(one, two, AT + 2 * DAY)
    owner = customers_of([one[1], two[1]])
    assert runs() == [(p, owner[p], "wait", "active", "") for p in (one[1], two[1])]
    assert owner[one[1]] != owner[two[1]]
    assert list(Event.objects.filter(kind="run.resumed").values_list("profile_id", flat=True)) == [two[1]]
    work_off("w", AT + 2 * DAY)  # it looks at its wait again, and sleeps what is left of it
    assert Run.objects.get(profile_id=two[1]).wake_at == AT + 4 * DAY
    work_off("w", AT + 4 * DAY)
    assert [row[3:] for row in runs()] == [("ended", "completed")] * 2
    assert Message.objects.count() == 2


def test_a_run_that_ended_for_one_of_the_same_profile_set_stays_ended_after_a_split(workflow: Workflow) -> None:
    """Of three joined in turn only the third leaves: the run of the second ended for the first's, which still is theirs."""
    one, _ = merge_two(workflow)
    third = make_people(1, make_shop(), first=9)[0]
    decide_link(one[1], third[1], "must-link", 1, AT + DAY)
    catch_up([READERS["workflows.merges"]], AT + DAY)
    split_two(one, third, AT + 2 * DAY)
    assert [row[3:] for row in runs()] == [("active", ""), ("ended", "merged")]


def test_a_split_while_the_workflow_is_off_or_after_a_new_entry(workflow: Workflow) -> None:
    one, two = merge_two(workflow)
    switch_off(workflow, AT + DAY)
    split_two(one, two, AT + 2 * DAY)
    assert [row[3:] for row in runs()] == [("paused", ""), ("paused", "")]
    switch_on(workflow, AT + 2 * DAY)
    decide_link(one[1], two[1], "undecided", 1, AT + 2 * DAY)
    decide_link(one[1], two[1], "must-link", 1, AT + 2 * DAY)
    catch_up([READERS["workflows.merges"]], AT + 2 * DAY)
    decide_link(one[1], two[1], "cannot-link", 1, AT + 2 * DAY)
    enter([(customers_of([two[1]])[two[1]], two[1])], AT + 2 * DAY)
    read(AT + 2 * DAY)  # the new entry is read before the split is
    catch_up([READERS["workflows.merges"]], AT + 2 * DAY)
    assert [row[3:] for row in runs()] == [("active", ""), ("ended", "merged"), ("active", "")]


@pytest.mark.parametrize(("who", "begun"), [(Who.NONE, 0), (Who.SAMPLE, 2), (Who.ALL, 5)])
def test_switching_on_takes_those_already_there_as_asked(workflow: Workflow, who: Who, begun: int) -> None:
    """Five are in the segment by its first computation; their beginnings are spread, and the same entry never begins twice."""
    segment = {s.key: s for s in ensure_rfm_segments(AT)}["at-risk"]
    people = make_people(5, make_shop())
    with log.transaction("system", "test") as entries:
        for customer, profile in people:
            Membership.objects.create(
                segment=segment,
                profile_id=profile,
                customer_id=customer,
                entered_at=AT - DAY,
                is_initial=True,
                reason={},
                batch_id=entries.batch_id,
            )
    switch_off(workflow, AT)
    assert count_already_there(workflow, AT) == 5
    assert switch_on(workflow, AT, Already(who, sample=2, per_hour=60)).begun == begun
    wakes = list(Run.objects.order_by("wake_at").values_list("wake_at", flat=True))
    assert wakes == [AT + timedelta(minutes=n) for n in range(begun)]
    switch_off(workflow, AT)
    assert count_already_there(workflow, AT) == 5 - begun
