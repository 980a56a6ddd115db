"""Who may see, change and switch workflows."""

from regulars.foundation.access.rules import EVERYBODY, Role, offer_scope, permit

permit("workflows.view", "See workflows, and who is where in them and why", *EVERYBODY)
permit("workflows.edit", "Write workflows", Role.MANAGER, Role.MARKETER, is_of_all_stores=True)
permit("workflows.switch", "Switch workflows on and off", Role.MANAGER, Role.MARKETER, is_of_all_stores=True)
offer_scope("workflows:read", "List and read workflows", "workflows.view")
offer_scope("workflows:write", "Write workflows", "workflows.edit")
