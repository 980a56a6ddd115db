"""Pure decisions about people: who is who, what is no identifier, when names contradict each other."""

from regulars.record.customers.rules.decisions import Decision, Pair
from regulars.record.customers.rules.looks import guess_look
from regulars.record.customers.rules.people import (
    MOST_PROFILES,
    WIDEST,
    Case,
    Identity,
    Key,
    People,
    Profile,
    Reason,
    components,
    is_shared,
)
from regulars.record.customers.rules.placeholders import (
    is_nobodys_domain,
    is_placeholder,
    is_placeholder_id,
    is_placeholder_number,
)

__all__ = [
    "MOST_PROFILES",
    "WIDEST",
    "Case",
    "Decision",
    "Identity",
    "Key",
    "Pair",
    "People",
    "Profile",
    "Reason",
    "components",
    "guess_look",
    "is_nobodys_domain",
    "is_placeholder",
    "is_placeholder_id",
    "is_placeholder_number",
    "is_shared",
]
