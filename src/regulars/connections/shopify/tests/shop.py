"""A connected shop as the pure parts see it, and bodies as the inbox hands them over."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from regulars.connections.base.client import Client, Pace
from regulars.connections.base.platforms import Account, Incoming, Statements, Why
from regulars.connections.shopify.platform import Shopify
from regulars.foundation.inbox.parsers import RawInput
from regulars.foundation.outbound import Outbound, Reply

RECEIVED = datetime(2026, 3, 2, 9, 30, 5, tzinfo=UTC)
SECRET = "hush"
PLATFORM = Shopify()


class Canned(Outbound):
    """Answers in turn; ``asked`` keeps what was sent. An answer may be a function of what is asked."""

    answers: list[object]
    asked: list[tuple[str, str, dict[str, str], bytes]]

    def __init__(self, *answers: object) -> None:
        super().__init__()
        object.__setattr__(self, "answers", list(answers))
        object.__setattr__(self, "asked", [])

    def send(self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Reply:
        self.asked.append((method, url, dict(headers or {}), body))
        answer = self.answers.pop(0)
        return answer if isinstance(answer, Reply) else reply(answer)

    @property
    def calls(self) -> list[tuple[str, str, dict[str, str], bytes]]:
        return list(self.asked)

    def documents(self) -> list[dict[str, Any]]:
        """What was asked in GraphQL."""
        return [json.loads(body) for _, url, _, body in self.calls if url.endswith("graphql.json")]


def reply(content: object, status: int = 200, **headers: str) -> Reply:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, body, "")


def data(**content: object) -> Reply:
    return reply({"data": content})


def account(outbound: Outbound | None = None, **more: object) -> Account:
    slept: list[float] = []
    client = Client(outbound or Canned(), Pace(1000, 1000), sleep=slept.append, clock=lambda: 0.0)
    known: dict[str, Any] = {
        "connection_id": 1,
        "public_id": "con_test",
        "store_id": 3,
        "store_code": "tea",
        "currency": "EUR",
        "time_zone": "Europe/Berlin",
        "address": "https://tea.myshopify.com",
        "credentials": {"client_id": "app", "client_secret": SECRET, "access_token": "shpat_test"},
        "secrets": (SECRET,),
        "client": client,
    }
    return Account(**(known | more))


def incoming(topic: str, body: object, why: Why = Why.WEBHOOK, headers: Mapping[str, str] | None = None) -> Incoming:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    kept = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
    return Incoming(topic, why, RawInput(1, "shopify:1", "shop", 3, b"k" * 16, RECEIVED, kept, raw))


def pulled(topic: str, *nodes: object) -> Statements:
    body = b"\n".join(json.dumps(node).encode() for node in nodes)
    return PLATFORM.read(account(), incoming(topic, body, Why.RECONCILE))


def told(topic: str, payload: object, **headers: str) -> Statements:
    return PLATFORM.read(account(), incoming(topic, payload, headers=headers))
