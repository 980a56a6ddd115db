from django.apps import AppConfig


class ShopConfig(AppConfig):
    name = "regulars.foundation.shop"
