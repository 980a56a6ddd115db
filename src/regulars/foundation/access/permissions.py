"""Who may manage members of staff and tokens: they are of the whole shop, nobody limited to stores has a say in them."""

from regulars.foundation.access.rules import Role, permit

permit("staff.view", "See who works here and in which role", Role.MANAGER, is_of_all_stores=True)
permit("staff.manage", "Invite members of staff, change their role and stores, switch them off", is_of_all_stores=True)
permit("tokens.manage", "Make and revoke tokens of the API", Role.MANAGER, is_of_all_stores=True)
