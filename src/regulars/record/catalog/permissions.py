"""Who may see and change the catalog."""

from regulars.foundation.access.rules import EVERYBODY, Role, offer_scope, permit

permit("products.view", "See products, prices and stock", *EVERYBODY)
permit("products.edit", "Change products, prices and stock", Role.MANAGER, Role.OPERATIONS)
permit("products.export", "Take lists of products out of the house", Role.MANAGER, Role.OPERATIONS, Role.ANALYST)
offer_scope("products:read", "List and read products", "products.view")
offer_scope("products:write", "Create and update products", "products.edit")
