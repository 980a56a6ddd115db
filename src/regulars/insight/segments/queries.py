"""What can be asked of segments: definitions, members, counts at any moment, movement."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from regulars.foundation.errors import NotFound
from regulars.foundation.ids import from_public
from regulars.insight.segments.models import Deviation, Membership, Segment


@dataclass(frozen=True)
class Change:
    """How many entered and left a segment in a span; initial entries are not entries."""

    entered: int
    left: int


def list_segments() -> list[Segment]:
    return list(Segment.objects.order_by("id"))


def names_of_segments() -> dict[str, str]:
    """What those that are not put away are called, by key."""
    return dict(Segment.objects.filter(is_archived=False).order_by("name").values_list("key", "name"))


def get_segment(name: str) -> Segment:
    """By public id (``seg_…``) or key (``at-risk``). Raises NotFound."""
    name = name.replace("\x00", " ")  # the database holds no such character
    by_id = name.startswith(f"{Segment.PREFIX}_")
    found = Segment.objects.filter(**({"uid": from_public(Segment.PREFIX, name)} if by_id else {"key": name})).first()
    if found is None:
        raise NotFound(f"There is no segment {name}")
    return found


def members(
    segment: Segment, at: datetime | None = None, store_ids: frozenset[int] | None = None
) -> QuerySet[Membership]:
    """Memberships that hold now, or held at a moment; limited to customers of these stores."""
    rows = Membership.objects.filter(segment=segment)
    rows = rows.filter(left_at=None) if at is None else rows.filter(_held_at(at))
    return rows if store_ids is None else rows.filter(customer__customercard__stores__overlap=sorted(store_ids))


def deviations(since: datetime, store_ids: frozenset[int] | None = None) -> QuerySet[Deviation]:
    """What nightly checks since then found wrong and mended, newest first; of segments that are kept right still."""
    rows = Deviation.objects.filter(found_at__gte=since, segment__is_archived=False).order_by("-found_at", "-id")
    return rows if store_ids is None else rows.filter(customer__customercard__stores__overlap=sorted(store_ids))


def counts(at: datetime | None = None, store_ids: frozenset[int] | None = None) -> dict[int, int]:
    """Members of each segment (by id) now, or at a moment; segments without any are left out."""
    rows = Membership.objects.filter(left_at=None) if at is None else Membership.objects.filter(_held_at(at))
    if store_ids is not None:
        rows = rows.filter(customer__customercard__stores__overlap=sorted(store_ids))
    return dict(rows.values_list("segment_id").annotate(Count("id")))


def count_changes(segment: Segment, since: datetime, until: datetime) -> Change:
    """Entries and exits in ``since < moment <= until``."""
    rows = Membership.objects.filter(segment=segment)
    entered = Q(entered_at__gt=since, entered_at__lte=until, is_initial=False)
    left = Q(left_at__gt=since, left_at__lte=until)
    found = rows.aggregate(entered=Count("id", filter=entered), left=Count("id", filter=left))
    return Change(found["entered"], found["left"])


def memberships_of(customer_id: int) -> list[Membership]:
    """All of a customer's memberships, newest first, with their segments."""
    return list(
        Membership.objects.filter(customer=customer_id).select_related("segment").order_by("-entered_at", "-id")
    )


def who_is_in(
    customer_ids: Iterable[int], key: str, at: datetime, known_at: int | None = None
) -> Mapping[int, Membership]:
    """Those of the customers who were in the segment at a moment, with the membership that says so; as known at a position."""
    rows = Membership.objects.filter(segment__key=key, customer__in=list(customer_ids)).filter(_held_at(at))
    if known_at is not None:
        rows = rows.filter(batch__last_position__lte=known_at)
    return {row.customer_id: row for row in rows.order_by("entered_at", "id")}


def _held_at(at: datetime) -> Q:
    return Q(entered_at__lte=at) & (Q(left_at=None) | Q(left_at__gt=at))
