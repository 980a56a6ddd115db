"""Asking the fake Shopify in its tests."""

from typing import Any

import httpx

from fakes.shopify.payloads import Json
from fakes.shopify.records import Order
from fakes.shopify.serving import FakeShopify
from fakes.shopify.settings import VERSION
from fakes.shopify.webhooks import Delivery, Send

HOOKS = "http://127.0.0.1:9/hooks"
HTTP = httpx.Client(limits=httpx.Limits(max_keepalive_connections=0))  # one certificate store for all tests


def ask(fake: FakeShopify, query: str, token: str | None = None, **variables: Any) -> Json:
    headers = {"X-Shopify-Access-Token": fake.token if token is None else token}
    address = f"{fake.address}/admin/api/{VERSION}/graphql.json"
    content: Json = HTTP.post(address, json={"query": query, "variables": variables}, headers=headers).json()
    return content


def one_order(fake: FakeShopify, **facts: Any) -> Order:
    product = fake.shop.add_product("Tea", variants=[{"price": 1299, "sku": "T"}])
    return fake.shop.add_order([(product.variants[0], 3)], customer=fake.shop.add_customer("a@people.test"), **facts)


def subscribe(fake: FakeShopify, *topics: str) -> None:
    for topic in topics:
        answer = ask(
            fake,
            "mutation($topic: WebhookSubscriptionTopic!, $hook: WebhookSubscriptionInput!) {"
            " webhookSubscriptionCreate(topic: $topic, webhookSubscription: $hook) { userErrors { message } } }",
            topic=topic,
            hook={"uri": HOOKS},
        )
        assert answer["data"]["webhookSubscriptionCreate"]["userErrors"] == []


def kept(deliveries: list[Delivery], status: int = 200) -> Send:
    """Hands over nowhere: only remembers, and answers so."""

    def send(delivery: Delivery) -> int:
        deliveries.append(delivery)
        return status

    return send
