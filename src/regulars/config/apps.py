from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """The house as a whole: its commands for whoever runs it, and its health."""

    name = "regulars.config"
