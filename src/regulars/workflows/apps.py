from django.apps import AppConfig

from regulars.foundation.doors import load_doors


class WorkflowsConfig(AppConfig):
    """Loads the facts and actions of every module once all models stand."""

    name = "regulars.workflows"

    def ready(self) -> None:
        load_doors("facts")
        load_doors("actions")
