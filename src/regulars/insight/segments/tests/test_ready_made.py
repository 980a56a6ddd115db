"""Whom the ready-made segments mean: for each, people who belong to it and people who just do not."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from regulars.foundation.relations import LIST_MARK, RELATIONS
from regulars.foundation.warehouse_tables import WAREHOUSE_TABLES
from regulars.insight.conditions.evaluate import evaluate
from regulars.insight.conditions.language import relations_of
from regulars.insight.conditions.measuring import Person
from regulars.insight.conditions.reading import read_condition
from regulars.insight.conditions.windows import Clock
from regulars.insight.rfm.rules import SEGMENTS
from regulars.insight.segments.ready_made import READY_MADE

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CLOCK = Clock(NOW, ZoneInfo("UTC"), ZoneInfo("UTC"))
Rows = Mapping[str, list[dict[str, Any]]]
# What has to be chosen first, as somebody would.
CHOSEN: Mapping[str, Any] = {"category-fans": "Teapots", "of-a-country": ["DE", "AT"], "of-a-language": ["de"]}


def row(days_ago: float, **said: Any) -> dict[str, Any]:
    return {"days_ago": days_ago} | said


def orders(*days_ago: float, **said: Any) -> list[dict[str, Any]]:
    return [row(days, **said) for days in days_ago]


def views(*days_ago: float) -> list[dict[str, Any]]:
    return [row(days, kind="tracked.product_viewed") for days in days_ago]


def lines(category: str, *days_ago: float) -> list[dict[str, Any]]:
    return [row(days, categories=f"{LIST_MARK}Kitchen{LIST_MARK}{category}{LIST_MARK}") for days in days_ago]


def born(day: date) -> list[dict[str, Any]]:
    return [row(300, name="birthday", day=(day - date(1970, 1, 1)).days)]


def cart(days_ago: float, **said: Any) -> list[dict[str, Any]]:
    return [row(days_ago, is_filled=True, state="abandoned") | said]


MEANT: Mapping[str, tuple[list[Rows], list[Rows]]] = {
    "browsers": (
        [{"events": views(1, 2, 29)}, {"events": views(1, 2, 3), "orders": orders(31)}],
        [{"events": views(1, 2, 31)}, {"events": views(1, 2, 3), "orders": orders(29)}],
    ),
    "cart-abandoners": (
        [{"waiting_carts": cart(6)}],
        [{"waiting_carts": cart(8)}, {"waiting_carts": cart(6, state="open")}, {"waiting_carts": cart(6, is_filled=False)},
         {"waiting_carts": cart(6, ended_at=NOW - timedelta(days=1))}],
    ),
    "discount-hunters": (
        [{"orders": orders(1, 900, gross=1000, discount=150)}],
        [{"orders": orders(1, 900, gross=1000, discount=149)}, {"orders": orders(1, gross=1000, discount=900)}],
    ),
    "one-time-buyers": ([{"orders": orders(61)}], [{"orders": orders(59)}, {"orders": orders(61, 62)}, {}]),
    "frequent-returners": (
        [{"orders": orders(1, 2, 3), "refunds": orders(1)}],
        [{"orders": orders(1, 2), "refunds": orders(1, 2)}, {"orders": orders(1, 2, 3, 4), "refunds": orders(1)}],
    ),
    "high-spenders": (
        [{"orders": orders(1, 364, total=25_000)}], [{"orders": orders(1, 366, total=25_000)}, {"orders": orders(1, total=49_999)}],
    ),
    "category-fans": (
        [{"order_lines": lines("Teapots", 1, 2, 364)}],
        [{"order_lines": lines("Teapots", 1, 2, 366)}, {"order_lines": lines("Mugs", 1, 2, 3)}],
    ),
    "leads": (
        [{"identifiers": [row(1, kind="email")]}],
        [{"identifiers": [row(1, kind="anonymous_id")]}, {"identifiers": [row(9, kind="email")], "orders": orders(1)}],
    ),
    "first-time-buyers": ([{"orders": orders(59)}], [{"orders": orders(61)}, {"orders": orders(1, 900)}]),
    "active": ([{"orders": orders(89, 900)}], [{"orders": orders(91, 900)}, {"orders": orders(1)}]),
    "at-risk-of-leaving": (
        [{"orders": orders(91, 900)}], [{"orders": orders(89, 900)}, {"orders": orders(181, 900)}, {"orders": orders(91)}],
    ),
    "gone": ([{"orders": orders(366)}], [{"orders": orders(364, 900)}, {}]),
    "won-back": (
        [{"orders": orders(29, 211)}], [{"orders": orders(29, 100, 400)}, {"orders": orders(29)}, {"orders": orders(31, 400)}],
    ),
    "of-a-country": ([{"contacts": [row(1, country="AT")]}], [{"contacts": [row(2, country="AT"), row(1, country="FR")]}, {}]),
    "of-a-language": ([{"contacts": [row(1, language="de")]}], [{"contacts": [row(1, language="en")]}, {}]),
    "birthdays": (
        [{"attributes": born(date(1990, 11, 22))}, {"attributes": born(date(1990, 12, 5))}],
        [{"attributes": born(date(1990, 11, 21))}, {"attributes": born(date(1990, 12, 6))}, {}],
    ),
    "business-addresses": (
        [{"contacts": [row(1, mail_domain="shop.example")]}], [{"contacts": [row(1, mail_domain="gmail.com")]}, {}],
    ),
    **{
        f"rfm-{name}": ([{"rfm": [row(1, segment=name)]}], [{"rfm": [row(1, segment=f"not {name}")]}, {}]) for name in SEGMENTS
    },
}  # fmt: skip


def _person(rows: Rows, asked: frozenset[str]) -> Person:
    """Columns that nothing is said of are null; rows count, unless they say otherwise."""
    filled: dict[str, list[dict[str, Any]]] = {name: [] for name in asked}
    for name, said in rows.items():
        relation = RELATIONS[name]
        columns = dict.fromkeys(column.name for column in WAREHOUSE_TABLES[relation.table].columns)
        filled[name] = [
            columns
            | ({relation.counts: True} if relation.counts else {})
            | {"key": key, relation.at: NOW - timedelta(days=one["days_ago"])}
            | one
            for key, one in enumerate(said)
        ]
    return Person(1, filled)


def _choose(where: dict[str, Any], place: str, value: Any) -> dict[str, Any]:
    if place == "value":
        return where | {"value": value}
    return where | {"where": [where["where"][0] | {"value": value}]}


@pytest.mark.parametrize("key", READY_MADE)
def test_it_means_those_it_names_and_nobody_beside_them(key: str) -> None:
    ready = READY_MADE[key]
    where = _choose(ready.where, ready.choose, CHOSEN[key]) if ready.choose else ready.where
    condition = read_condition(where)
    asked = frozenset(relations_of(condition))
    for is_in, people in zip((True, False), MEANT[key], strict=True):
        for rows in people:
            assert evaluate(condition, _person(rows, asked), CLOCK).is_in == is_in, rows
