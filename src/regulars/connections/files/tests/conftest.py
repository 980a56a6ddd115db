"""A store, and the way in that the command and the browser use."""

import io
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from regulars.connections.files.layouts import Kind
from regulars.connections.files.models import Import
from regulars.connections.files.operations import apply_import, stage_import
from regulars.connections.files.options import Options
from regulars.foundation.shop.models import Brand, Store

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
Importer = Callable[..., Import]


@pytest.fixture
def store() -> Store:
    brand = Brand.objects.create(name="b", from_name="b", from_address="b@shop.example")
    return Store.objects.create(code="uk", name="UK", brand=brand, currency="GBP", time_zone="Europe/London")


@pytest.fixture
def stage(store: Store) -> Importer:
    def run(content: str | bytes, kind: str = "orders", **options: object) -> Import:
        raw = content.encode() if isinstance(content, str) else content
        chosen = Options(**options)  # type: ignore[arg-type]
        return stage_import(io.BytesIO(raw), kind=Kind(kind), file_name="file.csv", store=store, at=AT, options=chosen)

    return run


@pytest.fixture
def bring_in(stage: Importer) -> Importer:
    def run(content: str | bytes, kind: str = "orders", **options: object) -> Import:
        return apply_import(stage(content, kind, **options).pk, lambda: AT)

    return run
