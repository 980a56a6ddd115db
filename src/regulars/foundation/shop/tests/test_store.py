"""A store is made before the first import."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from regulars.foundation.audit.models import AuditEntry
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.shop.settings import read_setting

pytestmark = pytest.mark.django_db


def _create(code: str, email: str = "hello@shop.example", currency: str = "eur", zone: str = "Europe/Berlin") -> str:
    out = StringIO()
    call_command("store", "create", code, email=email, currency=currency, time_zone=zone, name="Laden", stdout=out)
    return out.getvalue()


def test_the_first_store_gives_the_shop_its_name_currency_and_zone() -> None:
    assert "--store de" in _create("de")
    store = Store.objects.get()
    assert (store.code, store.name, store.currency, store.time_zone) == ("de", "Laden", "EUR", "Europe/Berlin")
    assert (store.brand.name, store.brand.from_address) == ("Laden", "hello@shop.example")
    settings = [read_setting(f"shop.{name}") for name in ("name", "reporting_currency", "time_zone")]
    assert settings == ["Laden", "EUR", "Europe/Berlin"]
    _create("uk", currency="GBP", zone="Europe/London")
    assert read_setting("shop.reporting_currency") == "EUR"
    assert (Store.objects.count(), Brand.objects.count()) == (2, 1)
    assert [entry.action for entry in AuditEntry.objects.order_by("sequence")] == ["store.created"] * 2


@pytest.mark.parametrize(
    "wrong", [{"email": "x"}, {"currency": "XXY"}, {"zone": "Berlin"}, {"code": "a b"}, {"code": "de"}]
)
def test_what_is_refused_changes_nothing(wrong: dict[str, str]) -> None:
    _create("de")
    with pytest.raises(CommandError):
        _create(**{"code": "uk"} | wrong)
    assert (Store.objects.count(), Brand.objects.count(), AuditEntry.objects.count()) == (1, 1, 1)
