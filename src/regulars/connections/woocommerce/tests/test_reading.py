"""One strange thing keeps no other out; what is split off reads alike."""

import json
from decimal import Decimal
from typing import Any

import pytest

from regulars.connections.base.platforms import Statements, Why
from regulars.connections.base.things import STRANGE as READING_FAILS
from regulars.connections.woocommerce.mapping.values import decimal, parse
from regulars.connections.woocommerce.tests.shop import WOO, account, incoming, payload, read_page

STRANGE: list[Any] = [
    {"id": {"a": []}},
    {"id": 5},
    {"id": 0},
    "x",
    None,
    [],
    7,
    payload("orders")[0] | {"currency": "XXQ"},
    payload("orders")[0] | {"currency": None},
    payload("orders")[0] | {"total": "1e400"},
    payload("orders")[0] | {"total": "NaN"},
    payload("orders")[0] | {"total": ["1"]},
    payload("orders")[0] | {"total": "9" * 5000},
    payload("orders")[0] | {"date_created_gmt": "yesterday"},
    payload("orders")[0] | {"date_created_gmt": 5},
    payload("orders")[0] | {"line_items": "none"},
    payload("orders")[0] | {"line_items": [["x"]]},
    payload("orders")[0] | {"billing": "none"},
    payload("orders")[0] | {"billing": {"email": "p@shop-guest.net", "first_name": "a\x00b"}},
    payload("orders")[0] | {"billing": {"email": "p@shop-guest.net", "first_name": "\ud800"}},
    payload("orders")[0] | {"refunds": [{"id": "x", "total": "1"}]},
    payload("orders")[0] | {"customer_id": True},
    payload("orders")[0] | {"status": {"a": 1}},
    payload("orders")[0] | {"meta_data": 5},
]


@pytest.mark.parametrize("strange", STRANGE, ids=range(len(STRANGE)))
def test_one_strange_thing_waits_apart(strange: Any) -> None:
    good = payload("orders")[1]
    said = read_page("orders", [good, strange], {"723": payload("refunds")})
    assert [order.number for order in said.orders] == ["723"]
    assert len(said.refunds) == 2
    (apart,) = said.unreadable
    assert json.loads(apart.body)["things"] == [strange]
    again = WOO.read(account(), incoming("orders", apart.body, Why.HISTORY))
    assert again.orders == []
    assert [one.reason for one in again.unreadable] == [apart.reason]
    with pytest.raises(READING_FAILS):
        WOO.read(account(), incoming("order.updated", json.dumps(strange).encode()))


def test_a_bad_refund_keeps_its_order_out_whole() -> None:
    said = read_page("orders", payload("orders")[1:], {"723": [*payload("refunds"), {"id": 1}]})
    assert (said.orders, said.refunds, len(said.unreadable)) == ([], [], 1)


@pytest.mark.parametrize(
    "body", [b"\x00", b"[" * 100_000, b'{"things": ' + b"9" * 5_000 + b"}", b"NaN", b'{"things": []}', b"{}", b"[]"]
)
def test_a_body_that_is_no_page_is_refused(body: bytes) -> None:
    with pytest.raises(READING_FAILS):
        WOO.read(account(), incoming("orders", body, Why.HISTORY))


def test_a_topic_that_nobody_asked_for_is_refused() -> None:
    for topic in ("unknown", "action.woocommerce_add_to_cart", "subscription.updated"):
        with pytest.raises((ValueError, LookupError)):
            WOO.read(account(), incoming(topic, b'{"id":1}'))


def test_what_is_split_off_a_page_reads_alike() -> None:
    whole = {"things": payload("orders"), "more": {"723": [payload("refunds")]}}
    page = incoming("orders", json.dumps(whole).encode(), Why.HISTORY)
    alone = [WOO.read(account(), incoming("orders", part, Why.HISTORY)) for part in WOO.split(page)]
    together = WOO.read(account(), page)
    for name in vars(Statements()):
        if name != "is_over":
            assert [thing for one in alone for thing in getattr(one, name)] == getattr(together, name)
    assert len(alone) == 2
    single = incoming("order.updated", b'{"id":1}')
    assert WOO.split(single) == [b'{"id":1}']


def test_a_float_that_php_wrote_out_is_a_number_and_what_no_shop_sells_for_is_none() -> None:
    assert decimal(parse(b"16.666666666666668")) == Decimal("16.666666666666668")
    for wrong in ("1e-400", "1e400", "NaN", "-Infinity", "9" * 14):
        with pytest.raises(ValueError, match="number"):
            decimal(wrong)
