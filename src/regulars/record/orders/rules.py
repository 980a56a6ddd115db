"""What an order comes to, what it says, and how two versions of its lines differ. Pure: docs/revenue.md in code."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
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


def digest(said: OrderInput | RefundInput) -> bytes:
    """16 bytes that stand for everything that the source says; the order of its lines does not matter, for sources do not keep it."""
    lines = sorted(map(_line_text, said.lines))
    rest = repr([value for name, value in vars(said).items() if name != "lines"])
    return hashlib.blake2b("\x1e".join([rest, *lines]).encode("utf-8", "replace"), digest_size=16).digest()


def _line_text(line: LineInput) -> str:
    return (
        f"{line.sku}\x1f{line.title}\x1f{line.quantity}\x1f{line.unit_price.normalize()}\x1f{line.product_key}"
        f"\x1f{line.discount_minor}\x1f{line.tax_minor}\x1f{line.is_service}"
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
