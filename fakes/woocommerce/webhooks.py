"""Webhooks with their quirks, after WooCommerce's own class WC_Webhook: nothing is tried again, a ping is unsigned, what is sent is the
state at the time of sending, and a delivery's id is of the second and not of the delivery."""

import base64
import hashlib
import hmac
import html
import http.client
import json
import secrets
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from fakes.disturbing import Disturbance
from fakes.woocommerce.values import Resource

MOST_FAILURES = 5  # the seventh failure in a row finds more than five counted, and switches the webhook off
TOPICS = frozenset(
    f"{resource}.{event}"
    for resource in ("coupon", "customer", "order", "product")
    for event in ("created", "updated", "deleted", "restored")
    if (resource, event) != ("customer", "restored")
)
_AGENT = "WooCommerce/11.0.1 Hookshot (WordPress/7.1.4)"

Send = Callable[[str, Mapping[str, str], bytes], int]  # address, headers, body; the status, or 0 where nobody answers


@dataclass(frozen=True)
class Delivery:
    """What waits to be sent: to which webhook, about what."""

    webhook_id: int
    resource_id: int


@dataclass(frozen=True)
class Sent:
    """What went out; ``status`` is 0 where nobody answered."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    status: int


@dataclass
class Webhooks:
    """Of one shop. ``payload(resource, id)`` gives the REST body of now, None where the thing is gone.

    ``send`` may be replaced by a test, which then needs no network.
    """

    payload: Callable[[str, int], Resource | None]
    clock: Callable[[], datetime]
    home: Callable[[], str]
    disturbance: Disturbance = field(default_factory=Disturbance)
    send: Send = field(default_factory=lambda: _post)
    registered: dict[int, Resource] = field(default_factory=dict)
    secrets: dict[int, str] = field(default_factory=dict)
    failures: dict[int, int] = field(default_factory=dict)
    waiting: list[Delivery] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def register(self, webhook: Resource, secret: str) -> None:
        """Kept, then pinged; whatever the ping meets, the webhook stands."""
        with self._lock:
            self.registered[webhook["id"]] = webhook
            self.secrets[webhook["id"]] = secret or secrets.token_urlsafe(37)
            self.failures[webhook["id"]] = 0
        body = f"webhook_id={webhook['id']}".encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": _AGENT}
        self._hand_over(webhook["delivery_url"], headers, body)

    def remove(self, number: int) -> None:
        with self._lock:
            self.registered.pop(number, None)
            self.waiting = [delivery for delivery in self.waiting if delivery.webhook_id != number]

    def happened(self, topic: str, resource_id: int) -> None:
        """Queues one delivery per active webhook of the topic; what waits already is not queued again."""
        with self._lock:
            for webhook in self.registered.values():
                delivery = Delivery(webhook["id"], resource_id)
                if webhook["status"] == "active" and webhook["topic"] == topic and delivery not in self.waiting:
                    self.waiting.append(delivery)

    def deliver_all(self) -> int:
        """Sends what waits, as far as the disturbance lets it; the number of deliveries sent."""
        with self._lock:
            waiting, self.waiting = self.waiting, []
        due = self.disturbance.disturb(waiting)
        for delivery in due:
            self._deliver(delivery)
        return len(due)

    def _deliver(self, delivery: Delivery) -> None:
        webhook = self.registered.get(delivery.webhook_id)
        if webhook is None:
            return
        payload: Resource | None = {"id": delivery.resource_id}
        if webhook["event"] != "deleted":
            payload = self.payload(webhook["resource"], delivery.resource_id)
        if payload is None:  # gone since: WooCommerce sends the API's own refusal
            payload = {"code": "woocommerce_rest_invalid_id", "message": "Invalid ID.", "data": {"status": 404}}
        body = json.dumps(payload, separators=(",", ":")).replace("/", "\\/").encode()  # as PHP writes it
        status = self._hand_over(webhook["delivery_url"], self._headers(webhook, body), body)
        self._count(webhook, is_success=200 <= status <= 302)

    def _headers(self, webhook: Resource, body: bytes) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "User-Agent": _AGENT,
            "X-WC-Webhook-Source": self.home() + "/",
            "X-WC-Webhook-Topic": webhook["topic"],
            "X-WC-Webhook-Resource": webhook["resource"],
            "X-WC-Webhook-Event": webhook["event"],
            "X-WC-Webhook-Signature": signature(self.secrets[webhook["id"]], body),
            "X-WC-Webhook-ID": str(webhook["id"]),
            "X-WC-Webhook-Delivery-ID": delivery_id(webhook["id"], self.clock()),
        }

    def _hand_over(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        status = self.send(url, headers, body)
        self.sent.append(Sent(url, headers, body, status))
        return status

    def _count(self, webhook: Resource, *, is_success: bool) -> None:
        with self._lock:
            failures = self.failures[webhook["id"]]
            if is_success:
                self.failures[webhook["id"]] = 0
            elif failures > MOST_FAILURES:
                webhook["status"] = "disabled"
            else:
                self.failures[webhook["id"]] = failures + 1

    def start(self, every: float = 0.1) -> None:
        """Delivers in a thread until ``stop``."""
        self._stopped.clear()
        self._thread = threading.Thread(target=self._run, args=(every,), daemon=True)
        self._thread.start()

    def _run(self, every: float) -> None:
        while not self._stopped.wait(every):
            self.deliver_all()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None


def signature(secret: str, body: bytes) -> str:
    """``secret`` as it is stored: its HTML entities are undone before it signs."""
    key = html.unescape(secret).encode()
    return base64.b64encode(hmac.new(key, body, hashlib.sha256).digest()).decode()


def delivery_id(webhook_id: int, at: datetime) -> str:
    """Two deliveries of a webhook within a second share it."""
    return hashlib.md5(f"{webhook_id}{int(at.timestamp())}".encode(), usedforsecurity=False).hexdigest()


def _post(url: str, headers: Mapping[str, str], body: bytes) -> int:
    """No redirect is followed, and who does not answer within ten seconds has not answered."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl._create_unverified_context()  # noqa: S323  a fake sends to test servers only
        connection = http.client.HTTPSConnection(parts.netloc, timeout=10, context=context)
    else:
        connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    try:
        connection.request("POST", target or "/", body, dict(headers))
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
