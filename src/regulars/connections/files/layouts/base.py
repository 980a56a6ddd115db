"""What a layout is: which columns it has, which rows belong together, and how they become canonical inputs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from regulars.connections.files.reading import Row, Unit
from regulars.connections.files.sniff import folded
from regulars.connections.files.values import Unreadable, Values, strip_escape
from regulars.foundation.errors import InvalidInput
from regulars.foundation.registry import Registry
from regulars.record.catalog.inputs import ProductInput
from regulars.record.consent.inputs import ConsentInput, SuppressionInput
from regulars.record.customers.inputs import PersonInput
from regulars.record.orders.inputs import AdjustmentInput, OrderInput, RefundInput


class Kind(StrEnum):
    """What a file is about."""

    ORDERS = "orders"
    CUSTOMERS = "customers"
    PRODUCTS = "products"
    CONSENT = "consent"
    LIST = "list"


@dataclass(frozen=True)
class Note:
    """What happened to one row that was not taken as it stood."""

    line: int
    reason: str
    is_skipped: bool


@dataclass
class Built:
    """What one unit of rows says, as canonical inputs, and what is to be said about its rows. A row has one note at most."""

    orders: list[OrderInput] = field(default_factory=list)
    refunds: list[RefundInput] = field(default_factory=list)
    adjustments: list[AdjustmentInput] = field(default_factory=list)
    people: list[PersonInput] = field(default_factory=list)
    products: list[ProductInput] = field(default_factory=list)
    consents: list[ConsentInput] = field(default_factory=list)
    suppressions: list[SuppressionInput] = field(default_factory=list)
    listed: list[PersonInput] = field(default_factory=list)  # who is put on a list or taken off
    notes: dict[int, Note] = field(default_factory=dict)

    @property
    def said(self) -> list[object]:
        """Every input, of whatever kind."""
        return [
            *self.orders,
            *self.refunds,
            *self.adjustments,
            *self.people,
            *self.products,
            *self.consents,
            *self.suppressions,
            *self.listed,
        ]

    def alter(self, row: Row, reason: str) -> None:
        """The row is taken, but not as it stood."""
        self.notes.setdefault(row.line, Note(row.line, reason, False))

    def skip(self, row: Row, reason: str) -> None:
        self.notes[row.line] = Note(row.line, reason, True)

    @classmethod
    def skipped(cls, unit: Unit, reason: str) -> "Built":
        """Nothing of the unit can be used."""
        built = cls()
        for row in unit.rows:
            built.skip(row, reason)
        return built


@dataclass(frozen=True)
class Columns:
    """Where each field stands in a row."""

    places: Mapping[str, int]

    def cell(self, row: Row, name: str) -> str:
        """Text of a field, trimmed; '' where the file or the row does not have it."""
        place = self.places.get(name, -1)
        if not 0 <= place < len(row.cells):
            return ""
        text = row.cells[place].strip()
        return strip_escape(text) if text[:1] == "'" else text

    def first(self, rows: Sequence[Row], name: str) -> str:
        """First text of a field among rows that belong together."""
        return next((text for row in rows if (text := self.cell(row, name))), "")


@dataclass(frozen=True)
class Reading:
    """Everything that a builder may ask: where fields stand, how cells are read, for which store."""

    columns: Columns
    values: Values
    store_id: int
    store_code: str
    at: datetime  # when the file came: for what has no date of its own


Builder = Callable[[Unit, Reading], Built]


@dataclass(frozen=True)
class Layout:
    """One known export. ``columns`` maps our fields to its headers ('A|B': whichever is there); ``required`` are the fields without
    which it is another file. One that is not ``is_guessed`` is used only where it is named.
    """

    name: str
    kind: Kind
    title: str
    columns: Mapping[str, str]
    required: tuple[str, ...]
    build: Builder
    key: str | None = None  # field whose equal values make one unit; None: each row is one
    is_guessed: bool = True
    source: str = ""  # where its columns are described

    def matches(self, headers: Sequence[str]) -> bool:
        places = self.places(headers)
        return all(name in places for name in self.required)

    def places(self, headers: Sequence[str]) -> dict[str, int]:
        """Column of each field that the file has."""
        there = {folded(header): place for place, header in reversed(list(enumerate(headers)))}
        found = {
            name: next((there[folded(h)] for h in header.split("|") if folded(h) in there), -1)
            for name, header in self.columns.items()
        }
        return {name: place for name, place in found.items() if place >= 0}


LAYOUTS: Registry[Layout] = Registry("layout")


def register(layout: Layout) -> Layout:
    return LAYOUTS.register(layout.name, layout)


def build_safely(layout: Layout, unit: Unit, reading: Reading, width: int) -> Built:
    """What the unit says; rows that cannot be read are skipped with their reason, never raised."""
    short = [row for row in unit.rows if len(row.cells) != width and (len(row.cells) < width or any(row.cells[width:]))]
    whole = Unit(unit.key, [row for row in unit.rows if row not in short]) if short else unit
    built = _built(layout, whole, reading) if whole.rows else Built()
    for row in whole.rows:
        if max(map(len, row.cells), default=0) > _LONG:
            _note_cuts(row, reading, built)
    for row in short:
        built.skip(row, f"has {len(row.cells)} columns instead of {width}")
    return built


_LONG = 60  # no cell up to this is ever cut
_LENGTHS = {
    "sku": 120,
    "product_key": 120,
    "title": 1000,
    "remarks": 4000,
    "note": 4000,
    "discount_codes": 500,
    "channel": 40,
    **dict.fromkeys(("name", "first_name", "last_name", "company", "street", "city", "region", "postal_code"), 300),
}


def _note_cuts(row: Row, reading: Reading, built: Built) -> None:
    for name in reading.columns.places.keys() & _LENGTHS.keys():
        if len(reading.columns.cell(row, name)) > _LENGTHS[name]:
            built.alter(row, f"{name.replace('_', ' ')}: longer than {_LENGTHS[name]} letters, and was cut")


def _built(layout: Layout, unit: Unit, reading: Reading) -> Built:
    try:
        return layout.build(unit, reading)
    except Unreadable as error:
        return Built.skipped(unit, str(error))
    except InvalidInput as error:
        return Built.skipped(unit, error.sentence)
