from django.apps import AppConfig


class OwnEventsConfig(AppConfig):
    name = "regulars.record.own_events"
