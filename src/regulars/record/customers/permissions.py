"""Who may see and change customers."""

from regulars.foundation.access.rules import EVERYBODY, Role, offer_scope, permit

permit("customers.view", "See customers, with their names and addresses", *EVERYBODY)
permit(
    "customers.edit",
    "Change customers: contact data, tags, notes, do not contact",
    Role.MANAGER,
    Role.MARKETER,
    Role.AGENT,
    Role.OPERATIONS,
)
permit("customers.merge", "Say that two records are, or are not, one person", Role.MANAGER, Role.AGENT)
permit("customers.export", "Take lists of customers out of the house", Role.MANAGER, Role.MARKETER)
permit("customers.erase", "Export everything about a person, and erase a person", Role.MANAGER)
offer_scope("customers:read", "List and read customers", "customers.view")
offer_scope("customers:write", "Create and update customers", "customers.edit")
offer_scope("customers:merge", "Say that customers are, or are not, one person, and take that back", "customers.merge")
