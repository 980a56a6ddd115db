"""What a staged file would say, for a person to check before anything is imported."""

from dataclasses import dataclass
from itertools import islice

from regulars.connections.files.fields import FIELDS
from regulars.connections.files.layouts.base import Kind, Note
from regulars.connections.files.models import Import
from regulars.connections.files.operations.sources import source_of
from regulars.connections.files.operations.staging import sample_units
from regulars.connections.files.reading import data_rows
from regulars.connections.files.recognising import find_missing

_ROWS = 5
_UNITS = 100


@dataclass(frozen=True)
class MappedField:
    """One field of ours, the header that it is read from, and its first values."""

    name: str
    label: str
    header: str
    examples: list[str]
    is_required: bool


@dataclass(frozen=True)
class Preview:
    """``fields`` are all that there are; ``understood`` of ``looked_at`` units can be used; ``notes`` say what would be skipped or altered."""

    headers: list[str]
    rows: list[list[str]]
    fields: list[MappedField]
    looked_at: int
    understood: int
    notes: list[Note]
    is_free: bool  # any table: the mapping can be edited


def read_preview(row: Import) -> Preview:
    """Reads the beginning of the staged copy."""
    source = source_of(row)
    with source.open() as file:
        first = [found.cells for found in islice(data_rows(file, source.format), _ROWS)]
    units = [] if find_missing(source.headers, source.layout) else sample_units(source, _UNITS)
    places = source.reading.columns.places
    known = FIELDS[Kind(row.kind)]
    is_free = source.layout.name.startswith("any-")
    names = list(known) if is_free else [name for name in source.layout.columns if name in places]
    return Preview(
        headers=source.headers,
        rows=first,
        fields=[
            MappedField(
                name,
                known[name].label if name in known else name.replace("_", " ").capitalize(),
                source.headers[places[name]] if name in places else "",
                [
                    cells[places[name]]
                    for cells in first
                    if name in places and places[name] < len(cells) and cells[places[name]]
                ][:2],
                name in source.layout.required,
            )
            for name in names
        ],
        looked_at=len(units),
        understood=sum(bool(unit.said) for unit in units),
        notes=[note for unit in units for note in unit.notes][:10],
        is_free=is_free,
    )
