"""Every document that we send, checked against the schema that the fake has pinned from Shopify's own description."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import ModuleType

from graphql import GraphQLEnumType, GraphQLSchema, build_schema, parse, validate
from graphql.validation import NoDeprecatedCustomRule

from regulars.connections.shopify import calls, pixels, platform, pulling, selections, webhooks, writing
from regulars.connections.shopify.tests.shop import PLATFORM

SCHEMA = Path(__file__).parents[5] / "fakes" / "shopify" / "schema.graphql"
GUIDE = Path(__file__).parents[1] / "templates" / "shopify" / "guide.html"
SINCE = "2026-03-01T00:00:00Z"
# Free shipping is not in the pinned part; these are Shopify's own words of 2026-10.
FREE_SHIPPING = """
extend type Mutation {
  discountCodeFreeShippingCreate(freeShippingCodeDiscount: DiscountCodeFreeShippingInput!): DiscountCodeFreeShippingCreatePayload
}
input DiscountCodeFreeShippingInput {
  appliesOncePerCustomer: Boolean
  code: String
  combinesWith: DiscountCombinesWithInput
  context: DiscountContextInput
  endsAt: DateTime
  minimumRequirement: DiscountMinimumRequirementInput
  startsAt: DateTime
  title: String
  usageLimit: Int
}
type DiscountCodeFreeShippingCreatePayload {
  codeDiscountNode: DiscountCodeNode
  userErrors: [DiscountUserError!]!
}
"""


def _schema() -> GraphQLSchema:
    text = SCHEMA.read_text()
    return build_schema(text if "discountCodeFreeShippingCreate" in text else text + FREE_SHIPPING)


def _constants(module: ModuleType) -> Iterator[str]:
    for name, value in vars(module).items():
        if name.startswith("_") and isinstance(value, str) and re.match(r"\s*(query|mutation) ", value):
            yield value


def _documents() -> Iterator[str]:
    for topic in selections.COLLECTIONS.values():
        for since in ("", SINCE):
            yield selections.bulk(topic, since)
            yield selections.page(topic, since, 10)
            yield from (selections.rest(topic, inner, since, 50) for inner in topic.inner)
    yield selections.by_ids(selections.REFUNDS, 10)
    yield from (selections.rest(selections.REFUNDS, inner, "", 50) for inner in selections.REFUNDS.inner)
    for module in (platform, pulling, webhooks, writing, pixels):
        yield from _constants(module)


def test_every_document_is_of_the_pinned_schema() -> None:
    schema, documents = _schema(), list(_documents())
    assert len(documents) > 45
    problems = [(error.message, text) for text in documents for error in validate(schema, parse(text))]
    assert problems == []


def test_nothing_deprecated_is_asked_for_but_the_list_of_codes() -> None:
    """The newer list of discounts mixes in those without a code, and the pinned part does not hold it."""
    schema = _schema()
    found = {
        error.message.partition(" is deprecated")[0]
        for text in _documents()
        for error in validate(schema, parse(text), [NoDeprecatedCustomRule])
    }
    assert found == {"The field QueryRoot.codeDiscountNodes"}


def test_the_version_of_the_calls_is_that_of_the_schema() -> None:
    assert f"# API version: {calls.VERSION}\n" in SCHEMA.read_text()
    assert (
        f"choose {calls.VERSION} as the version of its webhooks" in GUIDE.read_text()
    )  # it is the app's, not the subscription's
    assert (calls.VERSION, PLATFORM.served_until) == ("2026-10", date(2027, 10, 1))


def test_topics_of_webhooks_are_shopifys_and_all_of_them_are_read() -> None:
    topics = _schema().type_map["WebhookSubscriptionTopic"]
    assert isinstance(topics, GraphQLEnumType)
    assert webhooks.TOPICS.keys() <= topics.values.keys()
    assert len(PLATFORM.topics) == len(selections.COLLECTIONS)


def test_bulk_documents_keep_shopifys_limits() -> None:
    """Five connections, two levels, none within a list."""
    for topic in selections.COLLECTIONS.values():
        text = selections.bulk(topic, SINCE)
        assert text.count("edges {") <= 5
        assert "nodes {" not in text
        assert "pageInfo" not in text
