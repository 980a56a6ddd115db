"""What we tell the shop and ask of it: webhooks, consent, codes, the pixel. Against the fake, and against what Shopify would answer."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from fakes.shopify.serving import FakeShopify
from fakes.shopify.settings import ALL_SCOPES, App
from regulars.connections.base.platforms import ConsentChange, CouponRule, KeyRefused, Refused, WebhookReport
from regulars.connections.shopify import pixels
from regulars.connections.shopify.calls import ask
from regulars.connections.shopify.tests.shop import PLATFORM, Canned, account, data
from regulars.connections.shopify.tests.standing import account_at, everything, standing
from regulars.connections.shopify.webhooks import TOPICS
from regulars.record.coupons.models import CouponKind

HOOK = "https://crm.ringstrasse.net/hooks/shopify/con_test"
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def fake(settings: Any) -> Iterator[FakeShopify]:
    with standing(settings) as started:
        yield started


# --- webhooks ---


def _subscribed(fake: FakeShopify) -> dict[str, str]:
    return {one.topic: one.uri for one in fake.shop.post.subscriptions}


def test_every_topic_once_and_again_nothing(fake: FakeShopify) -> None:
    shop = account_at(fake)
    assert PLATFORM.ensure_webhooks(shop, HOOK) == WebhookReport(len(TOPICS), made=len(TOPICS))
    assert _subscribed(fake) == dict.fromkeys(TOPICS, HOOK)
    assert PLATFORM.ensure_webhooks(shop, HOOK) == WebhookReport(len(TOPICS))
    PLATFORM.remove_webhooks(shop, HOOK)
    assert _subscribed(fake) == {}


def test_what_shopify_took_away_is_made_again_and_said(fake: FakeShopify) -> None:
    shop = account_at(fake)
    PLATFORM.ensure_webhooks(shop, HOOK)
    del fake.shop.post.subscriptions[3:5]
    assert PLATFORM.ensure_webhooks(shop, HOOK) == WebhookReport(len(TOPICS), revived=2)
    assert _subscribed(fake) == dict.fromkeys(TOPICS, HOOK)


def test_another_host_of_ours_is_pointed_to_and_others_are_left_alone(fake: FakeShopify) -> None:
    shop = account_at(fake)
    PLATFORM.ensure_webhooks(shop, HOOK)
    PLATFORM.ensure_webhooks(shop, HOOK.replace("con_test", "con_other"))
    moved = HOOK.replace("crm", "new")
    assert PLATFORM.ensure_webhooks(shop, moved).mended == len(TOPICS)
    PLATFORM.remove_webhooks(shop, moved)
    assert {one.uri for one in fake.shop.post.subscriptions} == {HOOK.replace("con_test", "con_other")}


def test_topics_that_the_app_may_not_see_are_not_asked_for(settings: Any) -> None:
    scopes = tuple(one for one in ALL_SCOPES if "customers" not in one and "discounts" not in one)
    with standing(settings, app=App(scopes=scopes)) as fake:
        wanted = {topic for topic, scope in TOPICS.items() if scope not in ("read_customers", "read_discounts")}
        assert PLATFORM.ensure_webhooks(account_at(fake), HOOK).made == len(wanted)
        assert _subscribed(fake).keys() == wanted


def test_one_refusal_keeps_no_other_out_and_is_told() -> None:
    none = {"nodes": [], "pageInfo": {"hasNextPage": False}}
    held = {"accessScopes": [{"handle": "read_products"}]}
    bad = {
        "webhookSubscriptionCreate": {
            "userErrors": [{"field": ["topic"], "message": "Not approved for protected data"}]
        }
    }
    good = {"webhookSubscriptionCreate": {"userErrors": [], "webhookSubscription": {"id": "1"}}}
    outbound = Canned(
        data(webhookSubscriptions=none),
        data(currentAppInstallation=held),
        data(**bad),
        data(**good),
        data(**good),
        data(**good),
    )
    with pytest.raises(Refused, match="Not approved for protected data"):
        PLATFORM.ensure_webhooks(account(outbound), HOOK)
    topics = [one["variables"].get("topic") for one in outbound.documents()[2:]]
    assert topics == ["PRODUCTS_CREATE", "PRODUCTS_UPDATE", "PRODUCTS_DELETE", "APP_UNINSTALLED"]


# --- consent ---


def _change(key: int, *, granted: bool, channel: str = "email", address: str = "ada@ringstrasse.net") -> ConsentChange:
    return ConsentChange(str(key), channel, address, granted, AT)


def test_consent_is_told_once(fake: FakeShopify) -> None:
    customer = fake.shop.add_customer("Ada@ringstrasse.net", phone="+4930123456")
    key, shop = customer.number_of_kind, account_at(fake)
    for granted in (True, True, False, False):
        PLATFORM.write_consent(shop, _change(key, granted=granted))
    told = fake.shop.truth()["customers"][key]["email_consent"]
    assert (told["state"], told["updated_at"]) == ("UNSUBSCRIBED", AT)
    sms = _change(key, granted=True, channel="sms", address="+4930123456")
    PLATFORM.write_consent(shop, sms)
    assert fake.shop.truth()["customers"][key]["sms_consent"]["state"] == "SUBSCRIBED"
    mutations = [request for request in fake.server.requests if b"ConsentUpdate(input" in request.body]
    assert len(mutations) == 3


def test_for_a_scope_that_was_left_out_nothing_waits(fake: FakeShopify) -> None:
    customer = fake.shop.add_customer("ada@ringstrasse.net")
    fake.shop.app.scopes = tuple(one for one in ALL_SCOPES if one not in ("write_customers", "write_discounts"))
    shop = account_at(fake)
    with pytest.raises(Refused, match="does not learn who unsubscribed") as consent:
        PLATFORM.write_consent(shop, _change(customer.number_of_kind, granted=True))
    with pytest.raises(Refused, match="workflows cannot make codes") as code:
        PLATFORM.make_coupon(shop, CouponRule("SPRING", "Spring", percent=Decimal(10)))
    assert (type(consent.value), type(code.value)) == (Refused, Refused)
    fake.shop.app.scopes, fake.shop.app.customer_data = ALL_SCOPES, frozenset()
    with pytest.raises(KeyRefused, match="does not show this to the app"):
        PLATFORM.write_consent(shop, _change(customer.number_of_kind, granted=True))


def test_consent_of_another_address_or_of_nobody_is_refused(fake: FakeShopify) -> None:
    customer, shop = fake.shop.add_customer("ada@ringstrasse.net"), account_at(fake)
    with pytest.raises(Refused, match="another address"):
        PLATFORM.write_consent(shop, _change(customer.number_of_kind, granted=True, address="eve@ringstrasse.net"))
    with pytest.raises(Refused, match="another address"):
        PLATFORM.write_consent(
            shop, _change(customer.number_of_kind, granted=True, channel="sms", address="+4930123456")
        )
    with pytest.raises(Refused, match="no such customer"):
        PLATFORM.write_consent(shop, _change(1, granted=True))
    assert fake.shop.truth()["customers"][customer.number_of_kind]["email_consent"]["state"] == "NOT_SUBSCRIBED"


# --- codes ---


def _codes(fake: FakeShopify) -> dict[str, tuple[CouponKind, Decimal, Decimal | None, int | None]]:
    said = [coupon for one in everything(account_at(fake), "coupons") for coupon in one.coupons]
    return {one.code: (one.kind, one.amount, one.minimum, one.usage_limit) for one in said}


def test_codes_are_made_once_and_are_what_they_were_asked_to_be(fake: FakeShopify) -> None:
    shop = account_at(fake)
    tenth = CouponRule(
        "TEN-7K2P", "Ten off", percent=Decimal(10), minimum=Decimal(30), ends_at=AT + timedelta(days=400)
    )
    five = CouponRule("FIVE", "Five off", amount=Decimal("5.50"), currency="EUR", usage_limit=None)
    first = [PLATFORM.make_coupon(shop, rule) for rule in (tenth, five)]
    again = [PLATFORM.make_coupon(shop, rule) for rule in (tenth, five)]
    assert first == again
    assert _codes(fake) == {
        "TEN-7K2P": (CouponKind.PERCENT, Decimal(10), Decimal(30), 1),
        "FIVE": (CouponKind.FIXED, Decimal("5.5"), None, None),
    }


def test_a_code_that_is_there_and_does_something_else_is_refused(fake: FakeShopify) -> None:
    shop = account_at(fake)
    fake.shop.add_coupon("SPRING", percentage=0.2, usage_limit=1)
    before = _codes(fake)
    with pytest.raises(Refused, match="spring already"):
        PLATFORM.make_coupon(shop, CouponRule("spring", "Spring", percent=Decimal(10)))
    assert _codes(fake) == before


def test_a_code_for_one_customer(fake: FakeShopify) -> None:
    customer, shop = fake.shop.add_customer("ada@ringstrasse.net"), account_at(fake)
    rule = CouponRule("FOR-ADA", "For Ada", percent=Decimal("12.5"), email="ada@ringstrasse.net")
    assert PLATFORM.make_coupon(shop, rule) == PLATFORM.make_coupon(shop, rule)
    [coupon] = [coupon for one in everything(shop, "coupons") for coupon in one.coupons]
    assert coupon.person is not None
    assert coupon.person.identities[0].value == str(customer.number_of_kind)
    with pytest.raises(Refused, match="no customer with this address"):
        PLATFORM.make_coupon(shop, CouponRule("FOR-EVE", "For Eve", percent=Decimal(5), email="eve@ringstrasse.net"))


def test_a_code_of_another_day_or_person_or_money_is_another(fake: FakeShopify) -> None:
    shop = account_at(fake)
    for name in ("ada", "eve"):
        fake.shop.add_customer(f"{name}@ringstrasse.net")
    rule = CouponRule(
        "ONLY", "Only", amount=Decimal(5), currency="EUR", email="ada@ringstrasse.net", ends_at=AT + timedelta(days=400)
    )
    made = PLATFORM.make_coupon(shop, rule)
    assert PLATFORM.make_coupon(shop, rule) == made
    for other in (
        replace(rule, ends_at=AT + timedelta(days=401)),
        replace(rule, email="eve@ringstrasse.net"),
        replace(rule, email=""),
        replace(rule, currency="USD"),
    ):
        with pytest.raises(Refused, match="ONLY already"):
            PLATFORM.make_coupon(shop, other)
    assert len(_codes(fake)) == 1


def test_money_of_another_currency_is_refused(fake: FakeShopify) -> None:
    with pytest.raises(Refused, match="EUR"):
        PLATFORM.make_coupon(account_at(fake), CouponRule("X", "X", amount=Decimal(5), currency="USD"))
    assert _codes(fake) == {}


def test_free_shipping_is_asked_for_in_shopifys_words() -> None:
    node = {"codeDiscountNode": {"id": "gid://shopify/DiscountCodeNode/9"}, "userErrors": []}
    outbound = Canned(data(codeDiscountNodeByCode=None), data(discountCodeFreeShippingCreate=node))
    assert PLATFORM.make_coupon(account(outbound), CouponRule("FREE", "Free postage", is_free_shipping=True)) == "9"
    asked = outbound.documents()[1]["variables"]["discount"]
    asked.pop("startsAt")
    assert asked == {
        "title": "Free postage",
        "code": "FREE",
        "endsAt": None,
        "usageLimit": 1,
        "appliesOncePerCustomer": False,
        "context": {"all": "ALL"},
    }


def test_whoever_was_faster_with_the_same_code_made_it() -> None:
    there = {
        "id": "gid://shopify/DiscountCodeNode/9",
        "codeDiscount": {
            "__typename": "DiscountCodeBasic",
            "title": "Ten",
            "status": "ACTIVE",
            "startsAt": "2026-03-01T10:00:00Z",
            "endsAt": None,
            "createdAt": "2026-03-01T10:00:00Z",
            "updatedAt": "2026-03-01T10:00:00Z",
            "usageLimit": 1,
            "context": {},
            "customerGets": {"value": {"percentage": 0.1}},
            "codes": {"nodes": [{"id": "1", "code": "TEN", "asyncUsageCount": 0}]},
        },
    }
    taken = {"codeDiscountNode": None, "userErrors": [{"code": "TAKEN", "message": "Code must be unique"}]}
    outbound = Canned(
        data(codeDiscountNodeByCode=None), data(discountCodeBasicCreate=taken), data(codeDiscountNodeByCode=there)
    )
    assert PLATFORM.make_coupon(account(outbound), CouponRule("TEN", "Ten", percent=Decimal(10))) == "9"


# --- the pixel ---


def test_the_pixel_is_switched_on_and_changed(fake: FakeShopify) -> None:
    shop = account_at(fake)
    for key in ("wk_1", "wk_2"):
        pixels.set_pixel(shop, "https://crm.ringstrasse.net", key)
        [pixel] = [ask(shop, "{ webPixel { settings } }")["webPixel"]]
        settings = pixel["settings"]
        told = json.loads(settings) if isinstance(settings, str) else settings
        assert told == {"host": "https://crm.ringstrasse.net", "key": key}


# --- what the shop says of itself ---


def test_the_shop_says_what_it_is_and_whose_key_this_is(fake: FakeShopify) -> None:
    shop = PLATFORM.check(account_at(fake))
    assert (shop.name, shop.currency, shop.time_zone, shop.version) == (
        "Fake Goods",
        "EUR",
        "Europe/Berlin",
        "API 2026-10",
    )
    assert shop.missing == ()
    with pytest.raises(Refused, match="client secret"):
        PLATFORM.check(account(credentials={"access_token": "shpat_1"}))
    said = {
        "name": "Coffee",
        "currencyCode": "EUR",
        "ianaTimezone": "Europe/Berlin",
        "myshopifyDomain": "coffee.myshopify.com",
    }
    with pytest.raises(Refused, match="another shop"):
        PLATFORM.check(account(Canned(data(shop=said, currentAppInstallation={"accessScopes": []}))))
