"""Stores are made in the browser; a shop that has none is led there."""

import pytest
from django.test import Client

from regulars.foundation.access.rules import Role
from regulars.foundation.audit.models import AuditEntry
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.shop.settings import read_setting
from regulars.web.tests.shop import make_staff

pytestmark = pytest.mark.django_db
GIVEN = {"name": "Laden", "code": "de", "currency": "eur", "time_zone": "Europe/Berlin", "email": "hallo@shop.example"}
DOOR = 'href="/settings/stores/new"'


def sign_in(client: Client, role: Role = Role.MANAGER) -> None:
    client.force_login(make_staff(f"{role}@shop.example", "Grace", role))


def test_a_shop_without_a_store_is_led_to_its_first(client: Client) -> None:
    sign_in(client)
    page = client.get("/imports/new").content.decode()
    assert DOOR in page
    assert "<select" not in page.partition('id="content"')[2]
    assert DOOR in client.get("/settings").content.decode()
    page = client.post("/settings/stores/new", GIVEN | {"brand": "Brand"}, follow=True).content.decode()
    assert "&#x27;Laden&#x27; is here" in page
    store = Store.objects.get()
    assert (store.code, store.name, store.currency, store.time_zone) == ("de", "Laden", "EUR", "Europe/Berlin")
    assert (store.brand.name, store.brand.from_address) == ("Brand", "hallo@shop.example")
    assert read_setting("shop.reporting_currency") == "EUR"
    assert list(AuditEntry.objects.values_list("action", flat=True)).count("store.created") == 1
    page = client.get("/imports/new").content.decode()
    assert DOOR not in page
    assert f'<option value="{store.pk}"' in page


def test_whoever_may_import_and_not_make_stores_is_told_who_may(client: Client) -> None:
    sign_in(client, Role.OPERATIONS)
    page = client.get("/imports/new").content.decode()
    assert "a manager or owner adds it" in page
    assert DOOR not in page + client.get("/settings").content.decode()
    assert client.post("/settings/stores/new", GIVEN).status_code == 403
    assert not Store.objects.exists()


@pytest.mark.parametrize(
    ("changed", "status", "sentence"),
    [
        ({"code": "a b"}, 400, "a code has letters, digits and hyphens"),
        ({"currency": "XQX"}, 400, "is not a currency"),
        ({"time_zone": "Berlin"}, 400, "is not a time zone"),
        ({"email": f"{'a' * 60}@{'b.' * 100}example"}, 400, "254"),
        ({"name": "n" * 121}, 400, "120"),
        ({"brand": "n" * 121}, 400, "120"),
        ({"code": "uk"}, 409, "There is a store with this code"),
    ],
)
def test_what_is_refused_comes_back_and_changes_nothing(
    client: Client, changed: dict[str, str], status: int, sentence: str
) -> None:
    sign_in(client)
    brand = Brand.objects.create(name="B", from_name="B", from_address="b@shop.example")
    Store.objects.create(code="uk", name="UK", brand=brand, currency="GBP")
    answer = client.post("/settings/stores/new", GIVEN | changed)
    assert answer.status_code == status
    page = answer.content.decode()
    assert sentence in page
    assert all(value in page for value in (GIVEN | changed).values())
    assert (Store.objects.count(), Brand.objects.count()) == (1, 1)
