"""What a resolver may look at: the shop, the question's arguments, and how amounts and times are written in GraphQL."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from fakes.shopify.amounts import Bag, Currencies, decimal_text
from fakes.shopify.records import Order, Record
from fakes.shopify.shop import Shop

if TYPE_CHECKING:
    from fakes.shopify.bulk import BulkDesk

Json = dict[str, Any]
RECENT = timedelta(days=60)


@dataclass
class Asking:
    """One question. ``scopes`` is what the token may do; in a bulk operation connections are whole."""

    shop: Shop
    scopes: set[str]
    bulk: "BulkDesk"
    base: str = ""
    is_bulk: bool = False
    arguments: Json = field(default_factory=dict)

    def sees(self, order: Order) -> bool:
        """Orders of more than 60 days ago are there only with ``read_all_orders``."""
        return "read_all_orders" in self.scopes or order.created_at >= self.shop.now() - RECENT

    @property
    def currency(self) -> str:
        return self.shop.settings.currency


@dataclass(frozen=True)
class Within:
    """A part of an order, with the order: alone it knows neither currency nor what became of it."""

    record: Any
    order: Order

    @property
    def gid(self) -> str:
        return str(self.record.gid)

    @property
    def number_of_kind(self) -> int:
        return int(self.record.number_of_kind)


Field = Callable[[Any, Asking], Any]
Fields = dict[str, dict[str, Field]]


def money(minor: int, currency: str) -> Json:
    return {"__typename": "MoneyV2", "amount": decimal_text(minor, currency), "currencyCode": currency}


def bag(amount: Bag, of: Currencies) -> Json:
    return {"shopMoney": money(amount.shop, of.shop), "presentmentMoney": money(amount.shown, of.shown)}


def moment(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def attributes(of: dict[str, str]) -> list[Json]:
    return [{"key": key, "value": value} for key, value in of.items()]


def count(of: int) -> Json:
    return {"count": of, "precision": "EXACT"}


def kind_of(value: Any) -> str:
    """The name of a value's type, for interfaces and unions."""
    if isinstance(value, dict):
        return str(value["__typename"])
    record: Record = value.record if isinstance(value, Within) else value
    return record.KIND
