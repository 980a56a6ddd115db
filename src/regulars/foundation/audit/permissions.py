"""Who may read the audit chain."""

from regulars.foundation.access.rules import Role, permit

permit("audit.view", "Read who did what, when", Role.MANAGER, is_of_all_stores=True)
