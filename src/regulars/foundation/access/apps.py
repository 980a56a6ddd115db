from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "regulars.foundation.access"
