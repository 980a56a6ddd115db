"""The rows of a list as CSV that a spreadsheet opens without running anything in it."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.http import StreamingHttpResponse

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.money import to_decimal
from regulars.foundation.pages.lists import CellKind, Column, ListPage, ListQuery

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00", "＝", "＋", "－", "＠")


class _Echo:
    """A file that hands back what is written to it, so that rows stream."""

    def write(self, value: str) -> str:
        return value


def escape_formula(value: Any) -> str:
    """Text that a spreadsheet would take for a formula gets a leading apostrophe (OWASP, 'CSV injection'); numbers stay numbers."""
    text = "" if value is None else str(value)
    if isinstance(value, str) and text.startswith(FORMULA_STARTS):
        return "'" + text
    return text


def csv_lines(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow([escape_formula(name) for name in header])
    for row in rows:
        yield writer.writerow([escape_formula(value) for value in row])


def csv_response(filename: str, header: Iterable[str], rows: Iterable[Iterable[Any]]) -> StreamingHttpResponse:
    response = StreamingHttpResponse(csv_lines(header, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


BATCH = 500
_PLAIN: Mapping[CellKind, Callable[[Any], Any]] = {
    "money": lambda pair: to_decimal(*pair),
    "when": lambda moment: moment.isoformat(),
    "date": lambda day: day.isoformat(),
    "pill": lambda pill: str(pill.text),
    "pills": lambda pills: ", ".join(str(pill.text) for pill in pills),
}


def exported(page: ListPage) -> list[Column]:
    return [column for column in page.columns if column.in_export]


def export_rows(page: ListPage, query: ListQuery, viewer: Viewer) -> Iterator[Sequence[Any]]:
    """All rows that match, one value for each exported column: amounts and moments as a machine reads them."""
    columns, ids = exported(page), sorted(page.ids(query, viewer))
    for start in range(0, len(ids), BATCH):
        rows = page.matching(query, viewer).filter(pk__in=ids[start : start + BATCH]).order_by("pk")
        for row in page.present(list(rows), viewer):
            yield [_plain(column, row) for column in columns]


def _plain(column: Column, row: Any) -> Any:
    value = column.read(row)
    return "" if value is None else _PLAIN.get(column.kind, lambda same: same)(value)
