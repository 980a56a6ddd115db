from django.apps import AppConfig

from regulars.foundation.doors import load_doors


class BaseConfig(AppConfig):
    """What all connections to shops have in common."""

    name = "regulars.connections.base"
    label = "connections"

    def ready(self) -> None:
        load_doors("platform")
