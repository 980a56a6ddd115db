"""Events as binary ``COPY`` takes them (postgresql.org/docs/15/sql-copy.html, Binary Format). Pure.

Whoever appends holds up all others from the moment in which positions are drawn, so all but position and time of recording is made ready
before: ``tail``. ``whole`` then only joins.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

COLUMNS = (
    "position", "recorded_at", "occurred_at", "kind", "batch_id", "profile_id", "shard", "subject_id", "is_history", "data", "sealed",
)  # fmt: skip
_BEGIN, _END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_ROWS_AT_ONCE = 500
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # PostgreSQL's
_MICROSECOND = timedelta(microseconds=1)
_JSONB = b"\x01"  # version of jsonb's binary form, which is the text after it
_NULL = b"\xff\xff\xff\xff"
_HEAD = struct.Struct("!hiqiq")  # how many columns, then length and value of the first two
_LENGTH, _LONG, _SHORT, _SWITCH = struct.Struct("!i"), struct.Struct("!iq"), struct.Struct("!ih"), struct.Struct("!i?")


def tail(
    occurred_at: datetime,
    kind: str,
    batch_id: int,
    *,
    profile_id: int | None,
    shard: int,
    subject_id: int | None,
    is_history: bool,
    data: bytes,
    sealed: bytes | None,
) -> bytes:
    """One row from its third column on; ``data`` is JSON."""
    return b"".join(
        (
            _LONG.pack(8, _moment(occurred_at)),
            _sized(kind.encode()),
            _LONG.pack(8, batch_id),
            _NULL if profile_id is None else _LONG.pack(8, profile_id),
            _SHORT.pack(2, shard),
            _NULL if subject_id is None else _LONG.pack(8, subject_id),
            _SWITCH.pack(1, is_history),
            _sized(_JSONB + data),
            _NULL if sealed is None else _sized(sealed),
        )
    )


def whole(tails: Sequence[bytes], first: int, recorded_at: datetime) -> Iterator[bytes]:
    """The rows in pieces; positions rise from ``first``."""
    moment, positions = _moment(recorded_at), count(first)
    yield _BEGIN
    for start in range(0, len(tails), _ROWS_AT_ONCE):
        some = zip(tails[start : start + _ROWS_AT_ONCE], positions)  # noqa: B905  positions have no end
        yield b"".join(_joined(some, moment))
    yield _END


def _joined(rows: Iterable[tuple[bytes, int]], moment: int) -> Iterator[bytes]:
    for rest, position in rows:
        yield _HEAD.pack(len(COLUMNS), 8, position, 8, moment)
        yield rest


def _moment(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _sized(value: bytes) -> bytes:
    return _LENGTH.pack(len(value)) + value
