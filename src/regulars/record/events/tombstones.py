"""What is gone at its source: told and asked by whoever writes the record, so that late words of the dead do not raise them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from regulars.foundation.bulk import execute, fetch
from regulars.record.events.log import LogTransaction


@dataclass(frozen=True)
class Buried:
    """When it went, and why."""

    stated_at: datetime
    reason: str = ""

    def holds(self, stated_at: datetime | None) -> bool:
        """Whether what was stated then is of before. What comes without a time is of now."""
        return stated_at is not None and stated_at <= self.stated_at


_BURY = """
INSERT INTO events_tombstone (store_id, kind, key, stated_at, reason, batch_id)
SELECT %s, %s, w.key, w.stated_at, w.reason, %s
FROM unnest(%s::text[], %s::timestamptz[], %s::text[]) AS w(key, stated_at, reason) ORDER BY w.key
ON CONFLICT (store_id, kind, key) DO UPDATE
SET stated_at = EXCLUDED.stated_at, reason = EXCLUDED.reason, batch_id = EXCLUDED.batch_id
WHERE events_tombstone.stated_at < EXCLUDED.stated_at
"""


def bury(gone: Mapping[str, Buried], kind: str, log: LogTransaction, store_id: int) -> None:
    """Notes what is gone; of two words about one the later stated counts."""
    columns = [list(gone), [b.stated_at for b in gone.values()], [b.reason[:60] for b in gone.values()]]
    if gone:
        execute(_BURY, [store_id, kind, log.batch_id, *columns])


def find_buried(keys: Collection[str], kind: str, store_id: int) -> dict[str, Buried]:
    """Those of these that are gone."""
    rows = fetch(
        "SELECT key, stated_at, reason FROM events_tombstone WHERE store_id = %s AND kind = %s AND key = ANY(%s)",
        [store_id, kind, list(keys)],
    )
    return {key: Buried(stated_at, reason) for key, stated_at, reason in rows}
