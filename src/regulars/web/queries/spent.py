"""What customers have spent by the newest RFM snapshot: orders less refunds (docs/revenue.md)."""

from typing import Any

from django.db.models import QuerySet, Sum

from regulars.insight.rfm.models import RfmScore
from regulars.insight.rfm.queries import latest_snapshot


def spent_of(customers: QuerySet[Any], scores: QuerySet[RfmScore]) -> list[tuple[int, str]]:
    """Sum of the monetary values of these customers, whose key is the customer's; nothing before the first snapshot.

    ``scores`` are those of the newest snapshot that they are among: all of them, or fewer where they were chosen by their scores.
    """
    snapshot = latest_snapshot()
    if snapshot is None:
        return []
    found = scores.filter(customer__in=customers.values("pk"))
    return [(found.aggregate(total=Sum("monetary_minor"))["total"] or 0, snapshot.currency)]
