"""What can be asked about imports."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from regulars.connections.files.models import Import, RejectedRows
from regulars.foundation.bulk import fetch
from regulars.foundation.sealing import Cell, unseal
from regulars.foundation.vault.keys import key_ring

_UNMATCHED = """
SELECT DISTINCT r.id FROM orders_refund r JOIN orders_refundline rl ON rl.refund_id = r.id
WHERE rl.line_id IS NULL AND r.profile_id IS NOT NULL AND r.id > %s
  AND r.batch_id IN (SELECT id FROM events_batch WHERE source = 'import' AND reference = %s)
ORDER BY r.id LIMIT 500
"""


def unmatched_refunds(reference: str) -> Iterator[list[int]]:
    """Refunds that an import brought and whose lines match no order line yet; ids in slices of 500."""
    last = 0
    while ids := [row for (row,) in fetch(_UNMATCHED, [last, reference])]:
        yield ids
        last = ids[-1]


@dataclass(frozen=True)
class Reject:
    """A row that was skipped or altered, with its line in the file and the reason."""

    line: int
    outcome: str
    reason: str
    cells: list[str]


def list_rejects(row: Import) -> Iterator[Reject]:
    """Rows of the reject file in the order in which they were met, opened batch by batch."""
    key = key_ring().unwrap(row.master_id, bytes(row.wrapped_key), row.pk)
    for batch in RejectedRows.objects.filter(source=row).order_by("first_unit").iterator(chunk_size=10):
        plain = unseal(key, bytes(batch.lines), Cell("files_rejectedrows", str(row.uid), batch.first_unit))
        yield from (Reject(*entry) for entry in json.loads(plain))
