"""The known layouts, one file each; to add one, copy the nearest and list its module here."""

from regulars.connections.files.layouts import (
    customers,
    klaviyo,
    lists,
    mailchimp,
    orders,
    permissions,
    products,
    shopify,
    uci,
    woocommerce,
)
from regulars.connections.files.layouts.base import LAYOUTS, Built, Columns, Kind, Layout, Note

__all__ = [
    "LAYOUTS",
    "Built",
    "Columns",
    "Kind",
    "Layout",
    "Note",
    "customers",
    "klaviyo",
    "lists",
    "mailchimp",
    "orders",
    "permissions",
    "products",
    "shopify",
    "uci",
    "woocommerce",
]
