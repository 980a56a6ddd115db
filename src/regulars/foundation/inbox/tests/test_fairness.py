"""Bar 24: one source that floods makes no other wait longer than one batch of each, however much of it there is."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import pytest

from regulars.foundation.inbox import keys, receiving
from regulars.foundation.inbox.models import Item
from regulars.foundation.inbox.parsers import PARSERS, Outcome, Parser, RawInput
from regulars.foundation.inbox.reading import read_waiting
from regulars.foundation.inbox.receiving import Arrival, TooBusy, receive, require_room
from regulars.foundation.shop.settings import write_setting
from regulars.foundation.work.loops import Stop

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
FLOOD, BATCH = 630, 20


class Diary:
    """Notes of which source each batch was; ``then`` is done once, while the batch of that number is read."""

    def __init__(self) -> None:
        self.sources: list[str] = []
        self.then: dict[int, Callable[[], object]] = {}

    def read(self, inputs: Sequence[RawInput], at: datetime) -> list[Outcome]:
        self.sources.append(inputs[0].source)
        self.then.pop(len(self.sources), lambda: None)()
        return [Outcome() for _ in inputs]

    def batches_before(self, source: str) -> int:
        return self.sources.index(source)


@pytest.fixture
def diary() -> Iterator[Diary]:
    diary = Diary()
    PARSERS.register("diary", Parser("diary", "Notes", diary.read, most_inputs=BATCH, most_bytes=10_000))
    keys.forget_cached()
    yield diary
    del PARSERS._entries["diary"]


def arrive(source: str, count: int = 1) -> int:
    return receive([Arrival(source, "diary", b"x") for _ in range(count)], AT)


@pytest.mark.parametrize("floods", [1, 3])
def test_who_comes_after_a_flood_is_read_after_one_batch_of_each(diary: Diary, floods: int) -> None:
    for number in range(floods):
        arrive(f"flood:{number}", FLOOD // floods)
    quiet = ["a:quiet", "z:quiet"]  # whatever its place among the sources
    for source in quiet:
        arrive(source)
    read_waiting(Stop(), AT)
    assert max(map(diary.batches_before, quiet)) <= floods + 1
    assert not Item.objects.filter(source__in=quiet, state="received").exists()
    assert Item.objects.filter(state="received").count() == FLOOD - floods * BATCH


def test_who_comes_in_the_midst_of_a_flood_waits_for_two_batches_of_each_at_most(diary: Diary) -> None:
    for number in range(3):
        arrive(f"flood:{number}", FLOOD // 3)
    diary.then = {5: lambda: arrive("a:quiet"), 8: lambda: arrive("z:quiet")}
    for _ in range(6):
        read_waiting(Stop(), AT)
    assert diary.batches_before("a:quiet") - 5 <= 2 * 3
    assert diary.batches_before("z:quiet") - 8 <= 2 * 3 + 1


def test_a_queue_that_is_full_is_closed_to_its_own_source_only(diary: Diary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "_looks", {})
    write_setting("inbox.most_waiting", FLOOD, AT)
    arrive("flood:0", FLOOD - 1)
    require_room("flood:0")
    arrive("flood:0")
    receiving._looks.clear()
    with pytest.raises(TooBusy) as refused:
        require_room("flood:0")
    assert (refused.value.status, refused.value.details["retry_after"]) == (429, 30)
    require_room("z:quiet")
    read_waiting(Stop(), AT)
    receiving._looks.clear()
    require_room("flood:0")
