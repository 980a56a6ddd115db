from django.apps import AppConfig


class InterestConfig(AppConfig):
    name = "regulars.record.interest"
