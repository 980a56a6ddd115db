from django.apps import AppConfig


class RfmConfig(AppConfig):
    name = "regulars.insight.rfm"
