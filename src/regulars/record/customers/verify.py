"""Do the cached cards, and the map of who is who, say what the facts say?"""

from regulars.record.customers.operations import verify_cards
from regulars.record.customers.operations.identities import verify_map


def differences() -> list[str]:
    """One sentence for each customer whose card or profiles differ from what follows from the facts."""
    cards = [
        f"customer {customer}: the card is not what contact data, tags and profiles come to"
        for customer in verify_cards()
    ]
    return cards + [
        f"customer {customer}: its profiles are not those that links, facts and decisions make one person"
        for customer in verify_map()
    ]
