"""Sums, digests and the difference of multisets, for any input."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.record.orders.inputs import LineInput, OrderInput
from regulars.record.orders.rules import amounts, digest, multiset_difference

ROWS = st.lists(st.integers(0, 5), max_size=30)
LINES = st.builds(
    LineInput,
    sku=st.sampled_from(["A", "B"]),
    title=st.just("x"),
    quantity=st.integers(-5, 5),
    unit_price=st.decimals(0, 100, places=3),
    discount_minor=st.integers(0, 100),
)


def order(lines: list[LineInput], **more: object) -> OrderInput:
    return OrderInput("1", datetime(2026, 1, 1, tzinfo=UTC), "GBP", tuple(lines), **more)  # type: ignore[arg-type]


@settings(deadline=None)
@given(ROWS, ROWS)
def test_ending_and_adding_gives_the_new_rows_and_touches_as_few_as_can_be(old: list[int], new: list[int]) -> None:
    rows = dict(enumerate(old))
    difference = multiset_difference(rows, new)
    kept = [content for row, content in rows.items() if row not in difference.ended]
    assert Counter(kept + [new[place] for place in difference.added]) == Counter(new)
    assert len(kept) == (Counter(old) & Counter(new)).total()


@settings(deadline=None)
@given(st.lists(LINES, max_size=8), st.randoms())
def test_the_order_of_the_lines_does_not_matter_and_their_number_does(lines: list[LineInput], dice: object) -> None:
    shuffled = list(lines)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    assert digest(order(lines)) == digest(order(shuffled))
    assert amounts(order(lines)).total == amounts(order(shuffled)).total
    if lines:
        assert digest(order(lines)) != digest(order([*lines, lines[0]]))


def test_a_line_is_rounded_half_even_once() -> None:
    lines = [
        LineInput("A", "", 1, Decimal("0.125")),
        LineInput("A", "", 1, Decimal("0.135")),
        LineInput("A", "", 3, Decimal("0.001")),
    ]
    assert amounts(order(lines)).lines == (12, 14, 0)


def test_what_the_order_comes_to() -> None:
    lines = [LineInput("A", "", 2, Decimal(10), discount_minor=100)]
    taxed = order(lines, shipping_minor=300, tax_minor=380, discount_minor=200)
    assert amounts(taxed).subtotal == 1700
    assert amounts(taxed).total == 2000
    assert amounts(replace(taxed, tax_included=False)).total == 2380
    assert amounts(replace(taxed, total_minor=1999)).total == 1999


def test_equal_prices_written_differently_say_the_same() -> None:
    assert digest(order([LineInput("A", "", 1, Decimal("2.50"))])) == digest(
        order([LineInput("A", "", 1, Decimal("2.5"))])
    )
