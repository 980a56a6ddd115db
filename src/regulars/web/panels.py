"""Places in the navigation of the screens that belong to no single module."""

from django.utils.translation import gettext_lazy as _

from regulars.foundation.pages.registries import NAVIGATION, Group, NavigationEntry

NAVIGATION.register(
    "home", NavigationEntry(Group.HOME, _("Home"), "home", "home", "home.view", order=1, at_hand=True, by_store=True)
)
NAVIGATION.register("team", NavigationEntry(Group.SET_UP, _("Team"), "team", "shield", "staff.view", order=80))
NAVIGATION.register(
    "settings", NavigationEntry(Group.SET_UP, _("Settings"), "settings", "settings", "settings.view", order=90)
)
NAVIGATION.register(
    "duplicates",
    NavigationEntry(
        Group.CUSTOMERS, _("Possible duplicates"), "duplicates", "arrow-merge", "customers.merge", order=15
    ),
)
