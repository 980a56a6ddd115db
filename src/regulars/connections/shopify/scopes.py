"""What we ask a shop's owner for, why, and what is missing without it."""

from collections.abc import Collection

from django.utils.translation import gettext_lazy as _

from regulars.foundation.pages.registries import Text

# https://shopify.dev/docs/api/usage/access-scopes
SCOPES: dict[str, tuple[Text, Text]] = {
    "read_orders": (
        _("orders, payments, refunds, deliveries, carts and checkouts left behind"),
        _("Without read_orders there are no orders, refunds, deliveries and carts."),
    ),
    "read_all_orders": (
        _("orders older than 60 days; Shopify grants it on request"),
        _("Without read_all_orders Shopify shows the orders of the last 60 days only: older ones stay away."),
    ),
    "read_customers": (
        _("customers, and whether they agreed to be written to"),
        _("Without read_customers there are no customers, no consent and no orders: nobody would know whose they are."),
    ),
    "read_products": (
        _("products and their variants"),
        _("Without read_products there are no products, and no orders: nobody would know what was bought."),
    ),
    "read_inventory": (
        _("how many are in stock, and what they cost you"),
        _("Without read_inventory neither stock nor cost is known."),
    ),
    "read_discounts": (
        _("discount codes and how often each was used"),
        _("Without read_discounts the shop's codes are not known."),
    ),
    "write_discounts": (
        _("making a discount code for one customer in a workflow"),
        _("Without write_discounts workflows cannot make codes."),
    ),
    "write_customers": (
        _("telling the shop when somebody unsubscribes here"),
        _("Without write_customers the shop does not learn who unsubscribed or subscribed here."),
    ),
    "write_pixels": (
        _("switching on our web pixel, which reports visits and checkout steps"),
        _("Without write_pixels and read_customer_events visits and checkout steps are not seen."),
    ),
    "read_customer_events": (_("the same: Shopify asks for both"), ""),
}
ASKED = ",".join(SCOPES)

KEPT_BACK = _(
    "Shopify keeps names, addresses, mail and phones, or some of them, from your app: in the Dev Dashboard, let it have these four fields "
    "of protected customer data, and connect again. Until then customers and orders come without, and checkouts without a way back."
)

# What a topic cannot do without.
NEEDED: dict[str, frozenset[str]] = {
    "products": frozenset({"read_products"}),
    "stock": frozenset({"read_products", "read_inventory"}),
    "customers": frozenset({"read_customers"}),
    "orders": frozenset({"read_orders", "read_customers", "read_products"}),
    "coupons": frozenset({"read_discounts"}),
    "checkouts": frozenset({"read_orders", "read_customers", "read_products"}),
}


def held(scopes: Collection[str]) -> frozenset[str]:
    """With those that others contain: who may write may read."""
    return frozenset(scopes) | {f"read_{one.removeprefix('write_')}" for one in scopes if one.startswith("write_")}


def missing(scopes: Collection[str]) -> tuple[Text, ...]:
    """A sentence for each thing that cannot be done."""
    there = held(scopes)
    return tuple(sentence for name, (_why, sentence) in SCOPES.items() if name not in there and sentence)
