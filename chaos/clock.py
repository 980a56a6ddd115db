"""The clock that all processes of one chaos share: it begins at a given moment and runs faster than the world's."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SPEED = 1800  # half an hour a second: a workflow that waits for a quarter of an hour is through in half a second


@dataclass(frozen=True)
class FastClock:
    """``began`` is the world's time (seconds) at which this clock showed ``start``."""

    began: float
    start: datetime = datetime(2026, 11, 2, 9, tzinfo=UTC)

    def now(self) -> datetime:
        return self.start + timedelta(seconds=(time.time() - self.began) * SPEED)
