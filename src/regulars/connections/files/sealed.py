"""What of an import speaks of people, sealed under the import's own key: the file's name and the rows that were skipped or altered."""

import json
from collections.abc import Sequence
from uuid import UUID

from regulars.connections.files.models import Import, RejectedRows
from regulars.foundation.card_numbers import mask_card_numbers
from regulars.foundation.sealing import Cell, seal, unseal
from regulars.foundation.vault.keys import key_ring

Line = list[object]  # line, 'skipped' or 'altered', reason, cells
_LONGEST_NAME = 200


def key_of(row: Import) -> bytes:
    """The key under which the import's staged copy, name and rejected rows are sealed."""
    return key_ring().unwrap(row.master_id, bytes(row.wrapped_key), row.pk)


def seal_name(key: bytes, uid: UUID, name: str) -> bytes:
    return seal(key, name[-_LONGEST_NAME:].encode(), Cell("files_import", f"{uid} name", 0))


def name_of(row: Import) -> str:
    """What the file was called; its kind where that is not kept."""
    if not row.sealed_name:
        return f"{row.kind}.csv"
    return unseal(key_of(row), bytes(row.sealed_name), Cell("files_import", f"{row.uid} name", 0)).decode()


def seal_lines(key: bytes, uid: UUID, first_unit: int, lines: Sequence[Line]) -> bytes:
    return seal(key, json.dumps(lines, ensure_ascii=False).encode(), _cell(uid, first_unit))


def lines_of(rows: RejectedRows, key: bytes | None = None) -> list[Line]:
    """Rows of the reject file that one batch left."""
    plain = unseal(key or key_of(rows.source), bytes(rows.lines), _cell(rows.source.uid, rows.first_unit))
    lines: list[Line] = json.loads(plain)
    return lines


def kept_cells(cells: Sequence[str]) -> list[str]:
    """Cells of a rejected row as they may be kept: never the number of a payment card."""
    return [mask_card_numbers(cell) for cell in cells]


def _cell(uid: UUID, first_unit: int) -> Cell:
    return Cell("files_rejectedrows", str(uid), first_unit)
