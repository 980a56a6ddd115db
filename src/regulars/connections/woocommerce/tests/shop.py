"""An account of a shop for what needs no network, and bodies as the base hands them in."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from regulars.connections.base.client import Client
from regulars.connections.base.platforms import Account, Incoming, Statements, Why
from regulars.connections.woocommerce.platform import WooCommerce
from regulars.foundation.inbox.parsers import RawInput
from regulars.foundation.outbound import Outbound

NOW = datetime(2026, 11, 22, 5, tzinfo=UTC)
WOO = WooCommerce()
PAYLOADS = Path(__file__).parent / "payloads"


def account(**fields: Any) -> Account:
    known: dict[str, Any] = {
        "connection_id": 1,
        "public_id": "con_1",
        "store_id": 7,
        "store_code": "uk",
        "currency": "USD",
        "time_zone": "UTC",
        "address": "https://shop.example",
        "credentials": {"consumer_key": "ck_a", "consumer_secret": "cs_b"},
        "secrets": ("whisper",),
        "client": Client(Outbound(), sleep=lambda seconds: None),
    }
    return Account(**(known | fields))


def payload(name: str) -> list[dict[str, Any]]:
    """A recorded list of the API."""
    return cast("list[dict[str, Any]]", json.loads((PAYLOADS / f"{name}.json").read_bytes()))


def incoming(topic: str, body: bytes, why: Why = Why.WEBHOOK) -> Incoming:
    return Incoming(topic, why, RawInput(1, "woocommerce:1", "shop", 7, b"k" * 16, NOW, {}, body))


def read_page(
    topic: str, things: Sequence[object], more: Mapping[str, Sequence[object]] | None = None, **fields: Any
) -> Statements:
    body = {"things": things, "more": {number: [rows] for number, rows in (more or {}).items()}}
    return WOO.read(account(**fields), incoming(topic, json.dumps(body).encode(), Why.HISTORY))


def read_webhook(topic: str, thing: object, **fields: Any) -> Statements:
    return WOO.read(account(**fields), incoming(topic, json.dumps(thing).encode()))
