"""What orders do when they hear of other modules' events."""

from collections.abc import Sequence
from datetime import datetime

from regulars.record.customers.events import MERGED, SPLIT
from regulars.record.events.readers import Reader, Recorded
from regulars.record.orders.operations import refresh_figures


def refresh_changed_customers(events: Sequence[Recorded], at: datetime) -> None:
    """After a merge or split every customer that took part has other orders than before."""
    customers: set[int] = set()
    for event in events:
        customers |= {event.data["kept"], *event.data.get("gone", []), *event.data.get("new", [])}
    refresh_figures(customers)


FIGURES = Reader("orders.figures", frozenset({MERGED, SPLIT}), refresh_changed_customers)
