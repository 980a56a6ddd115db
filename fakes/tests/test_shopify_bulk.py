"""Bulk operations of the fake Shopify."""

import json

import pytest

from fakes.shopify.amounts import decimal_text
from fakes.shopify.payloads import Json
from fakes.shopify.seeding import fill
from fakes.shopify.serving import FakeShopify
from fakes.tests.shopify_asked import HTTP, ask


def test_a_right_reader_of_orders_ends_with_the_truth(fake: FakeShopify) -> None:
    fill(fake.shop, orders=25, customers=8, products=4, seed=5)
    query = "{ orders { edges { node { id name test currentTotalPriceSet { shopMoney { amount } presentmentMoney { amount currencyCode } }"
    query += " displayFinancialStatus lineItems { edges { node { id currentQuantity } } } } } } }"
    lines = bulk(fake, query)
    truth = fake.shop.truth()["orders"]
    orders = {int(one["id"].rsplit("/", 1)[1]): one for one in lines if "__parentId" not in one}
    assert orders.keys() == truth.keys()
    for number, order in orders.items():
        told, known = order["currentTotalPriceSet"], truth[number]
        shop, shown = known["currencies"]
        assert told["shopMoney"]["amount"] == decimal_text(known["current_total"][0], shop)
        assert told["presentmentMoney"] == {
            "amount": decimal_text(known["current_total"][1], shown),
            "currencyCode": shown,
        }
        assert order["displayFinancialStatus"] == known["financial_status"]
    quantities = {int(one["id"].rsplit("/", 1)[1]): one["currentQuantity"] for one in lines if "__parentId" in one}
    assert quantities == {
        number: line["current_quantity"] for order in truth.values() for number, line in order["lines"].items()
    }
    assert any(order["refunded"] != (0, 0) for order in truth.values())


RUN = "mutation($q: String!) { bulkOperationRunQuery(query: $q) { bulkOperation { id status } userErrors { code message } } }"
STATE = "query($id: ID!) { bulkOperation(id: $id) { status url partialDataUrl errorCode objectCount rootObjectCount } }"


def bulk(fake: FakeShopify, query: str) -> list[Json]:
    begun = ask(fake, RUN, q=query)["data"]["bulkOperationRunQuery"]
    assert begun["userErrors"] == []
    assert begun["bulkOperation"]["status"] == "CREATED"
    states = [ask(fake, STATE, id=begun["bulkOperation"]["id"])["data"]["bulkOperation"] for _ in range(3)]
    assert [one["status"] for one in states[1:]] == ["COMPLETED", "COMPLETED"]
    content = HTTP.get(states[-1]["url"]).text
    assert content.count("\n") == int(states[-1]["objectCount"])
    return [json.loads(line) for line in content.splitlines()]


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("{ shop { name } }", "Bulk queries must contain at least one connection."),
        ('{ node(id: "gid://shopify/Order/1") { id } }', "Bulk queries cannot contain the top-level field 'node'."),
        (
            "{ orders { edges { node { id refunds { refundLineItems { edges { node { quantity } } } } } } } }",
            "Queries that contain a connection field within a list field are not currently supported.",
        ),
        (
            "{ customers { edges { node { id orders { edges { node { id lineItems { edges { node { id product { id variants { edges"
            " { node { id } } } } } } } } } } } } } }",
            "Bulk queries cannot contain connections with a nesting depth greater than 2.",
        ),
        (
            "{ orders { edges { node { name lineItems { edges { node { id } } } } } } }",
            "The parent of a connection below 'orders' must select the `id` field without an alias.",
        ),
        (
            "{ products { edges { node { id a: variants { edges { node { id } } } b: variants { edges { node { id } } }"
            " c: media { edges { node { id } } } d: images { edges { node { id } } } e: collections { edges { node { id } } } } } } }",
            "Bulk queries cannot contain more than 5 connections.",
        ),
        (
            "{ orders { edges { node { id colour } } } }",
            "Invalid bulk query: Cannot query field 'colour' on type 'Order'.",
        ),
    ],
)
def test_bulk_queries_have_limits(fake: FakeShopify, query: str, why: str) -> None:
    begun = ask(fake, RUN, q=query)["data"]["bulkOperationRunQuery"]
    assert begun == {"bulkOperation": None, "userErrors": [{"code": "INVALID", "message": why}]}
    assert fake.bulk.operations == {}


def test_five_bulk_queries_run_at_a_time(fake: FakeShopify) -> None:
    query = "{ products { edges { node { id } } } }"
    document = (
        "mutation { "
        + " ".join(f'q{n}: bulkOperationRunQuery(query: "{query}") {{ userErrors {{ code }} }}' for n in range(6))
        + " }"
    )
    answer = ask(fake, document)["data"]
    assert [one["userErrors"] for one in answer.values()] == [[]] * 5 + [[{"code": "OPERATION_IN_PROGRESS"}]]


def test_a_bulk_file_fails_expires_and_wants_no_token(fake: FakeShopify) -> None:
    for number in range(3):
        fake.shop.add_customer(f"c{number}@example.com")
    fake.bulk.fail_next(after=1)
    gid = ask(fake, RUN, q="{ customers { edges { node { id } } } }")["data"]["bulkOperationRunQuery"]["bulkOperation"][
        "id"
    ]
    ask(fake, STATE, id=gid)
    failed = ask(fake, STATE, id=gid)["data"]["bulkOperation"]
    assert (failed["status"], failed["errorCode"], failed["url"]) == ("FAILED", "INTERNAL_SERVER_ERROR", None)
    assert HTTP.get(failed["partialDataUrl"]).text.count("\n") == 1
    assert HTTP.get(failed["partialDataUrl"], headers={"X-Shopify-Access-Token": fake.token}).status_code == 400
    fake.clock.advance(days=7)
    assert HTTP.get(failed["partialDataUrl"]).status_code == 403
    assert ask(fake, STATE, id=gid)["data"]["bulkOperation"]["partialDataUrl"] is None
