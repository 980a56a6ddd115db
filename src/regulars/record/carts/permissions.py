"""Who may see carts."""

from regulars.foundation.access.rules import EVERYBODY, offer_scope, permit

permit("carts.view", "See open and abandoned carts", *EVERYBODY)
offer_scope("carts:read", "List and read carts", "carts.view")
