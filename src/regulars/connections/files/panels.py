"""Imports in the navigation."""

from django.utils.translation import gettext_lazy as _

from regulars.foundation.pages.registries import NAVIGATION, Group, NavigationEntry

NAVIGATION.register(
    "imports", NavigationEntry(Group.SET_UP, _("Imports"), "imports", "upload", "imports.view", order=20)
)
