"""The fake Shopify: what it answers and refuses."""

import json
from datetime import timedelta

import pytest
from graphql import GraphQLObjectType, get_named_type, is_leaf_type, is_required_argument

from fakes.shopify.amounts import decimal_text, plain_text
from fakes.shopify.payloads import Json
from fakes.shopify.roots import READINGS
from fakes.shopify.sales import Wanted
from fakes.shopify.schema import directive, schema
from fakes.shopify.seeding import fill
from fakes.shopify.serving import FakeShopify
from fakes.shopify.settings import ALL_SCOPES, VERSION, App
from fakes.tests.shopify_asked import HTTP, ask, one_order


def test_amounts_are_written_by_their_currency() -> None:
    assert [plain_text(1500, currency) for currency in ("EUR", "JPY", "KWD")] == ["15.00", "1500", "1.500"]
    assert [decimal_text(1500, currency) for currency in ("EUR", "JPY", "KWD")] == ["15.0", "1500.0", "1.5"]


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("{ shop { foo } }", "undefinedField", "Field 'foo' doesn't exist on type 'Shop'"),
        ("{ shop(id: 1) { name } }", "argumentNotAccepted", "Field 'shop' doesn't accept argument 'id'"),
        ("{ order { id } }", "missingRequiredArguments", "Field 'order' is missing required arguments: id"),
        ("{ orders { nodes { id } } }", "BAD_REQUEST", "you must provide one of first or last"),
        (
            "{ orders(first: 251) { nodes { id } } }",
            "BAD_REQUEST",
            "Argument 'first' or 'last' must be between 0 and 250, and is 251",
        ),
        (
            '{ orders(first: 1, query: "colour:red") { nodes { id } } }',
            "BAD_REQUEST",
            "Invalid search field for this query: colour",
        ),
    ],
)
def test_what_the_schema_does_not_know_is_refused(fake: FakeShopify, query: str, code: str, message: str) -> None:
    answer = ask(fake, query)
    assert [(one["extensions"]["code"], one["message"]) for one in answer["errors"]] == [(code, message)]
    assert not answer.get("data")


def test_without_its_scope_a_field_is_denied_and_the_rest_is_told() -> None:
    with FakeShopify(app=App(scopes=("read_orders",))) as fake:
        one_order(fake)
        answer = ask(fake, "{ orders(first: 1) { nodes { name customer { id } } } }")
    assert answer["data"] == {"orders": {"nodes": [{"name": "#1001", "customer": None}]}}
    [error] = answer["errors"]
    assert error["message"] == "Access denied for customer field. Required access: `read_customers` access scope."
    assert error["extensions"]["code"] == "ACCESS_DENIED"
    assert error["path"] == ["orders", "nodes", 0, "customer"]


def test_old_orders_need_a_scope_of_their_own() -> None:
    scopes = tuple(one for one in ALL_SCOPES if one != "read_all_orders")
    with FakeShopify(app=App(scopes=scopes)) as fake:
        one_order(fake, at=fake.now() - timedelta(days=61))
        assert ask(fake, "{ orders(first: 9) { nodes { id } } }")["data"] == {"orders": {"nodes": []}}


def test_a_wrong_token_is_401(fake: FakeShopify) -> None:
    address = f"{fake.address}/admin/api/{VERSION}/graphql.json"
    answer = HTTP.post(address, json={"query": "{ shop { name } }"}, headers={"X-Shopify-Access-Token": "shpat_no"})
    assert answer.status_code == 401
    assert answer.json() == {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}


def test_the_bucket_runs_dry_and_fills_again(fake: FakeShopify) -> None:
    query = "{ orders(first: 250) { nodes { id lineItems(first: 1) { nodes { id } } } } }"
    dear = ask(fake, query)
    assert dear["errors"][0]["extensions"] | {"documentation": ""} == {
        "code": "MAX_COST_EXCEEDED",
        "cost": 1002,
        "maxCost": 1000,
        "documentation": "",
    }
    fake.bucket.available = 100
    throttled = ask(fake, query.replace("250", "60"))
    assert throttled["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert throttled["extensions"]["cost"] == {
        "requestedQueryCost": 242,
        "actualQueryCost": None,
        "throttleStatus": {"maximumAvailable": 2000.0, "currentlyAvailable": 100, "restoreRate": 100.0},
    }
    fake.clock.advance(seconds=2)
    assert "errors" not in ask(fake, query.replace("250", "60"))


def test_a_size_may_stand_in_the_querys_own_default(fake: FakeShopify) -> None:
    answer = ask(fake, "query($n: Int = 40) { customers(first: $n) { nodes { id } } }")
    assert answer["data"] == {"customers": {"nodes": []}}
    assert answer["extensions"]["cost"]["requestedQueryCost"] == 42


