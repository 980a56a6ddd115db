from django.apps import AppConfig


class ShopifyConfig(AppConfig):
    """Shops on Shopify."""

    name = "regulars.connections.shopify"
