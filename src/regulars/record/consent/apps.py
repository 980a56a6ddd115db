from django.apps import AppConfig


class ConsentConfig(AppConfig):
    name = "regulars.record.consent"
