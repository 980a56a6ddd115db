"""Who may see and change the settings of the shop."""

from regulars.foundation.access.rules import EVERYBODY, Role, permit

permit("settings.view", "See settings, stores, brands and rates", *EVERYBODY)
permit("settings.edit", "Change settings, stores, brands and rates", Role.MANAGER, is_of_all_stores=True)
