"""When a cart was left, over every list of touches."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from regulars.record.carts.rules import abandoned_at

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SILENCE = 30 * MINUTE


@given(st.lists(st.integers(0, 200)), st.integers(0, 200))
def test_it_was_left_where_a_whole_silence_held_no_touch(minutes: list[int], until: int) -> None:
    """The order may have been told of a moment before every touch, or the cart never be touched at all."""
    left_at = abandoned_at([AT + m * MINUTE for m in minutes], AT + until * MINUTE, SILENCE)
    silent = [m for m in minutes if m + 30 <= until and not any(m < other < m + 30 for other in minutes)]
    assert left_at == (AT + min(silent) * MINUTE + SILENCE if silent else None)
