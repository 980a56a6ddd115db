from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "regulars.record.events"
