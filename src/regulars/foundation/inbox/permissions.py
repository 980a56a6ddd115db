"""Who may see what came in, and have it read again."""

from regulars.foundation.access.rules import Role, permit

permit("inbox.view", "See what came in from outside and what could not be read", Role.MANAGER, Role.OPERATIONS)
permit("inbox.read", "Open what came in: it may hold anybody's data", Role.MANAGER)
permit("inbox.replay", "Have what came in read again", Role.MANAGER, Role.OPERATIONS)
