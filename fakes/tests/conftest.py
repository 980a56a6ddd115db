"""Shops that tests of the fakes ask."""

from collections.abc import Iterator

import pytest

from fakes.shopify.serving import FakeShopify


@pytest.fixture(name="fake")
def fake_shopify() -> Iterator[FakeShopify]:
    """Started; its clock stands still."""
    with FakeShopify() as started:
        yield started
        assert started.server.errors == []
