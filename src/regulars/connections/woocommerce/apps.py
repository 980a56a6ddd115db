from django.apps import AppConfig


class WooCommerceConfig(AppConfig):
    name = "regulars.connections.woocommerce"
