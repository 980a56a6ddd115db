"""Who may see carts."""

from regulars.foundation.access.rules import EVERYBODY, permit

permit("carts.view", "See open and abandoned carts", *EVERYBODY)
