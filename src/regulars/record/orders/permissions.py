"""Who may see and change orders."""

from regulars.foundation.access.rules import EVERYBODY, Role, offer_scope, permit

permit("orders.view", "See orders, payments and refunds", *EVERYBODY)
permit("orders.edit", "Record and change orders", Role.MANAGER, Role.AGENT, Role.OPERATIONS)
permit("orders.export", "Take lists of orders out of the house", Role.MANAGER, Role.OPERATIONS, Role.ANALYST)
offer_scope("orders:read", "List and read orders", "orders.view")
offer_scope("orders:write", "Create and update orders", "orders.edit")
