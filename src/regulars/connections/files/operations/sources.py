"""A staged file and how it is read: what staging, preview and applying share."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import BinaryIO
from uuid import UUID

from regulars.connections.files import copies, sniff
from regulars.connections.files.errors import NotATable
from regulars.connections.files.fields import guess_mapping
from regulars.connections.files.layouts import lists
from regulars.connections.files.layouts.base import Columns, Kind, Layout, Reading
from regulars.connections.files.models import Import
from regulars.connections.files.options import Options
from regulars.connections.files.reading import MOST_COLUMNS, Checked, check_whole, read_rows
from regulars.connections.files.recognising import recognise
from regulars.connections.files.sealed import key_of
from regulars.connections.files.sniff import Format, folded
from regulars.connections.files.values import Values
from regulars.foundation.shop.models import Store
from regulars.record.customers.identifiers import OWN_KIND
from regulars.record.customers.operations.kinds import own_kinds

_SAMPLE_ROWS = 500


@dataclass(frozen=True)
class Source:
    """A staged file and how it is read; what staging, preview and applying share."""

    uid: UUID
    key: bytes
    format: Format
    headers: list[str]
    layout: Layout
    reading: Reading

    @property
    def key_column(self) -> int | None:
        return self.reading.columns.places.get(self.layout.key) if self.layout.key else None

    def open(self) -> BinaryIO:
        return copies.open_copy(self.uid, self.key)

    def check(self) -> Checked:
        """Reads the whole file once. Raises RefusedFile."""
        with self.open() as file:
            return check_whole(file, self.format, self.key_column)


def open_source(uid: UUID, key: bytes, kind: Kind, store: Store, chosen: Options, at: datetime) -> Source:
    """Finds out how a staged file is written and which layout it has. Raises RefusedFile, CopyGone."""
    currency = chosen.currency or store.currency
    form, rows = _sniffed_list(uid, key, chosen) if kind == Kind.LIST else _sniffed(uid, key, chosen, currency)
    headers = _headers(form, rows, kind)
    if len(headers) > MOST_COLUMNS:
        raise NotATable(f"The file has {len(headers):,} columns: this does not look like an export")
    mapping = chosen.mapping or (lists.guess_columns(headers, rows[form.has_header :]) if kind == Kind.LIST else {})
    layout = recognise(headers, kind, chosen.layout, mapping)
    values = Values(form, chosen.zone(store.time_zone), currency, chosen.shift)
    return Source(
        uid,
        key,
        form,
        headers,
        layout,
        Reading(Columns(layout.places(headers) | _own_kinds(headers)), values, store.pk, store.code, at),
    )


def _sniffed(uid: UUID, key: bytes, chosen: Options, currency: str) -> tuple[Format, list[list[str]]]:
    """How the file is written, choices over what was found, and its first rows; where these tell too little, all of it is looked at."""
    with copies.open_copy(uid, key) as file:
        sample = file.read(sniff.SAMPLE_BYTES)
        later = _first_foreign(file) if sample.isascii() and not chosen.encoding else b""
    detected, rows = sniff.sniff(sample, later)
    form = chosen.over(detected)
    if (form.encoding, form.separator) != (detected.encoding, detected.separator):
        rows = list(sniff.sample_rows(sample.decode(form.encoding, errors="replace"), form.separator))
    habits = sniff.Habits().see(rows[1:_SAMPLE_ROWS])
    if not (habits.is_settled or (chosen.decimal and chosen.date_order)):
        with copies.open_copy(uid, key) as file:
            for row in read_rows(file, form):
                if habits.see([row.cells]).is_settled:
                    break
    return chosen.over(sniff.with_habits(form, habits, currency)), rows


def _headers(form: Format, rows: list[list[str]], kind: Kind) -> list[str]:
    """Names of the columns. They are kept in clear, and a list's first line may be somebody: there they are numbers, unless the line
    plainly names columns.
    """
    names = [header.strip() for header in rows[0]] if rows else []
    if kind != Kind.LIST or (form.has_header and (guess_mapping(names, kind) or _own_kinds(names))):
        return names
    return [f"Column {number}" for number in range(1, len(names) + 1)]


def _sniffed_list(uid: UUID, key: bytes, chosen: Options) -> tuple[Format, list[list[str]]]:
    """As ``_sniffed``, of a file in which one column is enough, and that may have no header. Amounts and dates are not its matter."""
    with copies.open_copy(uid, key) as file:
        sample = file.read(sniff.SAMPLE_BYTES)
        later = _first_foreign(file) if sample.isascii() and not chosen.encoding else b""
    form, rows = sniff.sniff(sample, later, is_bare=True)
    return replace(chosen.over(form), has_header=lists.has_header(rows)), rows


def _first_foreign(file: BinaryIO) -> bytes:
    """The first piece of the file that is not plain ASCII."""
    pieces = copies.plain_pieces(file)
    return next((piece for piece in pieces if not piece.isascii()), b"")


def source_of(row: Import) -> Source:
    """The source of an import whose staged copy is still there."""
    key = key_of(row)
    form = Format.from_json(row.format)
    chosen = Options(**row.options)
    fixed = replace(
        chosen,
        encoding=form.encoding,
        separator=form.separator,
        decimal="comma" if form.decimal_comma else "point",
        date_order=form.date_order.value,
    )
    return open_source(row.uid, key, Kind(row.kind), row.store, fixed, row.created_at)


def _own_kinds(headers: Sequence[str]) -> dict[str, int]:
    """Columns that carry an identifier of the shop's own: they are headed by its name, or by what it is called."""
    named = {folded(word): f"{OWN_KIND}{name}" for name, label in own_kinds() for word in (name, label)}
    return {named[folded(header)]: place for place, header in enumerate(headers) if folded(header) in named}
