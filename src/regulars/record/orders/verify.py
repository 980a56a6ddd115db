"""Do the cached figures say what the facts say?"""

from regulars.record.orders.operations import verify_figures


def differences() -> list[str]:
    """One sentence for each customer whose figures differ from the fold."""
    return [f"customer {f.customer_id}: the figures say {f.cached}, the facts {f.folded}" for f in verify_figures()]
