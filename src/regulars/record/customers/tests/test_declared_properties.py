"""From a declaration to a condition, and back: what was recorded before, what comes after, withdrawal, erasure, two decisions at once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.errors import Conflict, InvalidInput, NotAllowed
from regulars.foundation.learning import learn
from regulars.foundation.relations import RELATIONS, FieldType
from regulars.foundation.work.loops import LOOPS, Stop, run_once
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.operations.recording import HappeningInput, record_happening
from regulars.record.events.models import Event
from regulars.record.events.privacy import _erase_events
from regulars.record.own_events import filling, jobs
from regulars.record.own_events.models import DeclaredProperty
from regulars.record.own_events.operations import MOST, StillUsed, declare, withdraw
from regulars.record.own_events.tests.carrying_out import carry_out
from regulars.record.own_events.uses import USES, Use

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
STAFF = Viewer(None, frozenset({"tracking.manage"}))


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.HOME = tmp_path


def happen(name: str = "Quiz Finished", person: str = "1", **properties: Any) -> int:
    """Records one event of the shop's own; its position."""
    identity = IdentityInput(IdentityKind.USER_ID, person, "uk")
    record_happening(HappeningInput(name, PersonInput((identity,), AT), AT, properties), "token")
    return Event.objects.filter(kind="custom.recorded").latest("position").position


def ask(name: str = "score", type_: str = "number", event: str = "Quiz Finished") -> DeclaredProperty:
    return declare(event, name, type_, STAFF, AT, is_not_personal=True)


def begin_before(position: int) -> None:
    """Other tests have used up many positions, which small stretches would walk through."""
    DeclaredProperty.objects.update(position=position - 1)


def declared_in(position: int) -> Any:
    return Event.objects.get(position=position).data.get("declared")


def work() -> None:
    carry_out(AT)


def test_what_comes_after_and_what_was_before_stand_in_clear_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling, "STRETCH", 3)
    before = [
        happen(score=7, style="boho"),
        happen(score="8", style="a@b.example"),
        happen(score="many"),
        happen(name="Other", score=1),
    ]
    score, style = ask(), ask("style", "text")
    begin_before(before[0])
    after = happen(score=9, style="plain", secret="x")
    assert declared_in(after) == {str(score.pk): "9", str(style.pk): "plain"}
    learn()
    assert score.field not in RELATIONS["own_events"].fields  # what was before is not there yet
    work()
    told = [declared_in(position) for position in before]
    assert told == [{str(score.pk): "7", str(style.pk): "boho"}, {str(score.pk): "8"}, None, None]
    learn()
    fields = RELATIONS["own_events"].fields
    assert (fields[score.field].type, fields[score.field].meaning) == (FieldType.NUMBER, "score (Quiz Finished)")
    assert (fields[style.field].type, fields[style.field].is_listed) == (FieldType.TEXT, True)


def test_it_waits_for_those_who_cannot_know_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    score = ask()
    position = happen(score=7)
    monkeypatch.setattr(filling, "_OLDER", "SELECT %s <> ''")  # somebody still writes who began before
    work()
    score.refresh_from_db()
    assert (score.upto, score.is_ready, score.position) == (None, False, position)
    monkeypatch.undo()
    late = happen(score=8)
    work()
    score.refresh_from_db()
    assert (score.upto, score.is_ready) == (late, True)


def test_withdrawn_it_is_neither_offered_nor_kept_and_stays_sealed() -> None:
    position = happen(score=7, style="boho")
    score, style = ask(), ask("style", "text")
    work()
    withdraw(style.pk, STAFF, AT)
    learn()
    assert set(RELATIONS["own_events"].fields) & {score.field, style.field} == {score.field}
    assert set(declared_in(happen(score=1, style="x"))) == {str(score.pk)}
    work()
    assert declared_in(position) == {str(score.pk): "7"}
    again = ask("style", "number")
    assert again.field == f"{style.field}_2"  # the old name keeps its type for ever
    again.delete()
    once_more = ask("style", "text")
    work()
    assert declared_in(position) == {str(score.pk): "7", str(once_more.pk): "boho"}


def test_what_conditions_ask_for_is_not_withdrawn() -> None:
    score = ask()
    USES.register("test", lambda field: [Use("Segment", "Fans", "/segments/fans")] if field == score.field else [])
    try:
        with pytest.raises(StillUsed, match="Segment 'Fans'"):
            withdraw(score.pk, STAFF, AT)
    finally:
        USES._entries.pop("test")
    score.refresh_from_db()
    assert score.withdrawn_at is None


def test_an_erased_person_has_nothing_in_clear_and_gets_nothing_back() -> None:
    first, second = happen(score=7, style="boho"), happen(person="2", score=3)
    ask("style", "text")
    work()
    profile = Event.objects.get(position=first).profile_id
    _erase_events([profile or 0], AT)
    assert Event.objects.get(position=first).data == {"name": "Quiz Finished"}
    score = ask()
    work()
    assert (declared_in(first), declared_in(second)) == (None, {str(score.pk): "3"})


def test_what_cannot_be_meant_is_refused() -> None:
    for event, name, type_ in (
        ("", "score", "number"),
        ("Quiz", "a\x00b", "number"),
        ("Quiz", "x" * 201, "number"),
        ("Quiz", "score", "list"),
    ):
        with pytest.raises(InvalidInput):
            declare(event, name, type_, STAFF, AT, is_not_personal=True)
    with pytest.raises(InvalidInput):
        declare("Quiz", "score", "number", STAFF, AT, is_not_personal=False)
    with pytest.raises(NotAllowed):
        declare("Quiz", "score", "number", Viewer(None, STAFF.permissions, frozenset({1})), AT, is_not_personal=True)
    assert DeclaredProperty.objects.count() == 0
    ask()
    with pytest.raises(Conflict):
        ask(type_="text")
    for number in range(MOST - 1):
        ask(f"n{number}")
    with pytest.raises(InvalidInput):
        ask("one too many")
    assert DeclaredProperty.objects.count() == MOST


def test_a_stretch_that_failed_is_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    positions = [happen(score=number) for number in range(4)]
    score = ask()
    begin_before(positions[0])
    monkeypatch.setattr(filling, "STRETCH", 2)
    run_once(LOOPS["own_events.filling"], at=AT + timedelta(seconds=1))

    def fail(row: Any, upto: int) -> None:
        raise RuntimeError

    with monkeypatch.context() as broken, pytest.raises(RuntimeError):
        broken.setattr(filling, "_fill", fail)
        jobs.keep_in_line(Stop(), AT)
    work()
    assert [declared_in(position) for position in positions] == [{str(score.pk): str(n)} for n in range(4)]
