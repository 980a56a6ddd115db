"""An export as a person gets it: one ZIP with everything as JSON, and one CSV for each table."""

import csv
import io
import json
import zipfile
from typing import Any

from regulars.foundation.pages.export import escape_formula
from regulars.record.customers.operations.erasure import Subject


def to_zip(subject: Subject) -> bytes:
    """``export.json`` and ``<table>.csv``; cells that a spreadsheet would take for formulas are text."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("export.json", to_json(subject))
        for table, rows in sorted(subject.tables.items()):
            archive.writestr(f"{table}.csv", _csv(rows))
    return packed.getvalue()


def to_json(subject: Subject) -> str:
    whole = {"customer": subject.customer, "since": subject.since.isoformat(), "tables": subject.tables}
    return json.dumps(whole, ensure_ascii=False, indent=1, default=str)


def _csv(rows: list[dict[str, Any]]) -> str:
    columns = list(rows[0])
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([escape_formula(name) for name in columns])
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in columns])
    return out.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, dict | list):
        return escape_formula(json.dumps(value, ensure_ascii=False, default=str))
    return escape_formula(value)