def test_pages_hold_their_place_though_records_come_before_them(fake: FakeShopify) -> None:
    for number in range(7):
        fake.shop.add_customer(f"c{number}@example.com")
        fake.clock.advance(seconds=1)
    page = "query($after: String) { customers(first: 3, after: $after, sortKey: UPDATED_AT) {" + (
        " nodes { email } pageInfo { hasNextPage endCursor } } }"
    )
    seen: list[str] = []
    after = None
    while True:
        content = ask(fake, page, after=after)["data"]["customers"]
        seen += [one["email"] for one in content["nodes"]]
        if not content["pageInfo"]["hasNextPage"]:
            break
        after = content["pageInfo"]["endCursor"]
    assert seen == [f"c{number}@example.com" for number in range(7)]


def test_a_search_by_time_reads_quotes_offsets_and_the_shops_own_zone(fake: FakeShopify) -> None:
    first = fake.shop.add_customer("first@example.com")
    fake.clock.advance(hours=1)
    fake.shop.add_customer("second@example.com")
    search = "query($q: String) { customers(first: 9, query: $q) { nodes { email } } }"
    at = first.updated_at
    for text in (
        f"updated_at:>'{at.isoformat()}'",
        f"updated_at:>{at:%Y-%m-%dT%H:%M:%SZ}",
        "updated_at:>'2026-11-02T10:00:00'",
    ):
        found = ask(fake, search, q=text)["data"]["customers"]["nodes"]
        assert found == [{"email": "second@example.com"}], text


VALUES = ("Connection", "Edge", "Bag", "MoneyV2")


def _whole(name: str, depth: int) -> str:
    """Every field of a type that can be asked without an argument, ``depth`` records down."""
    known = schema().type_map[name]
    assert isinstance(known, GraphQLObjectType)
    parts = ["__typename"]
    for field_name, field in known.fields.items():
        target = get_named_type(field.type)
        if any(is_required_argument(argument) for argument in field.args.values()):
            continue
        if is_leaf_type(target):
            parts.append(field_name)
        elif isinstance(target, GraphQLObjectType) and depth:
            inner = _whole(target.name, depth - (not target.name.endswith(VALUES)))
            parts.append(f"{field_name}{'(first: 3)' if 'first' in field.args else ''} {{ {inner} }}")
    return " ".join(parts)


@pytest.mark.parametrize(
    "root",
    [
        "orders",
        "customers",
        "products",
        "collections",
        "codeDiscountNodes",
        "abandonedCheckouts",
        "locations",
        "inventoryItems",
    ],
)
def test_every_field_of_the_schema_is_answered(root: str) -> None:
    with FakeShopify() as fake:
        fill(fake.shop, orders=10, customers=4, products=3, seed=8)
        fake.bucket.most_of_one = fake.bucket.size = fake.bucket.available = 10**9
        query = schema().query_type
        assert query is not None
        kind = get_named_type(query.fields[root].type).name.removesuffix("Connection")
        answer = ask(fake, f"{{ {root}(first: 50) {{ nodes {{ {_whole(kind, 2)} }} }} }}")
        told = fake.shop.orders.values()
        assert all(
            any(getattr(one, part) for one in told) for part in ("refunds", "fulfilments", "applications", "utm")
        )
    assert "errors" not in answer
    assert answer["data"][root]["nodes"]


def test_consent_is_written_and_an_older_statement_changes_nothing(fake: FakeShopify) -> None:
    customer = fake.shop.add_customer("a@people.test")
    change = (
        "mutation($input: CustomerEmailMarketingConsentUpdateInput!) { customerEmailMarketingConsentUpdate(input: $input) {"
        " customer { defaultEmailAddress { marketingState marketingUpdatedAt } } userErrors { field code } } }"
    )

    def say(state: str, at: str) -> Json:
        consent = {"marketingState": state, "marketingOptInLevel": "CONFIRMED_OPT_IN", "consentUpdatedAt": at}
        content = ask(fake, change, input={"customerId": customer.gid, "emailMarketingConsent": consent})
        told: Json = content["data"]["customerEmailMarketingConsentUpdate"]
        return told

    new = {"marketingState": "SUBSCRIBED", "marketingUpdatedAt": "2026-11-01T08:00:00Z"}
    assert say("SUBSCRIBED", "2026-11-01T08:00:00Z") == {"customer": {"defaultEmailAddress": new}, "userErrors": []}
    assert say("UNSUBSCRIBED", "2026-10-01T08:00:00Z") == {"customer": {"defaultEmailAddress": new}, "userErrors": []}
    refused = say("NOT_SUBSCRIBED", "2026-11-01T09:00:00Z")
    assert refused["userErrors"] == [{"field": ["input", "emailMarketingConsent", "marketingState"], "code": "INVALID"}]


