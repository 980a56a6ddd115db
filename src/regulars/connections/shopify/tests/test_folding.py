"""A bulk operation's file in pieces: every thing whole, once, wherever it is cut."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.connections.shopify.folding import NotGrouped, cut, fold, to_lines
from regulars.connections.shopify.mapping.values import kind_of
from regulars.connections.shopify.selections import COLLECTIONS
from regulars.connections.shopify.tests.state import gid

ORDERS = COLLECTIONS["orders"]


def _file(counts: list[int]) -> bytes:
    """Orders with so many lines each, grouped, as Shopify writes them."""
    lines: list[dict[str, Any]] = []
    for number, count in enumerate(counts):
        order = gid("Order", number)
        lines.append({"id": order, "name": f"#{number} 🍓"})
        lines += [{"id": gid("LineItem", number * 1000 + n), "__parentId": order} for n in range(count)]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def _read(raw: bytes, length: int) -> list[dict[str, Any]]:
    """As the puller does: a longer piece where one thing fills it."""
    found, start, asked = [], 0, length
    while start < len(raw):
        piece = raw[start : start + asked]
        part = cut(piece, start + len(piece) >= len(raw))
        if not part.size:
            asked *= 4
            continue
        nodes, broken = fold(part.lines, ORDERS)
        assert broken == []
        found += nodes
        start, asked = start + part.size, length
    return found


@given(counts=st.lists(st.integers(0, 7), max_size=12), length=st.integers(1, 900))
def test_wherever_it_is_cut_every_thing_is_whole_and_there_once(counts: list[int], length: int) -> None:
    found = _read(_file(counts), length)
    assert [(kind_of(node["id"]), len(node["lineItems"]["nodes"])) for node in found] == [("Order", n) for n in counts]
    assert len({node["id"] for node in found}) == len(counts)


def test_what_belongs_to_something_that_is_not_there_is_noticed() -> None:
    first, second, *rest = _file([1, 1]).split(b"\n")
    with pytest.raises(NotGrouped):
        fold([second, first], ORDERS)
    with pytest.raises(NotGrouped):
        fold([json.dumps({"id": gid("Metafield", 1), "__parentId": gid("Order", 0)}).encode(), *rest[:1]], ORDERS)


def test_a_line_that_is_no_json_stays_with_its_neighbours_and_is_told() -> None:
    raw = _file([0]) + b'{"half\n' + _file([2])
    part = cut(raw + b'{"id"', is_end=False)
    assert part.lines[-1] == b'{"half'
    nodes, broken = fold(part.lines, ORDERS)
    assert (len(nodes), broken) == (1, [b'{"half'])
    assert to_lines(nodes, broken).split(b"\n")[-1] == b'{"half'


def test_codes_of_a_discount_stand_where_a_page_has_them() -> None:
    node = {"id": gid("DiscountCodeNode", 1), "codeDiscount": {"__typename": "DiscountCodeBasic"}}
    code = {"id": gid("DiscountRedeemCode", 2), "code": "SPRING", "__parentId": node["id"]}
    nodes, _ = fold([json.dumps(one).encode() for one in (node, code)], COLLECTIONS["coupons"])
    assert nodes[0]["codeDiscount"]["codes"] == {"nodes": [{"id": code["id"], "code": "SPRING"}]}
