"""Who may see and change what is said."""

from regulars.foundation.access.rules import EVERYBODY, Role, permit

permit("messages.view", "See messages and templates", *EVERYBODY)
permit(
    "messages.edit", "Write templates and send a test to oneself", Role.MANAGER, Role.MARKETER, is_of_all_stores=True
)
permit("messages.sending", "Switch sending on and off", is_of_all_stores=True)
