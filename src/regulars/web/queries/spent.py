"""What customers have spent by the newest RFM snapshot: orders less refunds (docs/revenue.md)."""

from typing import Any

from django.db.models import QuerySet, Sum

from regulars.insight.rfm.models import RfmScore
from regulars.insight.rfm.queries import latest_snapshot


def spent_of(customers: QuerySet[Any]) -> list[tuple[int, str]]:
    """Sum of the monetary values of these customers, whose key is the customer's; nothing before the first snapshot."""
    snapshot = latest_snapshot()
    if snapshot is None:
        return []
    scores = RfmScore.objects.filter(snapshot=snapshot.pk, customer__in=customers.values("pk"))
    return [(scores.aggregate(total=Sum("monetary_minor"))["total"] or 0, snapshot.currency)]
