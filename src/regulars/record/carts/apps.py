from django.apps import AppConfig


class CartsConfig(AppConfig):
    name = "regulars.record.carts"
