"""Do the memberships say what the snapshot says by which they were decided last?"""

from regulars.foundation.bulk import fetch
from regulars.insight.rfm.models import RfmSnapshot
from regulars.insight.rfm.rules import NUMBER
from regulars.insight.segments.models import Segment
from regulars.insight.segments.rules import parse_definition

_STATEMENT = """
SELECT count(*) FILTER (WHERE s.customer_id IS NULL), count(*) FILTER (WHERE open.customer_id IS NULL)
FROM (SELECT customer_id FROM rfm_rfmscore WHERE snapshot_id = %(snapshot)s AND segment = %(number)s) s
FULL JOIN (SELECT customer_id FROM segments_membership WHERE segment_id = %(segment)s AND left_at IS NULL) open USING (customer_id)
"""


def differences() -> list[str]:
    """One sentence for each segment whose members differ. A merge since then is told by its own difference until the next refresh."""
    found = []
    for segment in Segment.objects.filter(kind="rfm", refreshed_at__isnull=False).order_by("id"):
        as_of = segment.refreshed_at or segment.created_at
        decided = RfmSnapshot.objects.filter(as_of=as_of, position__lte=segment.position, thinned_at=None)
        snapshot = decided.order_by("-position", "-id").first()
        if snapshot:
            number = NUMBER[parse_definition(segment.definition).segment]
            ((more, fewer),) = fetch(_STATEMENT, {"snapshot": snapshot.id, "number": number, "segment": segment.id})
            found += (
                [f"segment {segment.key}: {more} members whom RFM snapshot {snapshot.id} does not put there"]
                if more
                else []
            )
            found += (
                [f"segment {segment.key}: {fewer} customers of RFM snapshot {snapshot.id} are no members"]
                if fewer
                else []
            )
    return found
