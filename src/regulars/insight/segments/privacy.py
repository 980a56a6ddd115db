"""Segments that a person was in: the ledger stays, so that past counts stay as they were."""

from regulars.foundation.privacy import SubjectData, keep, register
from regulars.foundation.subjects import exported
from regulars.insight.segments.models import Membership
from regulars.record.customers.queries import customers_of

register(
    SubjectData(
        "segments_membership",
        lambda ids: exported(Membership.objects.filter(customer__in=set(customers_of(ids).values())).order_by("pk")),
        keep,
        "when a number was in a segment, and the figures that put it there",
    )
)
