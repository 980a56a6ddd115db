"""The ledger of a segment as a list: filtered, counted and exported alike, so that every number on a page can open its rows."""

from django.db.models import QuerySet

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.pages.days import within_days
from regulars.foundation.pages.lists import ListQuery
from regulars.insight.segments.models import Membership, Segment


def rows_of(segment: Segment, query: ListQuery, viewer: Viewer) -> QuerySet[Membership]:
    """Stays in a segment that fit the filters ``state``, ``came``, ``entered`` and ``left``, of customers whom the viewer may see."""
    rows = Membership.objects.filter(segment=segment)
    if viewer.store_ids is not None:
        rows = rows.filter(customer__customercard__stores__overlap=sorted(viewer.store_ids))
    state, came = query.one("state"), query.one("came")
    if state:
        rows = rows.filter(left_at__isnull=state == "now")
    if came:
        rows = rows.filter(is_initial=came == "initial")
    return rows.filter(within_days("entered_at", query.dates, "entered"), within_days("left_at", query.dates, "left"))
