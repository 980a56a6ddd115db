"""CSV that a spreadsheet opens without running anything in it."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import StreamingHttpResponse

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
