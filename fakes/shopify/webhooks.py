"""Webhooks as Shopify sends them: signed, within 5 seconds, tried again eight times over four hours, in no promised order."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Any, ClassVar
from uuid import UUID

import httpx

from fakes.disturbing import Disturbance
from fakes.shopify.records import Record

RETRIES = [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 15, 30, 60, 120)]
FAILURES_ALLOWED = 8
ROTATED = timedelta(hours=1)

_ORDERS, _CUSTOMERS, _PRODUCTS = ("read_orders", "read_marketplace_orders"), ("read_customers",), ("read_products",)
_STOCK, _DISCOUNTS = ("read_inventory",), ("read_discounts",)

# What the fake fires: the header's name of a topic, and the scopes of which an app needs one to subscribe to it.
TOPICS: dict[str, tuple[str, tuple[str, ...]]] = {
    **{
        f"ORDERS_{word.upper()}": (f"orders/{word}", _ORDERS)
        for word in ("create", "updated", "paid", "cancelled", "fulfilled", "partially_fulfilled", "edited", "delete")
    },
    "ORDER_TRANSACTIONS_CREATE": ("order_transactions/create", _ORDERS),
    "REFUNDS_CREATE": ("refunds/create", _ORDERS),
    "FULFILLMENTS_CREATE": ("fulfillments/create", ("read_fulfillments", "read_marketplace_orders")),
    "FULFILLMENTS_UPDATE": ("fulfillments/update", ("read_fulfillments", "read_marketplace_orders")),
    "CARTS_CREATE": ("carts/create", ("read_orders",)),
    "CARTS_UPDATE": ("carts/update", ("read_orders",)),
    "CHECKOUTS_CREATE": ("checkouts/create", ("read_orders",)),
    "CHECKOUTS_UPDATE": ("checkouts/update", ("read_orders",)),
    "CHECKOUTS_DELETE": ("checkouts/delete", ("read_orders",)),
    "CUSTOMERS_CREATE": ("customers/create", _CUSTOMERS),
    "CUSTOMERS_UPDATE": ("customers/update", _CUSTOMERS),
    "CUSTOMERS_DELETE": ("customers/delete", _CUSTOMERS),
    "CUSTOMERS_MERGE": ("customers/merge", ("read_customer_merge",)),
    "CUSTOMERS_EMAIL_MARKETING_CONSENT_UPDATE": ("customers_email_marketing_consent/update", _CUSTOMERS),
    "CUSTOMERS_MARKETING_CONSENT_UPDATE": ("customers_marketing_consent/update", _CUSTOMERS),
    "CUSTOMER_TAGS_ADDED": ("customer.tags_added", _CUSTOMERS),
    "CUSTOMER_TAGS_REMOVED": ("customer.tags_removed", _CUSTOMERS),
    "PRODUCTS_CREATE": ("products/create", _PRODUCTS),
    "PRODUCTS_UPDATE": ("products/update", _PRODUCTS),
    "PRODUCTS_DELETE": ("products/delete", _PRODUCTS),
    "COLLECTIONS_CREATE": ("collections/create", _PRODUCTS),
    "COLLECTIONS_UPDATE": ("collections/update", _PRODUCTS),
    "INVENTORY_LEVELS_UPDATE": ("inventory_levels/update", _STOCK),
    "INVENTORY_LEVELS_CONNECT": ("inventory_levels/connect", _STOCK),
    "INVENTORY_ITEMS_UPDATE": ("inventory_items/update", (*_STOCK, *_PRODUCTS)),
    "DISCOUNTS_CREATE": ("discounts/create", _DISCOUNTS),
    "DISCOUNTS_UPDATE": ("discounts/update", _DISCOUNTS),
    "DISCOUNTS_DELETE": ("discounts/delete", _DISCOUNTS),
    "DISCOUNTS_REDEEMCODE_ADDED": ("discounts/redeemcode_added", _DISCOUNTS),
    "DISCOUNTS_REDEEMCODE_REMOVED": ("discounts/redeemcode_removed", _DISCOUNTS),
    "BULK_OPERATIONS_FINISH": ("bulk_operations/finish", ()),
    "APP_UNINSTALLED": ("app/uninstalled", ()),
    "APP_SCOPES_UPDATE": ("app/scopes_update", ()),
    "SHOP_UPDATE": ("shop/update", ()),
}
COMPLIANCE = ("customers/data_request", "customers/redact", "shop/redact")


@dataclass
class Subscription(Record):
    KIND: ClassVar[str] = "WebhookSubscription"
    topic: str
    uri: str
    created_at: datetime
    updated_at: datetime
    include_fields: list[str] = field(default_factory=list)
    metafield_namespaces: list[str] = field(default_factory=list)
    name: str | None = None
    filter: str | None = None
    format: str = "JSON"
    failures: int = 0


@dataclass(frozen=True)
class Delivery:
    """One request to come. Tries of it share its ``X-Shopify-Webhook-Id``, its body and its address."""

    uri: str
    headers: dict[str, str]
    body: bytes
    due: datetime
    tries: int = 0
    subscription: Subscription | None = None

    @property
    def topic(self) -> str:
        return self.headers["X-Shopify-Topic"]

    @property
    def content(self) -> Any:
        return json.loads(self.body)


Send = Callable[[Delivery], int]  # gives the status of the answer, 0 where there was none


def signature(secret: str, body: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def encoded(content: object) -> bytes:
    """As Rails writes JSON: nothing outside of ASCII is escaped, but ``<``, ``>`` and ``&`` are."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e").encode()


