"""The app of layout, components and list pages. It loads every module's ``panels.py`` once all models stand."""

from django.apps import AppConfig

from regulars.foundation.doors import load_doors


class PagesConfig(AppConfig):
    name = "regulars.foundation.pages"
    label = "pages"

    def ready(self) -> None:
        load_doors("panels")
