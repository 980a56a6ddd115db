"""A store with keys, and what tests ask of its record."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from regulars.connections.tracking import keys
from regulars.connections.tracking.models import Refusal
from regulars.foundation import clock
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.inbox.reading import read_waiting
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.work.loops import Stop
from regulars.record.customers.inputs import IdentityInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.queries import find_by_identity
from regulars.record.events.models import Event
from regulars.record.events.recorded import read_properties

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
MUG = {"product_id": "10", "sku": "MUG1", "name": "Mug", "price": 12.5, "quantity": 2}
POT = {"product_id": "11", "sku": "POT1", "name": "Pot", "price": "30.00"}


class Shop:
    """A store with a browser key and a server key, and a clock that stands still until it is moved."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        brand = Brand.objects.create(name="B", from_name="B", from_address="b@shop.example")
        self.store = Store.objects.create(code="uk", name="UK", brand=brand, currency="EUR")
        self.browser_key, self.browser = keys.create_key("Web", "browser", self.store.pk, SYSTEM, AT)
        self.server_key, self.server = keys.create_key("Back", "server", self.store.pk, SYSTEM, AT)
        self.at, self.client, self.count = AT, Client(), 0
        monkeypatch.setattr(clock, "now", lambda: self.at)

    def post(self, path: str, body: Any, key: str = "", **headers: str) -> Any:
        """``body`` as JSON unless it is bytes; under the browser's key unless another is named."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Authorization": basic(key or self.browser)} | headers
        label = sent.pop("Content_Type", "application/json")
        named = {name.replace("_", "-"): value for name, value in sent.items()}
        return self.client.generic("POST", f"/v1/{path}", raw, content_type=label, headers=named)

    def track(self, event: str, properties: Any = None, key: str = "", **more: Any) -> None:
        """One call of the visitor 'anon-1', a second after the one before, read at once."""
        self.count += 1
        self.at += timedelta(seconds=1)
        body = {"event": event, "anonymousId": "anon-1", "messageId": f"m{self.count}", "properties": properties or {}}
        assert self.post("track", body | more, key).status_code == 200
        self.read()

    def tell(self, path: str, key: str = "", **body: Any) -> None:
        self.at += timedelta(seconds=1)
        assert self.post(path, body, key).status_code == 200
        self.read()

    def read(self) -> None:
        while read_waiting(Stop(), self.at):
            pass


def basic(key: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


def events(kind: str = "tracked.") -> list[Event]:
    return list(Event.objects.filter(kind__startswith=kind).order_by("position"))


def sealed(event: Event) -> dict[str, Any]:
    return read_properties([event])[event.position]


def refusals() -> list[tuple[str, str, str, str, bool, int]]:
    columns = ("call", "event", "reason", "fields", "is_recorded", "count")
    return list(Refusal.objects.order_by("pk").values_list(*columns))


def customer_of_user(user: str) -> list[int]:
    return find_by_identity(IdentityInput(IdentityKind.USER_ID, user, "uk"))
