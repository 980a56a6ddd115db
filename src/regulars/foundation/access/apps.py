from django.apps import AppConfig

from regulars.foundation.doors import load_doors


class AccessConfig(AppConfig):
    name = "regulars.foundation.access"

    def ready(self) -> None:
        load_doors("permissions")
