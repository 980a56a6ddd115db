"""The webhooks that a shop sends us: made where they are missing, and made again where Shopify took them away.

Shopify removes a subscription after eight failures in a row and says nothing, so that whoever wants to hear looks from time to time.
The three privacy topics cannot be subscribed to here: they stand in the app's own configuration.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from regulars.connections.base.platforms import Account, Refused, WebhookReport
from regulars.connections.shopify.calls import ask, done
from regulars.connections.shopify.pulling import scopes_of

# Each says something of its own. An order's webhook tells its deliveries and refunds; its payments, and what a discount does, are asked for.
TOPICS: dict[str, str] = {
    "ORDERS_CREATE": "read_orders",
    "ORDERS_UPDATED": "read_orders",
    "ORDERS_CANCELLED": "read_orders",
    "ORDERS_PAID": "read_orders",
    "ORDERS_FULFILLED": "read_orders",
    "ORDERS_PARTIALLY_FULFILLED": "read_orders",
    "ORDERS_DELETE": "read_orders",
    "REFUNDS_CREATE": "read_orders",
    "CHECKOUTS_CREATE": "read_orders",
    "CHECKOUTS_UPDATE": "read_orders",
    "CHECKOUTS_DELETE": "read_orders",
    "CARTS_CREATE": "read_orders",
    "CARTS_UPDATE": "read_orders",
    "CUSTOMERS_CREATE": "read_customers",
    "CUSTOMERS_UPDATE": "read_customers",
    "CUSTOMERS_DELETE": "read_customers",
    "CUSTOMER_TAGS_ADDED": "read_customers",
    "CUSTOMERS_EMAIL_MARKETING_CONSENT_UPDATE": "read_customers",
    "CUSTOMERS_MARKETING_CONSENT_UPDATE": "read_customers",
    "PRODUCTS_CREATE": "read_products",
    "PRODUCTS_UPDATE": "read_products",
    "PRODUCTS_DELETE": "read_products",
    "INVENTORY_LEVELS_UPDATE": "read_inventory",
    "INVENTORY_LEVELS_CONNECT": "read_inventory",
    "DISCOUNTS_CREATE": "read_discounts",
    "DISCOUNTS_UPDATE": "read_discounts",
    "DISCOUNTS_DELETE": "read_discounts",
    "DISCOUNTS_REDEEMCODE_REMOVED": "read_discounts",
    "APP_UNINSTALLED": "",
}

_LIST = """
query Subscriptions($after: String) {
  webhookSubscriptions(first: 100, after: $after) {
    nodes { id topic uri format }
    pageInfo { hasNextPage endCursor }
  }
}
"""
_CREATE = """
mutation Subscribe($topic: WebhookSubscriptionTopic!, $to: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $to) {
    webhookSubscription { id }
    userErrors { field message }
  }
}
"""
_UPDATE = """
mutation Point($id: ID!, $to: WebhookSubscriptionInput!) {
  webhookSubscriptionUpdate(id: $id, webhookSubscription: $to) {
    webhookSubscription { id }
    userErrors { field message }
  }
}
"""
_DELETE = """
mutation Unsubscribe($id: ID!) {
  webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { field message } }
}
"""


def ensure(account: Account, address: str) -> WebhookReport:
    """One subscription of each topic that the app may see. Raises Refused after everything else was done, with what Shopify says."""
    there = {one["topic"]: one for one in _own(account, address)}
    held = scopes_of(account)
    wanted = [topic for topic, scope in TOPICS.items() if not scope or scope in held]
    moved = [one for topic, one in there.items() if topic in wanted and one["uri"] != address]
    missing = [topic for topic in wanted if topic not in there]
    problems = list(
        _tried(account, _UPDATE, "webhookSubscriptionUpdate", ({"id": one["id"]} for one in moved), address)
    )
    problems += _tried(account, _CREATE, "webhookSubscriptionCreate", ({"topic": topic} for topic in missing), address)
    if problems:
        raise Refused(problems[0])
    gone = len(missing) if there else 0  # some are there: the rest was there once, and Shopify took it away
    return WebhookReport(len(wanted), made=len(missing) - gone, revived=gone, mended=len(moved))


def remove(account: Account, address: str) -> None:
    for one in _own(account, address):
        done(ask(account, _DELETE, {"id": one["id"]})["webhookSubscriptionDelete"])


def _tried(
    account: Account, document: str, name: str, variables: Iterator[Mapping[str, str]], address: str
) -> Iterator[str]:
    """What Shopify refuses; one refusal keeps no other out."""
    for one in variables:
        try:
            done(ask(account, document, {**one, "to": {"uri": address, "format": "JSON"}})[name])
        except Refused as error:
            yield error.sentence


def _own(account: Account, address: str) -> Iterator[dict[str, Any]]:
    """Those that point to this connection, at whatever host: its own path is known to no other."""
    after = None
    while True:
        found = ask(account, _LIST, {"after": after})["webhookSubscriptions"]
        yield from (one for one in found["nodes"] if urlsplit(one["uri"]).path == urlsplit(address).path)
        if not found["pageInfo"]["hasNextPage"]:
            return
        after = found["pageInfo"]["endCursor"]
