"""What can be asked about imports."""

from collections.abc import Iterator

from regulars.foundation.bulk import fetch

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
