"""Do the cached cards say what the facts say?"""

from regulars.record.customers.operations import verify_cards


def differences() -> list[str]:
    """One sentence for each customer whose card differs from the fold."""
    return [
        f"customer {customer}: the card is not what contact data, tags and profiles come to"
        for customer in verify_cards()
    ]
