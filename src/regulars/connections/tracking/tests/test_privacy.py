"""What calls leave of a person: sealed, exported, and erased where it waits too."""

import json
from datetime import timedelta

import pytest
from django.db import connection

from regulars.connections.tracking.tests.shop import AT, Shop, customer_of_user, events, refusals, sealed
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.inbox.models import Item
from regulars.record.customers.inputs import IdentityInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.operations.erasure import erase_customer, export_subject
from regulars.record.customers.queries import (
    find_by_identity,
    read_cards,
)

pytestmark = pytest.mark.django_db


def test_an_erasure_reaches_what_came_in_and_an_export_says_that_it_came(shop: Shop) -> None:
    shop.tell("identify", shop.server, userId="u1", traits={"email": "ann@shop.example"})
    shop.tell("track", event="E", anonymousId="other")
    shop.post("t", {"note": "ann@shop.example"})
    Item.objects.filter(state="received").update(state="quarantined")
    [ann] = customer_of_user("u1")
    tables = export_subject(ann, SYSTEM, AT).tables
    assert [row["state"] for row in tables["inbox_item"]] == ["parsed", "quarantined"]
    erase_customer(ann, SYSTEM, AT)
    assert [item.body is None for item in Item.objects.order_by("pk")] == [True, False, True]


def test_what_waits_during_an_erasure_is_not_read_as_of_somebody_new(shop: Shop) -> None:
    ann = {"email": "ann@shop.example"}
    shop.tell("identify", shop.server, userId="u1", anonymousId="a1", traits=ann)
    [customer] = customer_of_user("u1")
    before = len(events())
    shop.post("t", {"event": "Mine", "anonymousId": "a1"})
    shop.post("i", {"userId": "u2", "traits": ann}, shop.server)
    shop.post(
        "b",
        {"batch": [{"type": "track", "event": "By name", "userId": "u1"}, {"type": "page", "userId": "u9"}]},
        shop.server,
    )
    shop.post("t", {"event": "Of another", "anonymousId": "a2"})
    shop.at += timedelta(seconds=1)
    erase_customer(customer, SYSTEM, shop.at)
    shop.at += timedelta(seconds=1)
    shop.post("t", {"event": "Afterwards", "anonymousId": "a1"})
    shop.read()
    named = [event.data.get("name") or event.kind for event in events()[before:]]
    assert sorted(named) == ["Afterwards", "Of another", "tracked.page_viewed"]  # the two keys are read in either order
    assert customer_of_user("u1") == customer_of_user("u2") == []
    assert find_by_identity(IdentityInput(IdentityKind.EMAIL, "ann@shop.example")) == []
    assert [item.body is None for item in Item.objects.order_by("pk")] == [True, True, True, True, False, False]
    assert set(Item.objects.values_list("state", flat=True)) == {"parsed"}
    assert refusals() == []


def test_nothing_personal_of_it_stands_in_clear(shop: Shop) -> None:
    traits = {"email": "canary@canary-mail.example", "name": "Canary", "address": {"street": "Canary Wharf"}}
    shop.tell("identify", shop.server, userId="canary-user", anonymousId="canary-anon", traits=traits)
    shop.track("Canary 4111 1111 1111 1111", {}, anonymousId="canary-anon")
    shop.track("Canary@event", {"canary": "canary", "4111": "4111 1111 1111 1111"}, messageId="canary-message")
    shop.track("Products Searched", {"query": "canary"})
    shop.track("Product Reviewed", {"review_body": "canary"}, anonymousId="canary-anon")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT data::text FROM events_event UNION ALL SELECT t::text FROM inbox_item t UNION ALL SELECT t::text FROM tracking_refusal t"
        )
        found = [row[0] for row in cursor.fetchall() if "canary" in row[0].lower()]
    assert found == []
    assert "[card …1111]" in json.dumps([sealed(event) for event in events()], ensure_ascii=False)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("4111 1111-1111 1111", "[card …1111]"),
        ("４１１１１１１１１１１１１１１１", "[card …１１１１]"),  # digits of another script
        ("4111111111111112", "4111111111111112"),  # fails Luhn's check
        ("411111 and 1111111111", "411111 and 1111111111"),
    ],
)
def test_card_numbers_are_masked_wherever_they_stand(shop: Shop, said: str, kept: str) -> None:
    shop.track("Note taken", {"deep": [{"note": f"pay {said} now"}]}, context={"note": said})
    [told] = [sealed(event) for event in events("tracked.event")]
    assert told["rest"] == {"deep": [{"note": f"pay {kept} now"}]}


def test_of_what_is_kept_in_clear_nothing_is_a_card_number_or_an_address(shop: Shop) -> None:
    card, mail = "4111 1111 1111 1111", "ann@canary-mail.example"
    traits = {"name": f"Ann {card}", "address": {"street": card, "state": mail}, "company": card}
    shop.tell("identify", shop.server, userId="u1", anonymousId="anon-1", traits=traits, note=f"paid by {card}")
    for key in (shop.server, shop.browser):
        shop.track("Payment Info Entered", {"payment_method": card, "order_id": mail}, key)
        shop.track("Coupon Denied", {"coupon_id": card, "coupon_name": card, "reason": card}, key)
        shop.track("Product Added", {"sku": "A", "name": card, "cart_id": f"{key}"}, key)
    tables = ("events_event", "interest_triedcoupon", "carts_cartline", "catalog_product", "customers_contactversion")
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT to_jsonb(t)::text FROM {table} t")
            text = " ".join(row[0] for row in cursor.fetchall())
            assert text
            assert card not in text
            assert mail not in text
    [ann] = customer_of_user("u1")
    card_of = read_cards([ann])[ann]
    assert (card_of.name, card_of.street, card_of.company) == ("Ann [card …1111]", "[card …1111]", "[card …1111]")
    assert sealed(events("tracked.identified")[0])["extra"] == {"note": "paid by [card …1111]"}


def test_a_number_that_calls_or_pays_for_somebody_is_sealed(shop: Shop) -> None:
    numbers = {"phone": 447911123456, "cvv": 737, "userPIN": 1234, "CVC2": 99, "one-time_token": 5}
    shop.track("Form Sent", numbers | {"hotel": 3, "shippingCost": 4, "page": 5})
    [event] = events()
    assert event.data["properties"] == {"hotel": 3, "shippingCost": 4, "page": 5}
    assert sealed(event)["rest"] == numbers
