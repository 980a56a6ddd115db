from django.apps import AppConfig
from prometheus_client import REGISTRY

from regulars.foundation.health.metrics import HouseCollector


class HealthConfig(AppConfig):
    name = "regulars.foundation.health"

    def ready(self) -> None:
        REGISTRY.register(HouseCollector())
