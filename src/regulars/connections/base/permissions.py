"""Who may connect shops."""

from regulars.foundation.access.rules import Role, permit

permit(
    "connections.view", "See connected shops and what was found missing", Role.MANAGER, Role.OPERATIONS, Role.ANALYST
)
permit("connections.manage", "Connect shops, pull them anew, and end connections", Role.MANAGER)
