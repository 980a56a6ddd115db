"""``regulars migrate`` leaves figures of today's shape, also where an older version had folded them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core.management import call_command

from regulars.config.management.commands.migrate import FOLD
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.shop.settings import write_setting
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.events.log import transaction
from regulars.record.orders.inputs import LineInput, OrderInput
from regulars.record.orders.models import StoreFigures
from regulars.record.orders.operations.apply import apply_orders

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.mark.django_db
def test_figures_of_an_older_shape_are_made_anew_once() -> None:
    brand = Brand.objects.create(name="b", from_name="b", from_address="b@shop.example")
    store = Store.objects.create(code="uk", name="UK", brand=brand, currency="GBP")
    person = PersonInput((IdentityInput(IdentityKind.STORE_CUSTOMER, "1", "uk"),), AT, store.pk)
    order = OrderInput("1", AT, "GBP", (LineInput("A", "Mug", 1, Decimal("4.50")),), person)
    with transaction("api") as log:
        apply_orders([order], log, store_id=store.pk, at=AT)
    StoreFigures.objects.all().delete()

    write_setting("record.fold", FOLD, AT)
    call_command("migrate", verbosity=0)
    assert not StoreFigures.objects.exists()  # they stand in today's edition: nothing is made anew
    write_setting("record.fold", 1, AT)
    call_command("migrate", verbosity=0)
    assert StoreFigures.objects.get().spent_minor == 450
