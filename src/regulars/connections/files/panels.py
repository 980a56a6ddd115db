"""Imports in the navigation, and who may watch one."""

from django.utils.translation import gettext_lazy as _

from regulars.connections.files.queries import list_imports
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.pages.registries import NAVIGATION, WATCHERS, Group, NavigationEntry


def may_watch(task_id: int, viewer: Viewer) -> bool:
    """Whoever may see the import."""
    return viewer.may("imports.view") and list_imports(viewer).filter(task=task_id).exists()


NAVIGATION.register(
    "imports", NavigationEntry(Group.SET_UP, _("Imports"), "imports", "upload", "imports.view", order=20)
)
WATCHERS.register("import", may_watch)
