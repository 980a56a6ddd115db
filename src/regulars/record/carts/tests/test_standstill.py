"""After a standstill of the workers: what waits to be read may say that a cart was not left at all."""

from datetime import timedelta
from decimal import Decimal

import pytest

from regulars.foundation import clock
from regulars.foundation.inbox.models import Item, ItemState
from regulars.foundation.inbox.receiving import Arrival, receive
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.work.loops import Stop
from regulars.record.carts.inputs import CartInput, CartLineInput
from regulars.record.carts.jobs import abandon
from regulars.record.carts.models import Cart
from regulars.record.carts.operations import apply_carts
from regulars.record.events.log import transaction

pytestmark = pytest.mark.django_db


def test_nothing_is_abandoned_later_than_the_oldest_input_that_waits() -> None:
    brand = Brand.objects.create(name="Shop", from_name="Shop", from_address="shop@shop.example")
    store = Store.objects.create(code="uk", name="Shop", brand=brand, currency="GBP")
    began = clock.now() - timedelta(minutes=40)
    line = CartLineInput("A1", "Abacus", 1, Decimal(5))
    with transaction("test") as log:
        apply_carts([CartInput("c1", began, "GBP", (line,))], log, store_id=store.pk)
    receive([Arrival("tracking:1", "tracking", b"{}", {}, store.pk)], began + timedelta(minutes=5))
    abandon(Stop(), clock.now())
    assert Cart.objects.get().state == "open"
    Item.objects.update(state=ItemState.PARSED)
    abandon(Stop(), clock.now())
    assert Cart.objects.get().state == "abandoned"
