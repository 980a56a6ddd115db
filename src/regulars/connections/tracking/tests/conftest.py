"""The store that tests send to."""

from collections.abc import Iterator

import pytest
from pytest_django.plugin import DjangoDbBlocker

from regulars.connections.tracking import keys
from regulars.connections.tracking.tests.running import Running, serve
from regulars.connections.tracking.tests.shop import Shop
from regulars.foundation.inbox import keys as inbox_keys
from regulars.foundation.inbox import receiving
from tests.database import Database


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    inbox_keys.forget_cached()
    keys.forget_remembered()
    monkeypatch.setattr(receiving, "_looks", {})
    yield Shop(monkeypatch)
    keys.forget_remembered()


@pytest.fixture(scope="session")
def served(database_server: Database, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Running]:
    """Regulars in a process of its own: once for all modules of this process that drive real clients."""
    with django_db_blocker.unblock(), serve(database_server) as running:
        yield running


@pytest.fixture(scope="module")
def running(served: Running, django_db_blocker: DjangoDbBlocker) -> Iterator[Running]:
    """The same, and this module's models ask its database."""
    with django_db_blocker.unblock(), served.connected():
        yield served
