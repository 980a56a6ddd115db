"""A staged file and how it is read: what staging, preview and applying share."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import BinaryIO
from uuid import UUID

from regulars.connections.files import copies, sniff
from regulars.connections.files.layouts.base import Columns, Kind, Layout, Reading
from regulars.connections.files.models import Import
from regulars.connections.files.options import Options
from regulars.connections.files.reading import Checked, check_whole
from regulars.connections.files.recognising import recognise
from regulars.connections.files.sniff import Format
from regulars.connections.files.values import Values
from regulars.foundation.shop.models import Store
from regulars.foundation.vault.keys import key_ring


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
        return self.reading.columns.places[self.layout.key] if self.layout.key else None

    def open(self) -> BinaryIO:
        return copies.open_copy(self.uid, self.key)

    def check(self) -> Checked:
        """Reads the whole file once. Raises RefusedFile."""
        with self.open() as file:
            return check_whole(file, self.format, self.key_column)


def open_source(uid: UUID, key: bytes, kind: Kind, store: Store, chosen: Options, at: datetime) -> Source:
    """Finds out how a staged file is written and which layout it has. Raises RefusedFile."""
    currency = chosen.currency or store.currency
    with copies.open_copy(uid, key) as file:
        sample = file.read(sniff.SAMPLE_BYTES)
    detected, rows = sniff.sniff(sample, currency)
    form = chosen.over(detected)
    if (form.encoding, form.separator) != (detected.encoding, detected.separator):
        text = sample.decode(form.encoding, errors="replace")
        rows = list(sniff.sample_rows(text, form.separator))
    headers = [header.strip() for header in rows[0]] if rows else []
    layout = recognise(headers, kind, chosen.layout, chosen.mapping)
    values = Values(form, chosen.zone(store.time_zone), currency, chosen.shift)
    return Source(
        uid, key, form, headers, layout, Reading(Columns(layout.places(headers)), values, store.pk, store.code)
    )


def source_of(row: Import) -> Source:
    """The source of an import whose staged copy is still there."""
    key = key_ring().unwrap(row.master_id, bytes(row.wrapped_key), row.pk)
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
