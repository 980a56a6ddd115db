"""Rows that real shops gave: two tables of a connector (open), and Shopify's own sample payloads (only where they lie beside the project)."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from regulars.connections.base.platforms import Statements
from regulars.connections.shopify.tests import state
from regulars.connections.shopify.tests.shop import pulled, told
from regulars.record.consent.models import ConsentState

HERE = Path(__file__).parent / "data"
SAMPLES = Path(__file__).parents[6] / "shared" / "data" / "shopify-webhook-samples"


def _rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open() as file:
        return list(csv.DictReader(file))


def test_ten_customers_and_what_they_agreed_to() -> None:
    nodes = [
        state.customer_node(
            id=state.gid("Customer", int(row["id"])),
            createdAt=row["created_at"] + "Z",
            updatedAt=row["updated_at"] + "Z",
            defaultPhoneNumber=None,
            defaultEmailAddress={
                "emailAddress": f"c{row['id']}@ringstrasse.net",
                "marketingState": row["email_marketing_consent_state"],
                "marketingOptInLevel": row["email_marketing_consent_opt_in_level"] or None,
                "marketingUpdatedAt": row["email_marketing_consent_updated_at"] + "Z",
            },
        )
        for row in _rows("shopify_gql_customer_data.csv")
    ]
    said = pulled("customers", *nodes)
    assert [person.identities[0].value for person in said.people] == [str(number) for number in range(1001, 1011)]
    assert [(one.address[:5], one.state, one.method, one.occurred_at.isoformat()) for one in said.consents] == [
        ("c1001", ConsentState.GRANTED, "single opt-in", "2025-07-10T08:30:00+00:00"),
        ("c1003", ConsentState.GRANTED, "double opt-in", "2025-07-08T07:00:00+00:00"),
        ("c1004", ConsentState.DENIED, "shop", "2025-07-07T05:20:00+00:00"),
        ("c1005", ConsentState.GRANTED, "single opt-in", "2025-07-06T04:45:00+00:00"),
        ("c1007", ConsentState.GRANTED, "double opt-in", "2025-07-04T02:30:00+00:00"),
        ("c1008", ConsentState.DENIED, "shop", "2025-07-03T01:15:00+00:00"),
        ("c1009", ConsentState.GRANTED, "single opt-in", "2025-07-02T00:30:00+00:00"),
    ]


def test_ten_transactions() -> None:
    nodes = [
        {
            "id": state.gid("OrderTransaction", int(row["id"])),
            "kind": row["kind"].upper(),
            "status": row["status"].upper(),
            "gateway": row["gateway"],
            "createdAt": row["created_at"] + "Z",
            "processedAt": row["processed_at"] + "Z",
            "amountSet": state.bag(row["amount_set_shop_amount"]),
        }
        for row in _rows("shopify_gql_transaction_data.csv")
    ]
    [order] = pulled("orders", state.order_node(transactions=nodes)).orders
    assert Counter((one.kind, one.status) for one in order.payments) == {
        ("sale", "success"): 3,
        ("authorization", "success"): 1,
        ("authorization", "failure"): 1,
        ("capture", "success"): 2,
        ("void", "success"): 1,
        ("refund", "success"): 2,
    }
    assert [one.amount_minor for one in order.payments] == [4999, 5999, 3500, 1000, 12000, 7500, 0, 8999, 1550, 6200]
    assert [(one.reference, one.gateway) for one in order.payments][:2] == [
        ("10001", "shopify_payments"),
        ("10002", "paypal"),
    ]


# --- Shopify's samples, which may be looked at and not shipped ---

READ_AS = {
    "Order": "orders/updated",
    "Customer": "customers/update",
    "Checkout": "checkouts/update",
    "Cart": "carts/update",
    "Refund": "refunds/create",
    "Product": "products/update",
    "InventoryLevel": "inventory_levels/update",
}
VERSIONS = ("2020-04", "2021-07", "2022-04", "later_than_2022-04")
# What the samples leave empty that a shop never does; versions before 2022-04 of a cart have no times.
MENDED = {
    "Customer": {"updated_at": "2023-02-20T14:21:52+05:00", "created_at": "2023-02-16T11:13:53+05:00"},
    "Refund": {"created_at": "2023-02-20T14:21:52+05:00"},
    "InventoryLevel": {"available": 6},
    "Cart": {"updated_at": "2022-12-13T18:55:21.692Z"},
}


def _sample(name: str, version: str) -> Any:
    path = SAMPLES / version / f"{name}.json"
    if not path.exists():
        print(f"skipped: {path.name} of {version} is not beside the project")
        pytest.skip("the samples are not beside the project")
    found = json.loads(path.read_text()) | MENDED.get(name, {})
    if isinstance(found.get("variants"), dict):  # the samples went through PHP, which does not tell lists from objects
        found["variants"] = list(found["variants"].values())
    return found


def _count(said: Statements) -> dict[str, int]:
    return {name: len(value) for name, value in vars(said).items() if isinstance(value, list) and value}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Order", {"orders": 1, "wanted": 1}),  # its payments and discounts are asked for
        ("Customer", {"people": 1}),
        ("Checkout", {"carts": 1}),
        ("Cart", {"carts": 1}),
        ("Refund", {}),  # no money moved in the sample
        ("Product", {"products": 1}),
        ("InventoryLevel", {"stocks": 1}),
    ],
)
def test_every_version_of_shopifys_samples_is_read(name: str, expected: dict[str, int], version: str) -> None:
    assert _count(told(READ_AS[name], _sample(name, version))) == expected


def test_shopifys_own_order() -> None:
    [order] = told("orders/create", _sample("Order", "later_than_2022-04")).orders
    assert (order.number, order.total_minor, order.shipping_minor, order.discount_minor) == ("#9999", 40300, 1000, 0)
    assert [(line.sku, line.quantity, line.discount_minor) for line in order.lines] == [
        ("IPOD2008PINK", 1, 0),
        ("IPOD2008PINK", 1, 500),
    ]
    assert (order.is_test, order.status, order.payment_status, order.country) == (True, "cancelled", "voided", "US")


@pytest.mark.parametrize(
    ("name", "topic", "kind"),
    [
        ("customers_data_request", "customers/data_request", "export"),
        ("customers_redact", "customers/redact", "erase"),
        ("customers_redact_email_only", "customers/redact", "erase"),
        ("shop_redact", "shop/redact", "erase-shop"),
    ],
)
def test_shopifys_privacy_topics(name: str, topic: str, kind: str) -> None:
    said = told(topic, _sample(name, "compliance"))
    assert (_count(said), said.requests[0].kind) == ({"requests": 1}, kind)
