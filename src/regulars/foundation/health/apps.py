from django.apps import AppConfig
from prometheus_client import REGISTRY

from regulars.foundation.doors import load_doors
from regulars.foundation.health.metrics import HouseCollector


class HealthConfig(AppConfig):
    name = "regulars.foundation.health"

    def ready(self) -> None:
        load_doors("metrics")
        REGISTRY.register(HouseCollector())
