"""Why somebody is in a segment: the rows it rests on open, the event that decided is named, and other stores' rows are withheld."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from regulars.foundation.access.models import StaffMember
from regulars.foundation.clock import now
from regulars.foundation.ids import to_public
from regulars.foundation.shop.models import Store
from regulars.insight.conditions.reading import read_condition
from regulars.insight.segments.operations import refreshing, saving
from regulars.insight.segments.readers import CONDITIONS
from regulars.insight.warehouse.tests import shop
from regulars.record.customers.models import Customer
from regulars.record.customers.queries import customers_of
from regulars.record.events.log import Entry, transaction
from regulars.record.events.readers import catch_up
from regulars.record.orders.models import Order

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
SOME = {"all": [{"of": "orders", "op": "ge", "value": 2}, {"not": {"of": "tags"}}]}


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.HOME = tmp_path


def sign_in(store: Store | None = None) -> Client:
    member = StaffMember.objects.create(email="mo@shop.example", name="Mo", role="marketer")
    if store:
        member.stores.add(store)
    client = Client()
    client.force_login(member)
    return client


def address(profile: int) -> str:
    customer = Customer.objects.get(pk=customers_of([profile])[profile])
    return f"/segments/some/why/{to_public(Customer.PREFIX, customer.uid)}"


def order_page(order: Order) -> str:
    return f"/orders/{to_public(Order.PREFIX, order.uid)}"


def test_the_newest_rows_open_and_the_event_that_decided_is_named() -> None:
    at = now()
    store = shop.make_store()
    (ada,) = shop.make_people(store, 1, at - 30 * DAY)
    refreshing.refresh(saving.create_segment("Some", read_condition(SOME), None, at), now)
    orders = shop.add_orders(store, [(str(n), ada, at - n * DAY, 100) for n in range(1, 8)])
    with transaction("test") as log:
        log.append(Entry("order.placed", at, profile_id=ada, subject_id=orders[0].pk))
    catch_up([CONDITIONS], now())
    page = sign_in().get(address(ada)).content.decode()
    shown = re.findall(r'<li><a href="(/orders/[^"]+)">Order (\d)</a>', page)
    assert shown == [(order_page(order), str(n)) for n, order in enumerate(orders[:5], start=1)]
    assert "and 2 more" in page
    assert f'by what happened: <a href="{order_page(orders[0])}">A shopper placed an order</a>' in page


def test_what_was_said_in_other_stores_is_withheld() -> None:
    at = now()
    here = shop.make_store()
    there = Store.objects.create(code="there", name="There", brand=here.brand, currency="GBP")
    (ada,), (eve, bob) = shop.make_people(here, 1, at - 30 * DAY), shop.make_people(there, 2, at - 30 * DAY)
    shop.add_orders(here, [("1", ada, at - DAY, 100)])
    (elsewhere,) = shop.add_orders(there, [("2", eve, at - DAY, 100)])
    owners = customers_of([ada, eve])
    shop.merge(owners[ada], owners[eve])
    refreshing.refresh(saving.create_segment("Some", read_condition(SOME), None, at), now)
    client = sign_in(here)
    page = client.get(address(ada)).content.decode()
    assert page.count("Rests on what was said in stores that your account does not see.") == 1
    assert "/orders/" not in page
    assert len(re.findall(r">\s*withheld\s*<", page)) == 1  # of the whole it is known: the list of members says it
    assert client.get(address(bob)).status_code == 404
    assert order_page(elsewhere) in owner().get(address(ada)).content.decode()


def owner() -> Client:
    client = Client()
    client.force_login(StaffMember.objects.create(email="ow@shop.example", name="Ow", role="owner"))
    return client
