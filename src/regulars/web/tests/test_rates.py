"""Exchange rates and the reporting currency in the browser."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client

from regulars.foundation import clock
from regulars.foundation.access.operations import create_staff
from regulars.foundation.access.viewer import everything
from regulars.foundation.audit.models import AuditEntry
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.ids import to_public
from regulars.foundation.pages import bulk
from regulars.foundation.shop.models import Brand, ExchangeRate, Store
from regulars.foundation.shop.settings import read_setting, write_setting
from regulars.foundation.work.models import Task
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import Customer, IdentityKind
from regulars.record.events.log import transaction
from regulars.record.orders.inputs import LineInput, OrderInput
from regulars.record.orders.operations import apply_orders, money

pytestmark = pytest.mark.django_db
AT = datetime.now(UTC) - timedelta(days=2)
ONE = {"currency": "EUR", "rate": "0.85", "to": "GBP", "on": AT.date().isoformat(), "source": "me"}


@pytest.fixture
def client() -> Client:
    brand = Brand.objects.create(name="B", from_name="B", from_address="b@shop.example")
    store = Store.objects.create(code="uk", name="UK", brand=brand, currency="GBP")
    person = PersonInput((IdentityInput(IdentityKind.EMAIL, "ann@shop.example"),), AT, store.pk)
    with transaction("api") as log:
        given = OrderInput("1", AT, "EUR", (LineInput("A", "Mug", 1, Decimal(10)),), person)
        apply_orders([given], log, store_id=store.pk, at=AT)
    client = Client()
    client.force_login(create_staff("m@shop.example", "manager", SYSTEM, AT)[0])
    return client


def test_what_has_no_rate_is_said_with_a_door_until_there_is_one(client: Client) -> None:
    door = b'href="/orders?unconverted=yes" data-door data-count="1"'
    customer = f"/customers/{to_public(Customer.PREFIX, Customer.objects.get().uid)}"
    assert b"1 order is in no sum" in client.get("/").content
    assert door in client.get("/settings").content
    assert b"1 amount of theirs is in no sum" in client.get(customer).content
    assert b'data-total="1"' in client.get("/orders?unconverted=yes").content
    assert client.post("/settings/rates/new", ONE).status_code == 302
    money.refold(Task.objects.get().pk, lambda: AT)
    assert b"in no sum" not in client.get("/").content + client.get("/settings").content + client.get(customer).content
    assert "£8.50" in client.get(customer).content.decode()
    assert b'data-total="0"' in client.get("/orders?unconverted=yes").content


def test_rates_are_listed_imported_and_removed(client: Client) -> None:
    file = SimpleUploadedFile("r.csv", b"from,to,date,rate\nEUR,GBP,2026-01-01,0.85\nUSD,GBP,2026-01-01,0.75\n")
    assert client.post("/settings/rates/new", {"file": file}).status_code == 302
    page = client.get("/settings/rates?from=EUR").content.decode()
    assert 'data-total="1"' in page
    assert "0.85" in page
    kept = ExchangeRate.objects.get(currency="USD")
    assert client.post("/settings/rates", {"action": "remove", "row": [ExchangeRate.objects.get(currency="EUR").pk]})
    assert list(ExchangeRate.objects.all()) == [kept]


def _rates(count: int) -> None:
    first = AT.date() - timedelta(days=count)
    days = (first + timedelta(days=n) for n in range(count))
    ExchangeRate.objects.bulk_create(
        ExchangeRate(currency="EUR", reporting_currency="GBP", on=day, rate=Decimal("0.85")) for day in days
    )


def test_many_are_removed_in_one_go_with_one_working_out(client: Client) -> None:
    _rates(bulk.AT_ONCE + bulk.SLICE + 1)
    page = client.post("/settings/rates", {"action": "remove", "everything": "1", "row": ["1"]}, follow=True)
    assert b"751 rates removed." in page.content
    assert not ExchangeRate.objects.exists()
    assert [task.kind for task in Task.objects.all()] == ["orders.refold"]


def test_what_somebody_else_removed_before_is_removed(client: Client) -> None:
    _rates(2)
    gone, there = ExchangeRate.objects.values_list("pk", flat=True)
    assert money.remove_rates([gone], everything(), AT) == 1
    assert money.remove_rates([gone, there], everything(), AT) == 1
    assert money.remove_rates([gone, there], everything(), AT) == 0
    assert [entry.details for entry in AuditEntry.objects.filter(action="rates.removed")] == [{"rates": 1}] * 2


def test_a_rate_without_a_day_is_of_the_shops_day(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    write_setting("shop.time_zone", "Pacific/Auckland", AT)
    evening = datetime(2026, 3, 1, 18, tzinfo=UTC)  # the second of March over there
    monkeypatch.setattr(clock, "now", lambda: evening)
    call_command("rates", "set", "EUR", "0.85")
    assert [str(rate.on) for rate in ExchangeRate.objects.all()] == ["2026-03-02"]


def test_the_form_proposes_the_shops_day(client: Client) -> None:
    write_setting("shop.time_zone", "Pacific/Kiritimati", AT)
    there = datetime.now(UTC).astimezone(ZoneInfo("Pacific/Kiritimati")).date()
    assert f'type="date" value="{there}"' in client.get("/settings/rates/new").content.decode()


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"rate": "much"}, "&#x27;much&#x27; is not a rate"),
        ({"currency": "XQX"}, "&#x27;XQX&#x27; is not a currency"),
        ({"to": "EUR"}, "A rate leads from one currency to another"),
        ({"on": ""}, "&#x27;&#x27; is not a day"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_changes_nothing(
    client: Client, changed: dict[str, str], sentence: str
) -> None:
    answer = client.post("/settings/rates/new", ONE | changed)
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert not ExchangeRate.objects.exists()
    assert not Task.objects.exists()


def test_the_reporting_currency_is_a_setting(client: Client) -> None:
    given = {
        "shop.name": "Shop", "shop.time_zone": "UTC", "shop.reporting_currency": "eur",
        "messages.per_day": "1", "messages.per_week": "3", "inbox.retention_days": "30",
    }  # fmt: skip
    assert client.post("/settings", given | {"shop.reporting_currency": "pound"}).status_code == 400
    assert (read_setting("shop.reporting_currency"), Task.objects.count()) == ("GBP", 0)
    assert client.post("/settings", given).status_code == 302
    assert (read_setting("shop.reporting_currency"), Task.objects.count()) == ("EUR", 1)
    money.refold(Task.objects.get().pk, lambda: AT)
    assert (
        "€10.00" in client.get(f"/customers/{to_public(Customer.PREFIX, Customer.objects.get().uid)}").content.decode()
    )
