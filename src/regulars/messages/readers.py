"""What messages do when they hear of other modules' events."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from regulars.record.customers.events import MERGED, SPLIT
from regulars.record.events.readers import Reader, Recorded

_FOLLOW = """
UPDATE outbox_message o SET customer_id = m.customer_id
FROM customers_customerprofile m
WHERE m.profile_id = o.profile_id AND m.until_batch_id IS NULL AND o.customer_id <> m.customer_id AND o.customer_id = ANY(%s)
"""


def follow_merges(events: Sequence[Recorded], at: datetime) -> None:
    """Messages follow their profiles to the customers that these belong to now, so that caps and the timeline count them."""
    customers: set[int] = set()
    for event in events:
        customers |= {event.data["kept"], *event.data.get("gone", []), *event.data.get("new", [])}
    with connection.cursor() as cursor:
        cursor.execute(_FOLLOW, [sorted(customers)])


MERGES = Reader("messages.merges", frozenset({MERGED, SPLIT}), follow_merges)
