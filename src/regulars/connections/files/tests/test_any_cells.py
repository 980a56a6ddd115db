"""Whatever stands in the cells, no layout breaks: each row is used, altered or skipped with a reason."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.connections.files.fields import FIELDS
from regulars.connections.files.layouts import LAYOUTS, Layout
from regulars.connections.files.layouts.base import Columns, Reading, build_safely
from regulars.connections.files.reading import Row, Unit
from regulars.connections.files.sniff import Format
from regulars.connections.files.values import Values

AT = datetime(2026, 11, 1, tzinfo=UTC)
CELL = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["", "0", "-1", "1e400", "NaN", "2.5", "1.234,56", "2026-01-31", "31/12/2025 25:00"]),
    st.sampled_from(["ann@shop.example", "+447700900123", "yes", "no", "GBP", "XXX", "United Kingdom"]),
    st.sampled_from(["paid", "completed", "cancelled", "name:x|quantity:0|total:5", "'=1+1", "9" * 30, "S" * 2000]),
)


def fields_of(layout: Layout) -> list[str]:
    return list(layout.columns) or list(FIELDS[layout.kind])


@pytest.mark.parametrize("name", list(LAYOUTS))
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_every_row_is_accounted_for(name: str, data: st.DataObject) -> None:
    layout = LAYOUTS[name]
    fields = fields_of(layout)
    count = data.draw(st.integers(1, 3)) if layout.key else 1
    width = st.just(len(fields)) | st.integers(0, len(fields) + 2)
    rows = [
        Row(line, data.draw(width.flatmap(lambda n: st.lists(CELL, min_size=n, max_size=n))))
        for line in range(2, 2 + count)
    ]
    values = Values(Format("utf-8", ","), ZoneInfo("Europe/London"), "GBP")
    places = {field: place for place, field in enumerate(fields)}
    built = build_safely(
        layout, Unit(data.draw(CELL).strip(), rows), Reading(Columns(places), values, 1, "uk", AT), len(fields)
    )
    lines = {row.line for row in rows}
    skipped = {note.line for note in built.notes.values() if note.is_skipped}
    altered = {note.line for note in built.notes.values() if not note.is_skipped}
    assert built.notes.keys() <= lines
    assert len(skipped) + len(altered) == len(built.notes)
    assert all(note.reason for note in built.notes.values())
    assert built.said or skipped == lines
