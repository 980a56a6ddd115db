"""Who has an order, told to those who decide who is who."""

from collections.abc import Collection

from regulars.foundation.bulk import fetch
from regulars.record.customers.operations import note_buyers

_BUYING = """
SELECT p.id FROM unnest(%s::bigint[]) AS p(id) WHERE EXISTS (SELECT 1 FROM orders_order o WHERE o.profile_id = p.id OFFSET 0)
"""


def tell_buyers(profiles: Collection[int], batch_id: int) -> set[int]:
    """Of whom it is news; these are to be resolved."""
    wanted = list(profiles)
    return note_buyers(wanted, {row for (row,) in fetch(_BUYING, [wanted])}, batch_id) if wanted else set()
