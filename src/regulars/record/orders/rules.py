"""What an order comes to, what it says, and how two versions of its lines differ. Pure: docs/revenue.md in code."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from regulars.foundation.money import line_total
from regulars.record.orders.inputs import LineInput, OrderInput, RefundInput

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Amounts:
    """An order's sums in minor units; see ``Order``."""

    lines: tuple[int, ...]
    subtotal: int
    total: int


def line_amount(line: LineInput, currency: str) -> int:
    """Quantity times unit price, rounded half-even once, less the line's own discount."""
    return line_total(line.quantity, line.unit_price, currency) - line.discount_minor


def amounts(order: OrderInput) -> Amounts:
    """Sums of an order; a total that the source states wins over the computed one."""
    lines = tuple(line_amount(line, order.currency) for line in order.lines)
    subtotal = sum(lines) - order.discount_minor
    computed = subtotal + order.shipping_minor + (0 if order.tax_included else order.tax_minor)
    return Amounts(lines, subtotal, computed if order.total_minor is None else order.total_minor)


def bare_id(text: str) -> str:
    """A platform's own id without what some of its faces put around it: 'gid://shopify/Order/123' is '123'."""
    return text.rpartition("/")[2] if text.startswith("gid://") else text


def bare_number(text: str) -> str:
    return text.removeprefix("#")


def order_name(external_id: str, number: str) -> str:
    """One text for how a source calls an order: by the platform's id where it gives one."""
    if external_id:
        return f"id:{bare_id(external_id)}"
    return f"no:{bare_number(number)}" if number else ""


def progress(status: str, payment: str, fulfilment: str) -> tuple[int, int, int]:
    """How far on an order is: what decides between two states of one second, since platforms' clocks count seconds."""
    return _STATUS.get(status, 0), _PAYMENT.get(payment, 0), _FULFILMENT.get(fulfilment, 0)


_STATUS = {"open": 0, "completed": 1, "cancelled": 2}
_PAYMENT = {
    "pending": 0,
    "authorized": 1,
    "partially_paid": 2,
    "paid": 3,
    "partially_refunded": 4,
    "refunded": 5,
    "voided": 5,
}
_FULFILMENT = {"unfulfilled": 0, "partial": 1, "fulfilled": 2}


def said_later(one: OrderInput, other: OrderInput) -> OrderInput:
    """Of two inputs about one order the one that stands; ``other`` came later."""
    if one.is_claimed != other.is_claimed:
        return other if one.is_claimed else one
    is_stale = is_older(other, one.stated_at, progress(one.status, one.payment_status, one.fulfilment_status))
    return one if is_stale else other


def is_older(said: OrderInput, stated_at: datetime | None, reached: tuple[int, int, int]) -> bool:
    """Whether an input says less than what is known: an earlier state, or of the same second one that is not as far on."""
    if said.stated_at is None or stated_at is None or said.stated_at > stated_at:
        return False
    if said.stated_at < stated_at:
        return True
    return progress(said.status, said.payment_status, said.fulfilment_status) < reached


def digest(said: OrderInput | RefundInput) -> bytes:
    """16 bytes that stand for everything that the source says; the order of its lines does not matter, for sources do not keep it."""
    lines = sorted(map(_line_text, said.lines))
    rest = repr([value for name, value in vars(said).items() if name != "lines"])
    return hashlib.blake2b("\x1e".join([rest, *lines]).encode("utf-8", "replace"), digest_size=16).digest()


def _line_text(line: LineInput) -> str:
    return (
        f"{line.sku}\x1f{line.title}\x1f{line.quantity}\x1f{line.unit_price.normalize()}\x1f{line.product_key}"
        f"\x1f{line.discount_minor}\x1f{line.tax_minor}\x1f{line.is_service}\x1f{line.variant_key}"
    )


@dataclass(frozen=True)
class Difference:
    """Rows to end (their ids) and positions of the new rows to add; the rest is the same on both sides."""

    ended: list[int]
    added: list[int]


def multiset_difference(old: Mapping[int, Key], new: Sequence[Key]) -> Difference:
    """How to get from the old rows (id to content) to the new contents. Equal contents are paired off one for one: real orders repeat lines."""
    ids: dict[Key, list[int]] = defaultdict(list)
    for row, content in sorted(old.items(), reverse=True):
        ids[content].append(row)
    added = []
    for position, content in enumerate(new):
        if ids.get(content):
            ids[content].pop()
        else:
            added.append(position)
    return Difference(sorted(row for rows in ids.values() for row in rows), added)


def is_same_multiset(one: Iterable[Key], other: Iterable[Key]) -> bool:
    return Counter(one) == Counter(other)


def changed_columns(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    """Names of the columns whose values differ, in order."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
