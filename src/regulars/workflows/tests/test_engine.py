"""The engine as a pure function: properties that hold for every workflow that the check lets through."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regulars.foundation.facts import UNKNOWN, Answer, Question
from regulars.workflows.definition import Definition, InvalidDefinition, parse_definition
from regulars.workflows.engine import Advanced, Effect, Needs, State, advance, begin, effect_key
from regulars.workflows.steps.wait import WaitKind
from regulars.workflows.tests.factories import DEFINITION

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
MEMBER = Question.of("test.member", segment="at-risk")
Raw = dict[str, Any]


def node(kind: str, following: list[str], days: int) -> Raw:
    if kind == "wait":
        return {"kind": "wait", "for": {"days": days}, "next": following[0]}
    if kind == "condition":
        return {"kind": "condition", "fact": f"f{days}", "is": True, "yes": following[0], "no": following[1]}
    if kind == "send_mail":
        return {"kind": "send_mail", "template": "t", "next": following[0]}
    return {"kind": "exit", "reason": "completed"}


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    """Workflows whose edges may lead anywhere, backwards too; those that the check refuses are drawn again."""
    size = draw(st.integers(1, 8))
    names = [f"n{i}" for i in range(size)] + ["end"]
    nodes: Raw = {"end": {"kind": "exit", "reason": "completed"}}
    for name in names[:-1]:
        kind = draw(st.sampled_from(["wait", "condition", "send_mail"]))
        nodes[name] = node(kind, [draw(st.sampled_from(names)) for _ in range(2)], draw(st.integers(1, 5)))
    raw = {
        "format": 1,
        "name": "w",
        "trigger": {"kind": "segment.entered", "segment": "s"},
        "start": "n0",
        "nodes": nodes,
    }
    try:
        return parse_definition(raw)
    except InvalidDefinition:
        unreached = {p.place.removeprefix("nodes.") for p in _problems(raw) if "reached" in p.sentence}
        raw["nodes"] = {name: n for name, n in nodes.items() if name not in unreached}
        return draw(st.just(_parsed_or_skip(raw)))


def _problems(raw: Raw) -> list[Any]:
    try:
        parse_definition(raw)
    except InvalidDefinition as error:
        return error.problems
    return []


def _parsed_or_skip(raw: Raw) -> Definition:
    try:
        return parse_definition(raw)
    except InvalidDefinition:
        return parse_definition({**DEFINITION})


def go(definition: Definition, state: State, now: datetime, answers: bool) -> Advanced:
    """Answers whatever is asked."""
    facts: dict[Question, Answer] = {}
    for _ in range(50):
        result = advance(definition, state, facts, now)
        if isinstance(result, Advanced):
            return result
        facts |= {question: Answer(answers, "test") for question in result.questions}
    raise AssertionError("asks for ever")


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(definitions(), st.booleans(), st.lists(st.integers(0, 20), max_size=12))
def test_a_run_moves_on_or_sleeps_and_never_does_a_step_twice(
    definition: Definition, answers: bool, hours: list[int]
) -> None:
    state, now, keys, count = begin(definition, AT), AT, set(), 0
    for days in hours:
        result = go(definition, state, now, answers)
        assert [s.number for s in result.steps] == list(range(state.steps + 1, state.steps + 1 + len(result.steps)))
        assert (result.wake_at is None) == result.state.is_over
        assert result.wake_at is None or result.wake_at > now
        keys |= {effect_key("w", "r", e.node, e.index) for e in result.effects}
        count += len(result.effects)
        assert len(keys) == count
        again = go(definition, result.state, now, answers)
        assert (again.steps, again.effects, again.state) == ((), (), result.state)
        state, now = result.state, now + timedelta(days=days)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(definitions(), st.booleans(), st.integers(0, 10))
def test_looking_early_changes_nothing(definition: Definition, answers: bool, looks: int) -> None:
    """A run that is looked at often before it is due does what one does that is only looked at when due."""
    first = go(definition, begin(definition, AT), AT, answers)
    if first.wake_at is None:
        return
    often = first.state
    for n in range(looks):
        early = go(definition, often, AT + (first.wake_at - AT) * n / (looks + 1), answers)
        assert not early.steps
        often = early.state
    assert go(definition, often, first.wake_at, answers) == go(definition, first.state, first.wake_at, answers)


def test_it_says_which_facts_it_needs() -> None:
    definition = parse_definition(DEFINITION)
    state = State("check", AT, 1)
    assert advance(definition, state, {}, AT) == Needs((MEMBER,))
    gone = advance(definition, state, {MEMBER: Answer(False, "no membership")}, AT)
    assert isinstance(gone, Advanced)
    assert (gone.state.outcome, [s.decision for s in gone.steps]) == ("left the segment", ["no", "left the segment"])
    unknown = advance(definition, state, {MEMBER: UNKNOWN}, AT)
    assert isinstance(unknown, Advanced)
    assert unknown.state.outcome == "left the segment"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": 2}, "format: must be 1"),
        ({"color": "red"}, "color: is not known here"),
        ({"start": "nowhere"}, "start: must be the name of a node"),
        ({"nodes": {}}, "nodes: must have between 1 and 200 nodes"),
        ({"trigger": "segment"}, "trigger: must say what starts a run"),
        ({"nodes": {"wait": {"kind": "wait", "for": {"days": 1}, "next": "wait"}}}, "nodes: need an exit"),
        ({"nodes": {"wait": {"kind": "dance"}}}, "nodes.wait: needs a 'kind' out of"),
        (
            {"nodes": {"wait": {"kind": "exit", "reason": "x"}, "other": {"kind": "exit", "reason": "x"}}},
            "nodes.other: can never be reached",
        ),
        ({"nodes": {"wait": {"kind": "wait", "for": {"days": -1}, "next": "wait"}}}, "needs a whole number of days"),
        ({"nodes": {"wait": {"kind": "wait", "for": {"years": 1}, "next": "wait"}}}, "does not know the unit 'years'"),
        (
            {"nodes": {"wait": {"kind": "wait", "for": {"days": 1}, "zone": "Mars", "next": "wait"}}},
            "'Mars' is not a time zone",
        ),
        ({"nodes": {"wait": {"kind": "send_mail", "template": "", "next": "wait"}}}, "needs the key of a template"),
        (
            {"nodes": {"wait": {"kind": "condition", "fact": "f", "is": 1, "is_not": 2, "yes": "wait", "no": "wait"}}},
            "exactly one comparison",
        ),
    ],
)
def test_a_mistake_is_named_by_its_place(change: Raw, sentence: str) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        parse_definition({**DEFINITION, **change})
    assert sentence in str(refused.value)


def test_a_circle_without_a_wait_is_refused() -> None:
    nodes = {
        "wait": {"kind": "send_mail", "template": "t", "next": "check"},
        "check": {"kind": "condition", "fact": "f", "is": True, "yes": "wait", "no": "end"},
        "end": {"kind": "exit", "reason": "x"},
    }
    with pytest.raises(InvalidDefinition) as refused:
        parse_definition({**DEFINITION, "nodes": nodes})
    assert {p.place for p in refused.value.problems} == {"nodes.wait", "nodes.check"}


def test_a_circle_with_a_wait_gives_each_round_its_own_effect() -> None:
    nodes = {
        "wait": {"kind": "wait", "for": {"days": 1}, "next": "mail"},
        "mail": {"kind": "send_mail", "template": "t", "next": "more"},
        "more": {"kind": "condition", "fact": "f", "is": True, "yes": "wait", "no": "end"},
        "end": {"kind": "exit", "reason": "x"},
    }
    definition = parse_definition({**DEFINITION, "nodes": nodes})
    state, effects = begin(definition, AT), list[Effect]()
    for day in range(4):
        result = go(definition, state, AT + timedelta(days=day), answers=True)
        state, effects = result.state, [*effects, *result.effects]
    assert [e.index for e in effects] == [0, 1, 2]


@settings(deadline=None)
@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001  the strategy adds the zone
    st.sampled_from(
        ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns", "UTC"]
    ),
    st.integers(0, 23),
    st.integers(0, 59),
    st.integers(1, 20),
)
def test_a_wait_until_a_time_of_day_ends_once_at_that_time(
    since: datetime, zone: str, hour: int, minute: int, days: int
) -> None:
    step = WaitKind().parse({"for": {"days": days}, "at": f"{hour:02}:{minute:02}", "zone": zone})
    due = step.due(since)
    length = timedelta(days=days)
    assert since + length <= due <= since + length + timedelta(days=1, hours=1)
    local = due.astimezone(ZoneInfo(zone))
    skipped = local.replace(hour=hour, minute=minute).astimezone(UTC).astimezone(ZoneInfo(zone)) != local
    assert (local.hour, local.minute) == (hour, minute) or skipped
    assert step.take(since, {}, due - timedelta(seconds=1)).__class__.__name__ == "Sleep"
    assert step.take(since, {}, due).__class__.__name__ == "Go"