def test_codes_are_made_and_taken_ones_refused(fake: FakeShopify) -> None:
    make = (
        "mutation($d: DiscountCodeBasicInput!) { discountCodeBasicCreate(basicCodeDiscount: $d) { codeDiscountNode { id codeDiscount {"
        " ... on DiscountCodeBasic { title status codes(first: 9) { nodes { code } } customerGets { value { ... on DiscountPercentage {"
        " percentage } } } } } } userErrors { field code } } }"
    )
    wanted = {
        "title": "Thanks",
        "code": "THANKS",
        "startsAt": "2026-11-01T00:00:00Z",
        "context": {"all": "ALL"},
        "customerGets": {"value": {"percentage": 0.15}, "items": {"all": True}},
    }
    made = ask(fake, make, d=wanted)["data"]["discountCodeBasicCreate"]
    assert made["codeDiscountNode"]["codeDiscount"] == {
        "title": "Thanks",
        "status": "ACTIVE",
        "codes": {"nodes": [{"code": "THANKS"}]},
        "customerGets": {"value": {"percentage": 0.15}},
    }
    again = ask(fake, make, d=wanted | {"code": "thanks"})["data"]["discountCodeBasicCreate"]
    assert again == {
        "codeDiscountNode": None,
        "userErrors": [{"field": ["basicCodeDiscount", "code"], "code": "TAKEN"}],
    }
    add = (
        "mutation($id: ID!, $codes: [DiscountRedeemCodeInput!]!) { discountRedeemCodeBulkAdd(discountId: $id, codes: $codes) {"
        " bulkCreation { importedCount failedCount codes(first: 9) { nodes { code errors { code } } } } } }"
    )
    gid = made["codeDiscountNode"]["id"]
    added = ask(fake, add, id=gid, codes=[{"code": "T2"}, {"code": "THANKS"}])["data"]["discountRedeemCodeBulkAdd"]
    assert added["bulkCreation"] == {
        "importedCount": 1,
        "failedCount": 1,
        "codes": {"nodes": [{"code": "T2", "errors": []}, {"code": "THANKS", "errors": [{"code": "TAKEN"}]}]},
    }


def test_an_edited_and_cancelled_order_adds_up(fake: FakeShopify) -> None:
    order = one_order(fake, currency="KWD", shipping=490)
    line = order.lines[0].number_of_kind
    fake.shop.edit_order(order, add=[Wanted(title="Card", price=500)], remove={line: 1})
    truth = fake.shop.truth()["orders"][order.number_of_kind]
    assert (truth["total"][0], truth["current_total"][0]) == (3 * 1299 + 490 + 500, 2 * 1299 + 490 + 500)
    assert truth["financial_status"] == "PAID"
    fake.shop.cancel(order)
    truth = fake.shop.truth()["orders"][order.number_of_kind]
    assert truth["refunded"] == truth["received"]
    assert (truth["financial_status"], truth["fulfillment_status"]) == ("REFUNDED", "RESTOCKED")


def test_the_pixels_settings_are_those_of_its_extension(fake: FakeShopify) -> None:
    make = "mutation($p: WebPixelInput!) { webPixelCreate(webPixel: $p) { webPixel { settings } userErrors { code } } }"
    right = {"host": "https://crm.example", "key": "k"}
    wrong = ask(fake, make, p={"settings": {"host": "https://crm.example"}})["data"]["webPixelCreate"]
    assert wrong == {"webPixel": None, "userErrors": [{"code": "INVALID_SETTINGS"}]}
    made = ask(fake, make, p={"settings": json.dumps(right)})["data"]["webPixelCreate"]
    assert made == {"webPixel": {"settings": right}, "userErrors": []}
    assert ask(fake, make, p={"settings": right})["data"]["webPixelCreate"]["userErrors"] == [{"code": "TAKEN"}]


def test_parts_of_an_order_are_found_by_their_id(fake: FakeShopify) -> None:
    order = one_order(fake)
    refund = fake.shop.refund(order, {order.lines[0].number_of_kind: 2})
    query = "query($id: ID!) { node(id: $id) { ... on Refund { refundLineItems(first: 1) { nodes { quantity } } order { name } } } }"
    assert ask(fake, query, id=refund.gid)["data"]["node"] == {
        "refundLineItems": {"nodes": [{"quantity": 2}]},
        "order": {"name": "#1001"},
    }


def test_the_fake_reads_no_filter_that_is_not_documented() -> None:
    root = schema().query_type
    assert root is not None
    for name in ("orders", "products", "customers", "codeDiscountNodes", "abandonedCheckouts"):
        documented = {one.rpartition(":")[0] for one in directive(root.fields[name], "filters")}
        assert {"id", "updated_at"} <= documented & READINGS[name].keys()
        assert READINGS[name].keys() <= documented | {"created_at"}, name
