"""Bookings that are neither a sale nor a refund."""

from collections.abc import Sequence

from regulars.foundation.bulk import fetch
from regulars.record.orders.inputs import AdjustmentInput
from regulars.record.orders.models import Adjustment
from regulars.record.orders.operations.context import Context


def apply_adjustments(adjustments: Sequence[AdjustmentInput], context: Context) -> int:
    """Stores those whose number is new; how many. A ledger's booking does not change, so a known number changes nothing."""
    wanted = {a.number: a for a in adjustments}
    if not wanted:
        return 0
    rows = fetch(
        "SELECT number FROM orders_adjustment WHERE store_id = %s AND number = ANY(%s)",
        [context.store_id, list(wanted)],
    )
    fresh = wanted.keys() - {number for (number,) in rows}
    Adjustment.objects.bulk_create(
        Adjustment(
            store_id=context.store_id,
            number=a.number,
            occurred_at=a.occurred_at,
            currency=a.currency,
            amount_minor=a.amount_minor,
            reason=a.reason,
            batch_id=context.log.batch_id,
        )
        for a in wanted.values()
        if a.number in fresh
    )
    return len(fresh)
