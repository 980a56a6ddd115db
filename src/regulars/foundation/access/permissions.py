"""Who may manage members of staff and tokens."""

from regulars.foundation.access.rules import Role, permit

permit("staff.view", "See who works here and in which role", Role.MANAGER)
permit("staff.manage", "Invite members of staff, change their role and stores, switch them off")
permit("tokens.manage", "Make and revoke tokens of the API", Role.MANAGER)
