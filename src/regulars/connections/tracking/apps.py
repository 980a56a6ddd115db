from django.apps import AppConfig


class TrackingConfig(AppConfig):
    name = "regulars.connections.tracking"
