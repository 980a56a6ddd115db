"""The toy platform, registered, and a shop of it that is connected."""

import pytest

from regulars.connections.base.models import Connection
from regulars.connections.base.operations.connecting import begin_connection, complete_connection
from regulars.connections.base.platforms import PLATFORMS
from regulars.connections.base.tests.toy import Toy
from regulars.foundation import clock
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.shop.models import Brand, Store


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Toy:
    platform = Toy()
    monkeypatch.setitem(PLATFORMS._entries, "toy", platform)
    return platform


@pytest.fixture
def store(db: None) -> Store:
    brand = Brand.objects.create(name="Shop", from_name="Shop", from_address="shop@toys.net")
    return Store.objects.create(code="uk", name="Shop", brand=brand, currency="GBP")


@pytest.fixture
def row(toy: Toy, store: Store) -> Connection:
    row = begin_connection("toy", store, "https://toys.example", SYSTEM, clock.now())
    complete_connection(row, {"key": "right"}, SYSTEM, clock.now())
    row.refresh_from_db()
    return row
