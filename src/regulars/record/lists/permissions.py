"""Who may see and change lists."""

from regulars.foundation.access.rules import EVERYBODY, Role, offer_scope, permit

permit("lists.view", "See lists and who is on them", *EVERYBODY, is_of_all_stores=True)
permit(
    "lists.edit",
    "Make lists, put customers on them and take them off",
    Role.MANAGER,
    Role.MARKETER,
    is_of_all_stores=True,
)
offer_scope("lists:read", "List and read lists of customers", "lists.view")
offer_scope("lists:write", "Make and archive lists, put customers on them and take them off", "lists.edit")
