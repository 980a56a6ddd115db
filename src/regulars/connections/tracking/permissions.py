"""Who may make keys for trackers, and see what was refused."""

from regulars.foundation.access.rules import Role, permit

permit("tracking.view", "See tracking keys and what was refused under them", Role.MANAGER, Role.OPERATIONS)
permit("tracking.manage", "Make and revoke tracking keys", Role.MANAGER)
