"""Files from outside: read as they came, or not at all; dropped with their day."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db.models import F

from regulars.foundation.bulk import fetch
from regulars.foundation.ids import new_uid
from regulars.foundation.inbox.frames import FRAME, FrameWriter, came_at, forget_files, list_files, read_frames
from regulars.foundation.inbox.models import Frame
from regulars.foundation.inbox.operations import keep_up
from regulars.foundation.inbox.partitions import FRAME_DAYS
from regulars.foundation.sealing import CannotOpen, new_key
from regulars.foundation.work.loops import Stop

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
KEY = new_key()
PLAIN = b"a" * FRAME + b"b" * FRAME + b"secret@shop.example"


def taken(plain: bytes = PLAIN, at: datetime = AT) -> UUID:
    writer = FrameWriter(file := new_uid(), KEY, at)
    for begin in range(0, len(plain), 70_000):
        writer.write(plain[begin : begin + 70_000])
    writer.finish()
    return file


def opened(file: UUID, key: bytes = KEY) -> bytes:
    return b"".join(read_frames(file, AT, key))


@pytest.mark.parametrize("size", [0, 1, FRAME - 1, FRAME, FRAME + 1, 2 * FRAME, len(PLAIN)])
def test_a_file_is_read_as_it_came_and_lies_under_seal(size: int) -> None:
    file = taken(PLAIN[:size])
    assert opened(file) == PLAIN[:size]
    bodies = b"".join(bytes(body) for body in Frame.objects.values_list("body", flat=True))
    assert (b"aaaa" in bodies, b"secret" in bodies) == (False, False)
    with pytest.raises(CannotOpen):
        opened(file, new_key())


def test_a_file_that_was_cut_or_whose_frames_were_moved_is_not_read_as_whole() -> None:
    cut, begun, marked, swapped, other = (taken() for _ in range(5))
    Frame.objects.filter(file=cut, number=2).delete()
    Frame.objects.filter(file=begun, number=0).delete()
    Frame.objects.filter(file=marked, number=2).delete()
    Frame.objects.filter(file=marked, number=1).update(is_last=True)
    Frame.objects.filter(file=swapped).update(number=F("number") + 10)
    for before, after in ((10, 1), (11, 0), (12, 2)):
        Frame.objects.filter(file=swapped, number=before).update(number=after)
    for file in (cut, begun, marked, swapped):
        with pytest.raises(CannotOpen):
            opened(file)
    Frame.objects.filter(file=swapped).delete()
    Frame.objects.filter(file=other).update(file=swapped)
    with pytest.raises(CannotOpen):
        opened(swapped)


def test_a_file_that_was_never_whole_is_not_read() -> None:
    FrameWriter(file := new_uid(), KEY, AT).write(PLAIN)
    assert Frame.objects.count() == 2
    with pytest.raises(CannotOpen):
        opened(file)


def test_files_are_listed_and_forgotten() -> None:
    first, second = taken(), taken(at=AT + timedelta(hours=1))
    assert list_files() == {first: AT, second: AT + timedelta(hours=1)}
    forget_files([first])
    assert (came_at(first), came_at(second)) == (None, AT + timedelta(hours=1))
    assert set(Frame.objects.values_list("file", flat=True)) == {second}


def test_files_go_with_their_day_and_postgresql_does_not_try_to_make_them_smaller() -> None:
    keep_up(Stop(), AT - timedelta(days=31))
    old, caught, kept = taken(at=AT - timedelta(days=31)), taken(at=AT - timedelta(days=40)), taken()
    day = FRAME_DAYS.name_of(AT - timedelta(days=31))
    assert fetch("SELECT DISTINCT tableoid::regclass::text FROM inbox_frame WHERE file = %s", [old]) == [(day,)]
    storage = (
        "SELECT DISTINCT attstorage::text FROM pg_attribute WHERE attname = 'body' AND attrelid::regclass::text LIKE %s"
    )
    assert fetch(storage, ["inbox_frame%"]) == [("e",)]
    keep_up(Stop(), AT)
    assert (came_at(old), came_at(caught), opened(kept)) == (None, None, PLAIN)
    assert fetch("SELECT to_regclass(%s) IS NULL", [day]) == [(True,)]
