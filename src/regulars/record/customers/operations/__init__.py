"""What can be done to customers: one function each, one transaction, events last."""

from regulars.record.customers.operations.cards import refresh_cards, verify_cards
from regulars.record.customers.operations.decisions import decide_link
from regulars.record.customers.operations.identities import note_buyers, resolve
from regulars.record.customers.operations.profiles import ensure_profiles
from regulars.record.customers.operations.staff import (
    add_note,
    class_attribute,
    edit_contact,
    remove_note,
    set_attribute,
    set_tag,
)

__all__ = [
    "add_note",
    "class_attribute",
    "decide_link",
    "edit_contact",
    "ensure_profiles",
    "note_buyers",
    "refresh_cards",
    "remove_note",
    "resolve",
    "set_attribute",
    "set_tag",
    "verify_cards",
]
