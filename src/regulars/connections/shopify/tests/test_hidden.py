"""Shopify keeps names, addresses, mail and phones from the app (protected customer data): all else comes, and it is said."""

from typing import Any

import pytest

from fakes.shopify.seeding import fill
from fakes.shopify.settings import PROTECTED, App
from regulars.connections.base.platforms import Account, Refused
from regulars.connections.shopify.calls import ask
from regulars.connections.shopify.tests.shop import PLATFORM, told
from regulars.connections.shopify.tests.standing import account_at, everything, standing
from regulars.connections.shopify.tests.state import order_payload
from regulars.record.customers.models import IdentityKind

NUMBER = IdentityKind.STORE_CUSTOMER


def _said(shop: Account, topic: str, kind: str) -> list[Any]:
    return [thing for one in everything(shop, topic) for thing in getattr(one, kind)]


def test_without_leave_orders_and_customers_come_nameless_and_the_links_of_checkouts_stay_away(settings: Any) -> None:
    with standing(settings, app=App(customer_data=frozenset())) as fake:
        fill(fake.shop, orders=12, customers=6, products=3, seed=2)
        tea = fake.shop.variants()[0]
        fake.shop.add_abandoned_checkout([(tea, 1)], "left@people.test")
        shop, truth = account_at(fake), fake.shop.truth()
        orders, people = _said(shop, "orders", "orders"), _said(shop, "customers", "people")
        assert {one.external_id for one in orders} == {str(number) for number in truth["orders"]}
        known = [one.person for one in orders if one.person] + people
        assert {identity.kind for person in known for identity in person.identities} == {NUMBER}
        assert {identity.value for person in people for identity in person.identities} == set(
            map(str, truth["customers"])
        )
        assert {person.contact.email + person.contact.name for person in people if person.contact} <= {""}
        assert _said(shop, "customers", "consents") == []
        assert _said(shop, "checkouts", "carts") == []
        [sentence] = PLATFORM.check(shop).missing
    assert "names, addresses, mail and phones" in str(sentence)


def test_a_field_that_is_kept_back_is_told_and_takes_nothing_else_along(settings: Any) -> None:
    with standing(settings, app=App(customer_data=PROTECTED - {"phone"})) as fake:
        fake.shop.add_customer("ada@people.test", phone="+4915112345678")
        shop = account_at(fake)
        [ada] = _said(shop, "customers", "people")
        assert [identity.value for identity in ada.identities][1:] == ["ada@people.test"]
        assert len(PLATFORM.check(shop).missing) == 1
        fake.shop.app.customer_data = PROTECTED
        assert PLATFORM.check(shop).missing == ()


def test_what_is_no_question_of_what_may_be_seen_is_refused_as_before(settings: Any) -> None:
    with standing(settings, app=App(scopes=("read_orders",))) as fake:
        product = fake.shop.add_product("Tea")
        fake.shop.add_order([(product.variants[0], 1)], customer=fake.shop.add_customer("ada@people.test"))
        with pytest.raises(Refused, match="does not show this to the app"):
            ask(account_at(fake), "{ orders(first: 1) { nodes { name customer { id } } } }")


def test_a_webhook_of_which_everything_about_a_person_is_kept_back_is_an_order_of_a_number() -> None:
    """Shopify writes null there, or leaves it out."""
    person = {"id": 7001, "email": None, "phone": None, "first_name": None, "last_name": None, "default_address": None}
    nothing = dict.fromkeys(("email", "contact_email", "phone", "billing_address", "shipping_address"))
    for hidden in (order_payload(**nothing, customer=person), order_payload(**nothing, customer={"id": 7001})):
        [order] = told("orders/updated", hidden).orders
        assert order.person is not None
        assert [(one.kind, one.value) for one in order.person.identities] == [(NUMBER, "7001")]
    [order] = told("orders/updated", order_payload(**nothing, customer=None)).orders
    assert order.person is None
