"""Who came onto a list and went from it, as events."""

from datetime import datetime

from regulars.record.events.kinds import register
from regulars.record.events.log import Entry

_FIELDS = {"list": "key of the list", "member": "row of the list's ledger"}
JOINED = register("list.joined", "A customer was put on a list", "list", **_FIELDS)
LEFT = register("list.left", "A customer is no longer on a list", "list", **_FIELDS)


def changed(
    kind: str, list_id: int, key: str, member: int, profile_id: int, customer_id: int, occurred_at: datetime
) -> Entry:
    """Either of the two."""
    return Entry(kind, occurred_at, profile_id, customer_id, list_id, {"list": key, "member": member})
