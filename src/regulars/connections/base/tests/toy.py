"""A platform of our own, for what the base does whatever the platform: no network, everything in one dictionary."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from regulars.connections.base.accounts import read_secrets
from regulars.connections.base.models import Connection
from regulars.connections.base.platforms import (
    Account,
    BadSignature,
    ConsentChange,
    Delivery,
    Field,
    Incoming,
    Page,
    PersonGone,
    Platform,
    PrivacyRequest,
    Refused,
    Shop,
    Statements,
    Topic,
    Unreadable,
    Wanted,
    WebhookReport,
)
from regulars.connections.base.tests.contract import Sent
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.orders.inputs import LineInput, OrderInput


@dataclass
class Toys:
    """The shop: orders by number, what it was told, and what its webhooks are."""

    orders: dict[str, dict[str, object]] = field(default_factory=dict)
    told: list[ConsentChange] = field(default_factory=list)
    hooks: dict[str, bool] = field(default_factory=dict)  # address: whether it is on
    away: Exception | None = None
    page: int = 2
    fetched: list[str] = field(default_factory=list)


class Toy(Platform):
    """Orders as ``{"number", "total", "mail", "customer"}``; ``{"erase": number}`` asks for an erasure, ``{"changed": number}`` tells no more
    of an order than that."""

    code = "toy"
    title = "Toy shop"
    fields = (Field("key", "Key", is_secret=True),)
    topics = (Topic("orders", "Orders"),)

    def __init__(self) -> None:
        self.shop = Toys()

    def _answer(self, account: Account) -> None:
        if self.shop.away:
            raise self.shop.away
        if account.credentials.get("key") != "right":
            raise Refused("The shop does not know this key: make a new one there.")

    def check(self, account: Account) -> Shop:
        self._answer(account)
        return Shop("The Toy Box", "GBP", "Europe/London", "1.0", ("It may not read reviews.",), ("read",))

    def fetch(self, account: Account, topic: str, cursor: str, since: datetime | None, at: datetime) -> Page:
        self._answer(account)
        self.shop.fetched.append(cursor)
        numbers = sorted(self.shop.orders)[int(cursor or 0) :]
        now, rest = numbers[: self.shop.page], numbers[self.shop.page :]
        body = json.dumps([self.shop.orders[number] for number in now]).encode()
        return Page(body, str(int(cursor or 0) + len(now)) if rest else "", len(now), len(self.shop.orders))

    def fetch_one(self, account: Account, topic: str, key: str) -> bytes:
        self._answer(account)
        self.shop.fetched.append(f"{topic} {key}")
        return json.dumps([self.shop.orders[key]]).encode() if key in self.shop.orders else b""

    def ensure_webhooks(self, account: Account, address: str) -> WebhookReport:
        self._answer(account)
        is_on = self.shop.hooks.get(address)
        self.shop.hooks[address] = True
        return WebhookReport(1, made=int(is_on is None), revived=int(is_on is False))

    def remove_webhooks(self, account: Account, address: str) -> None:
        self._answer(account)
        self.shop.hooks.pop(address, None)

    def write_consent(self, account: Account, change: ConsentChange) -> None:
        self._answer(account)
        self.shop.told.append(change)

    def authenticate(self, account: Account, headers: Mapping[str, str], body: bytes) -> Delivery | None:
        if body == b"ping":
            return None
        given = headers.get("x-toy-signature", "").encode()
        if not any(hmac.compare_digest(sign(secret, body).encode(), given) for secret in account.secrets):
            raise BadSignature
        return Delivery("order", headers.get("x-toy-id", ""))

    def read(self, account: Account, incoming: Incoming) -> Statements:
        said, things = Statements(), json.loads(incoming.raw.body)
        for thing in things if isinstance(things, list) else [things]:
            if "erase" in thing:
                identity = IdentityInput(IdentityKind.STORE_CUSTOMER, thing["erase"], account.store_code)
                orders = tuple(thing.get("orders", ()))
                said.requests.append(PrivacyRequest("erase", incoming.raw.received_at, identity, orders))
            elif "changed" in thing:
                said.wanted.append(Wanted("orders", thing["changed"]))
            elif "gone" in thing:
                identity = IdentityInput(IdentityKind.STORE_CUSTOMER, thing["gone"], account.store_code)
                said.people_gone.append(PersonGone(identity, incoming.raw.received_at))
            elif not isinstance(thing.get("total"), str):
                said.unreadable.append(Unreadable(json.dumps(thing).encode(), "Its total is no amount."))
            else:
                said.orders.append(_order(thing, account))
        return said

    def split(self, incoming: Incoming) -> Sequence[bytes]:
        things = json.loads(incoming.raw.body)
        return [json.dumps(thing).encode() for thing in things] if isinstance(things, list) else [incoming.raw.body]


def sign(secret: str, body: bytes) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


def _order(thing: Mapping[str, str], account: Account) -> OrderInput:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    own = IdentityInput(IdentityKind.STORE_CUSTOMER, thing["customer"], account.store_code)
    mail = IdentityInput(IdentityKind.EMAIL, thing["mail"])
    names = (own, mail) if thing["customer"] else (mail,)
    person = PersonInput(names, at, account.store_id, contact=ContactCard(email=thing["mail"]))
    line = LineInput("A1", "Abacus", 1, Decimal(thing["total"]))
    return OrderInput(
        thing["number"], at, thing.get("currency", "GBP"), (line,), person, external_id=thing["number"], stated_at=at
    )


def order(number: int | str, total: object = "12.50", **more: str) -> dict[str, object]:
    """One order of the toy shop."""
    return {"number": str(number), "total": total, "mail": f"child{number}@toys.net", "customer": f"c{number}"} | more


def signed(row: Connection, body: bytes, own_id: str = "") -> Sent:
    """A delivery of the toy shop."""
    return Sent({"X-Toy-Signature": sign(read_secrets(row).signing, body), "X-Toy-Id": own_id}, body)
