from django.apps import AppConfig


class ListsConfig(AppConfig):
    name = "regulars.record.lists"
