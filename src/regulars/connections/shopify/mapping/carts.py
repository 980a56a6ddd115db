"""Checkouts that nobody finished yet, and carts. One that became an order is told by the order, which names their tokens."""

import re

from regulars.connections.base.platforms import Account
from regulars.connections.shopify.mapping.people import buyer
from regulars.connections.shopify.mapping.values import Node, amount, moment, number_in, number_of, text, whole
from regulars.foundation.money import parse_currency
from regulars.record.carts.inputs import CartInput, CartLineInput

_TOKEN = re.compile(r"/checkouts/(?:[a-z]{2}/)?([A-Za-z0-9_-]{6,})")


def checkout(account: Account, node: Node) -> CartInput | None:
    """A checkout as it is now; None for one that became an order. It is named by its token, its number (which webhooks since 2025 do
    not tell) and its cart's token."""
    if node.get("completedAt"):
        return None
    link, number = text(node.get("abandonedCheckoutUrl"), 2000), number_of(node.get("id"))
    found = _TOKEN.search(link)
    token = text(node.get("token"), 120) or (found.group(1) if found else "")
    names = [name for name in dict.fromkeys((token, number, text(node.get("cartToken"), 120))) if name]
    address = node.get("billingAddress") or node.get("shippingAddress")
    changed_at = moment(node["updatedAt"])
    if not names:
        raise ValueError("a checkout without a name")
    return CartInput(
        key=names[0],
        occurred_at=changed_at,
        currency=parse_currency(text(node["totalPriceSet"]["shopMoney"]["currencyCode"])),
        lines=tuple(_line(one) for one in node["lineItems"]["nodes"]),
        person=buyer(account, node, address, changed_at),
        is_checkout=True,
        recovery_url=link,
        other_keys=tuple(names[1:]),
    )


def _line(node: Node) -> CartLineInput:
    title, form = text(node.get("title"), 1000), text(node.get("variantTitle"))
    return CartLineInput(
        text(node.get("sku"), 120),
        f"{title} - {form}" if form and form != "Default Title" else title,
        whole(node["quantity"]),
        amount(node["originalUnitPriceSet"]),
        number_in(node, "product"),
        number_in(node, "variant"),
    )
