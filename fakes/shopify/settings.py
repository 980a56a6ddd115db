"""What a fake shop and its app are called, and how time passes there."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

SCHEMA_TEXT = (Path(__file__).parent / "schema.graphql").read_text(encoding="utf-8")
VERSION = re.findall(r"^# API version: (\S+)$", SCHEMA_TEXT, re.MULTILINE)[0]

ALL_SCOPES = (
    "read_all_orders", "read_customer_events", "read_customer_merge", "read_customers", "read_discounts", "read_fulfillments",
    "read_inventory", "read_locations", "read_orders", "read_pixels", "read_products", "write_customers", "write_discounts",
    "write_pixels",
)  # fmt: skip


PROTECTED = frozenset({"name", "email", "phone", "address"})


@dataclass
class Settings:
    """Of the shop."""

    domain: str = "fake-goods.myshopify.com"
    number: int = 61_111_111_111
    name: str = "Fake Goods"
    email: str = "owner@fake-goods.example"
    currency: str = "EUR"
    presentment_currencies: tuple[str, ...] = ("EUR", "JPY", "KWD", "USD")
    timezone: str = "Europe/Berlin"
    country: str = "Germany"
    country_code: str = "DE"
    taxes_included: bool = True


@dataclass
class App:
    """Ours, as the shop knows it. ``scopes`` is what the merchant grants, ``customer_data`` what Shopify lets it see of people."""

    client_id: str = "fake-client-id"
    client_secret: str = "hush"  # noqa: S105  the secret of the documented examples
    title: str = "Regulars"
    scopes: tuple[str, ...] = ALL_SCOPES
    customer_data: frozenset[str] = PROTECTED
    redirect_prefixes: tuple[str, ...] = ("http://127.0.0.1", "http://localhost", "https://")


@dataclass
class Clock:
    """Stands still until it is told to go on."""

    at: datetime = field(default_factory=lambda: datetime(2026, 11, 2, 9, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> datetime:
        """``advance(minutes=5)``."""
        self.at += timedelta(**by)
        return self.at


def granted(scopes: tuple[str, ...]) -> set[str]:
    """What may really be done: to write includes to read."""
    return set(scopes) | {f"read_{scope.removeprefix('write_')}" for scope in scopes if scope.startswith("write_")}


def scope_text(scopes: tuple[str, ...]) -> str:
    """As the token endpoint tells them: a reading scope is left out where the writing one is there."""
    return ",".join(
        sorted(one for one in scopes if one.replace("read_", "write_", 1) not in scopes or "read_" not in one)
    )
