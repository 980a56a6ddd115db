"""The home page's place in the navigation."""

from django.utils.translation import gettext_lazy as _

from regulars.foundation.pages.registries import NAVIGATION, Group, NavigationEntry

NAVIGATION.register("home", NavigationEntry(Group.HOME, _("Home"), "home", "home", "home.view", order=1, at_hand=True))
