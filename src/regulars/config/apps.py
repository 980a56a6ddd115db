from importlib import import_module

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """The house as a whole: its commands for whoever runs it, and its health."""

    name = "regulars.config"

    def ready(self) -> None:
        import_module("regulars.config.readers")  # once all models stand