@cache
def _client() -> httpx.Client:
    return httpx.Client(timeout=httpx.Timeout(5, connect=1), limits=httpx.Limits(max_keepalive_connections=0))


def post(delivery: Delivery) -> int:
    try:
        return _client().post(delivery.uri, content=delivery.body, headers=delivery.headers).status_code
    except httpx.HTTPError:
        return 0


class PostOffice:
    """Keeps subscriptions, and deliveries until they were thanked for or given up.

    ``tried`` lists every try with its answer; ``removed`` the subscriptions that failed eight times in a row.
    """

    def __init__(self, domain: str, secret: str, version: str, now: Callable[[], datetime], seed: int = 0) -> None:
        self.domain, self.version, self._now = domain, version, now
        self._secrets = [(now(), secret)]
        self.subscriptions: list[Subscription] = []
        self.removed: list[Subscription] = []
        self.compliance_uri: str | None = None
        self.pending: list[Delivery] = []
        self.tried: list[tuple[Delivery, int]] = []
        self.disturbance = Disturbance(seed)
        self._random = Random(seed)  # noqa: S311  ids that come again
        self._lock = threading.RLock()  # of the lists; never held while something is handed over

    def rotate(self, secret: str) -> None:
        """The app's secret is another now; deliveries may be signed with the old one for an hour more."""
        self._secrets.append((self._now() + ROTATED, secret))

    @property
    def secret(self) -> str:
        return [secret for since, secret in self._secrets if since <= self._now()][-1]

    def new_event_id(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def emit(self, topic: str, content: Callable[[], dict[str, Any]], event_id: str) -> None:
        """To every subscription of the topic (its name in the schema)."""
        for subscription in [one for one in self.subscriptions if one.topic == topic]:
            chosen = _chosen(content(), subscription.include_fields)
            delivery = self._delivery(TOPICS[topic][0], subscription.uri, chosen, event_id, subscription.name)
            self._wait(replace(delivery, subscription=subscription))

    def emit_compliance(self, topic: str, content: dict[str, Any]) -> None:
        """The three privacy topics go to the address in the app's settings, whatever is subscribed."""
        if topic not in COMPLIANCE:
            raise ValueError(topic)
        if self.compliance_uri:
            self._wait(self._delivery(topic, self.compliance_uri, content, self.new_event_id(), None))

    def _wait(self, delivery: Delivery) -> None:
        with self._lock:
            self.pending.append(delivery)

    def _delivery(self, topic: str, uri: str, content: dict[str, Any], event_id: str, name: str | None) -> Delivery:
        body, at = encoded(content), self._now()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Shopify-Captain-Hook",
            "X-Shopify-Topic": topic,
            "X-Shopify-Hmac-Sha256": signature(self.secret, body),
            "X-Shopify-Shop-Domain": self.domain,
            "X-Shopify-API-Version": self.version,
            "X-Shopify-Webhook-Id": self.new_event_id(),
            "X-Shopify-Triggered-At": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "X-Shopify-Event-Id": event_id,
        }
        return Delivery(uri, headers | ({"X-Shopify-Name": name} if name else {}), body, at)

    def deliver(self, send: Send = post) -> int:
        """Hand over what is due now, disturbed where that was asked for; gives the number of tries."""
        with self._lock:
            now = self._now()
            due = [one for one in self.pending if one.due <= now]
            self.pending = [one for one in self.pending if one.due > now]
        handed = self.disturbance.disturb(due)
        for delivery in handed:
            self._hand_over(delivery, send)
        return len(handed)

    def _hand_over(self, delivery: Delivery, send: Send) -> None:
        status = send(delivery)
        self.tried.append((delivery, status))
        is_thanked, subscription = 200 <= status < 300, delivery.subscription
        if subscription is not None:
            subscription.failures = 0 if is_thanked else subscription.failures + 1
            if subscription.failures >= FAILURES_ALLOWED:
                self._remove(subscription)
                return
        if not is_thanked and delivery.tries < len(RETRIES):
            due = self._now() + RETRIES[delivery.tries]
            self._wait(replace(delivery, due=due, tries=delivery.tries + 1))

    def _remove(self, subscription: Subscription) -> None:
        with self._lock:
            if subscription in self.subscriptions:
                self.subscriptions.remove(subscription)
                self.removed.append(subscription)
            self.pending = [one for one in self.pending if one.subscription is not subscription]

    def next_due(self) -> datetime | None:
        return min((one.due for one in self.pending), default=None)


def _chosen(content: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    """``includeFields`` of a subscription: names, or paths with dots through objects and lists."""
    if not fields:
        return content
    chosen: dict[str, Any] = {}
    for path in fields:
        head, _, rest = path.partition(".")
        if head in content:
            chosen[head] = _under(content[head], rest, chosen.get(head)) if rest else content[head]
    return chosen


def _under(value: Any, path: str, before: Any) -> Any:
    if isinstance(value, list):
        olds = before if isinstance(before, list) else [None] * len(value)
        return [_under(one, path, old) for one, old in zip(value, olds, strict=True)]
    if not isinstance(value, dict):
        return value
    return (before or {}) | _chosen(value, [path])
