from django.apps import AppConfig

from regulars.foundation.doors import load_doors


class WarehouseConfig(AppConfig):
    name = "regulars.insight.warehouse"

    def ready(self) -> None:
        load_doors("warehouse")
