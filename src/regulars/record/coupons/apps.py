from django.apps import AppConfig


class CouponsConfig(AppConfig):
    name = "regulars.record.coupons"
