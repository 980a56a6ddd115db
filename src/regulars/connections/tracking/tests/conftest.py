"""The store that tests send to."""

from collections.abc import Iterator

import pytest

from regulars.connections.tracking import keys
from regulars.connections.tracking.tests.shop import Shop
from regulars.foundation.inbox import keys as inbox_keys
from regulars.foundation.inbox import receiving


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    inbox_keys.forget_cached()
    keys.forget_remembered()
    monkeypatch.setattr(receiving, "_looks", {})
    yield Shop(monkeypatch)
    keys.forget_remembered()
