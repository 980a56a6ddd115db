"""Upkeep of the log: partitions ahead of time, retention behind."""

from datetime import datetime, timedelta

from regulars.foundation.deduplication import forget_old_keys
from regulars.foundation.shop.settings import read_setting
from regulars.foundation.work.loops import LOOPS, Loop, Stop
from regulars.record.events import readers
from regulars.record.events.partitions import MONTHS
from regulars.record.events.readers import READERS


def keep_up(stop: Stop, at: datetime) -> bool:
    """Makes months ahead, drops those beyond the log's retention, forgets old keys. True while there is more to forget."""
    MONTHS.ensure(at)
    days = read_setting("log.retention_days")
    if days:
        MONTHS.drop_before(at - timedelta(days=days))
    return forget_old_keys("events_eventkey", at) > 0


LOOPS.register(
    "events.upkeep",
    Loop(keep_up, "Makes the log's partitions ahead of time and drops old ones", idle_seconds=3600, is_exclusive=True),
)


def read_on(stop: Stop, at: datetime) -> bool:
    """One batch of every shard that holds something for a reader. True while a shard has more."""
    more = False
    for _, reader in READERS.items():
        if stop.is_set():
            return False
        more |= readers.read_on(reader, at, should_stop=stop.is_set)
    return more


LOOPS.register("events.readers", Loop(read_on, "Lets every reader of the log follow it", idle_seconds=0.5))
