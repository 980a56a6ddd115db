"""Webhooks of the shop: those that we make there, seen to at each look, and the deliveries that they send."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from regulars.connections.base.platforms import Account, BadSignature, Delivery, Refused, WebhookReport
from regulars.connections.base.signing import is_signed
from regulars.connections.woocommerce import calls
from regulars.connections.woocommerce.mapping.values import text
from regulars.connections.woocommerce.pages import everything, things_of
from regulars.connections.woocommerce.signing import unescaped

TOPICS = (
    *(f"order.{event}" for event in ("created", "updated", "deleted", "restored")),
    *(f"product.{event}" for event in ("created", "updated", "deleted", "restored")),
    *(f"coupon.{event}" for event in ("created", "updated", "deleted", "restored")),
    *(f"customer.{event}" for event in ("created", "updated", "deleted")),
)
_PING = re.compile(rb"webhook_id=\d{1,20}")
_TOPIC = re.compile(r"[a-z_]{1,40}\.[a-z_]{1,40}")


def authenticate(account: Account, headers: Mapping[str, str], body: bytes) -> Delivery | None:
    """The delivery; None for the ping that a shop sends when a webhook is made, which is unsigned and must get 200.

    The shop's own number of a delivery is made of the webhook and the second: two of one second share it, so the body tells them apart.
    """
    signature = headers.get("x-wc-webhook-signature")
    if signature is None and not any(name.startswith("x-wc-") for name in headers) and _PING.fullmatch(body):
        return None
    if not is_signed(body, signature or "", map(unescaped, account.secrets)):
        raise BadSignature
    said = headers.get("x-wc-webhook-topic", "")
    number = headers.get("x-wc-webhook-delivery-id", "").encode("utf-8", "replace")
    return Delivery(said if _TOPIC.fullmatch(said) else "unknown", hashlib.sha256(number + b"\0" + body).hexdigest())


def ensure_webhooks(account: Account, address: str) -> WebhookReport:
    """With a key that may only read there are none, which is said when the shop is connected and no failure."""
    ours = _ours(account)
    try:
        return _ensured(account, address, ours)
    except Refused as error:
        if error.details.get("wp_code") != calls.NO_PERMISSION:
            raise
        return WebhookReport(0)


def _ensured(account: Account, address: str, ours: Mapping[str, Sequence[Mapping[str, Any]]]) -> WebhookReport:
    made = revived = mended = 0
    for topic in TOPICS:
        wanted = {"name": _name(account, topic), "delivery_url": address, "status": "active"}
        there = ours.get(topic, [])
        if not there:
            calls.post(account, "webhooks", {**wanted, "topic": topic, "secret": account.secrets[0]})
            made += 1
        for webhook in there[:1]:
            if any(webhook.get(field) != value for field, value in wanted.items()):
                calls.put(account, f"webhooks/{webhook['id']}", {**wanted, "secret": account.secrets[0]})
                revived += webhook.get("status") != "active"
                mended += webhook.get("status") == "active"
        for doubled in there[1:]:  # of a call that was made twice because its answer was lost
            calls.delete(account, f"webhooks/{doubled['id']}")
    return WebhookReport(len(TOPICS), made, revived, mended)


def remove_webhooks(account: Account) -> None:
    for webhook in (one for several in _ours(account).values() for one in several):
        calls.delete(account, f"webhooks/{webhook['id']}")


def _ours(account: Account) -> dict[str, list[Mapping[str, Any]]]:
    """Ours by topic: their address ends in the name of this connection, whatever the host was when they were made."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for webhook in _all(account):
        if text(webhook.get("delivery_url"), 2000).endswith(f"/hooks/woocommerce/{account.public_id}"):
            found.setdefault(text(webhook.get("topic")), []).append(webhook)
    return found


def _all(account: Account) -> Iterator[Mapping[str, Any]]:
    for answer in everything(account, "webhooks"):
        yield from (one for one in things_of(answer) if isinstance(one, dict))


def _name(account: Account, topic: str) -> str:
    """Says whose it is, and under which secret it was made, which the shop does not tell."""
    mark = hashlib.sha256(b"webhook secret " + account.secrets[0].encode()).hexdigest()[:8]
    return f"Regulars: {topic} ({mark})"
