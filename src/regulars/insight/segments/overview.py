"""What the pages of segments show, put together from snapshots and the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from regulars.foundation.access.viewer import Viewer
from regulars.insight.rfm import queries as rfm
from regulars.insight.rfm.models import RfmSnapshot
from regulars.insight.rfm.queries import Tally
from regulars.insight.rfm.rules import SEGMENTS, RfmSegment
from regulars.insight.segments import queries
from regulars.insight.segments.models import Segment
from regulars.insight.segments.words import WORDS, Words

NOBODY = Tally(0, 0)


@dataclass(frozen=True)
class Line:
    """One of the eleven: now, and the change since the snapshot to compare with (None where there is none)."""

    segment: RfmSegment
    words: Words
    now: Tally
    change: int | None

    @property
    def href(self) -> str:
        return f"/segments/{self.segment.value}"

    @property
    def customers_href(self) -> str:
        return customers_href(rfm=[self.segment.value])


@dataclass(frozen=True)
class Cell:
    """One field of the map. ``shade`` is 0 to 6, by its share of the fullest field."""

    r: int
    f: int
    tally: Tally
    shade: int

    @property
    def href(self) -> str:
        return customers_href(r=[str(self.r)], f=[str(self.f)])


@dataclass(frozen=True)
class Overview:
    """The newest snapshot in lines and as a map; ``rows`` from the best frequency down."""

    snapshot: RfmSnapshot
    before: RfmSnapshot | None
    lines: Sequence[Line]
    rows: Sequence[tuple[int, Sequence[Cell]]]
    total: Tally

    @property
    def all_href(self) -> str:
        return customers_href(rfm=[s.value for s in SEGMENTS])


@dataclass(frozen=True)
class Flow:
    """One field of the movement: how many went from the row's segment to the column's. ``href`` is empty where there is no list."""

    customers: int
    shade: int
    href: str
    is_same: bool


@dataclass(frozen=True)
class MovementRow:
    """Where those who were in one segment (None: in none yet) are now."""

    before: RfmSegment | None
    words: Words | None
    flows: Sequence[Flow]
    total: int

    @property
    def href(self) -> str:
        return customers_href(rfm=[s.value for s in SEGMENTS], rfm_was=[self.before.value if self.before else "none"])


@dataclass(frozen=True)
class Point:
    """A segment at one date."""

    at: datetime
    tally: Tally


def customers_href(**filters: list[str]) -> str:
    """Address of the list of customers with these filters."""
    return "/customers?" + urlencode(filters, doseq=True)


def read_overview(viewer: Viewer) -> Overview | None:
    """None before the first snapshot."""
    snapshot = rfm.latest_snapshot()
    if snapshot is None:
        return None
    before = rfm.month_before(snapshot)
    now = rfm.tallies(snapshot, viewer.store_ids)
    then = rfm.tallies(before, viewer.store_ids) if before else {}
    lines = [
        Line(s, WORDS[s], now[s], now[s].customers - then.get(s, NOBODY).customers if before else None)
        for s in SEGMENTS
    ]
    total = Tally(sum(t.customers for t in now.values()), sum(t.monetary_minor for t in now.values()))
    return Overview(snapshot, before, lines, _map_rows(snapshot, viewer), total)


def _map_rows(snapshot: RfmSnapshot, viewer: Viewer) -> list[tuple[int, list[Cell]]]:
    cells = rfm.grid(snapshot, viewer.store_ids)
    fullest = max(tally.customers for tally in cells.values())
    scores = range(1, snapshot.scale + 1)
    return [
        (f, [Cell(r, f, cells[r, f], shade(cells[r, f].customers, fullest)) for r in scores]) for f in reversed(scores)
    ]


def shade(count: int, fullest: int) -> int:
    """0 for nobody, then 1 to 6."""
    return -(-6 * count // fullest) if fullest else 0


def read_movement(snapshot: RfmSnapshot, before: RfmSnapshot, viewer: Viewer) -> list[MovementRow]:
    """Every row and column of the eleven, then those who were not there; those who are no longer there stand in no column."""
    counts = {(m.before, m.after): m.customers for m in rfm.movement(before, snapshot, viewer.store_ids)}
    fullest = max((n for (b, a), n in counts.items() if b != a and b is not None), default=0)
    rows = []
    for source in (*SEGMENTS, None):
        flows = [_flow(source, target, counts, fullest) for target in SEGMENTS]
        rows.append(MovementRow(source, WORDS[source] if source else None, flows, sum(f.customers for f in flows)))
    return rows


def _flow(
    source: RfmSegment | None,
    target: RfmSegment,
    counts: dict[tuple[RfmSegment | None, RfmSegment | None], int],
    fullest: int,
) -> Flow:
    count = counts.get((source, target), 0)
    is_same = source == target
    href = customers_href(rfm=[target.value], rfm_was=[source.value if source else "none"])
    return Flow(count, 0 if is_same or source is None else min(shade(count, fullest), 4), href, is_same)


def read_history(segment: RfmSegment, viewer: Viewer) -> list[Point]:
    """The segment at each monthly date, and now."""
    return [Point(s.as_of, rfm.tallies(s, viewer.store_ids)[segment]) for s in rfm.list_months()]


def ledger_href(segment: Segment, **filters: str) -> str:
    """Address of a segment's ledger with these filters."""
    return f"/segments/{segment.key}/members" + ("?" + urlencode(filters) if filters else "")


def count_members(segment: Segment, viewer: Viewer) -> int:
    return queries.members(segment, store_ids=viewer.store_ids).count()
