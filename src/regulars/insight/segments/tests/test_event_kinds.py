"""After which events a segment's conditions are decided anew."""

from typing import Any

import pytest

from regulars.insight.conditions.reading import read_condition
from regulars.insight.segments.rules import event_kinds


@pytest.mark.parametrize(
    ("window", "is_any"),
    [({"last": {"days": 1}, "days": "person"}, True), ({"last": {"days": 1}, "days": "shop"}, False)],
)
def test_where_days_are_the_persons_whoever_may_live_elsewhere_is_decided_again(window: Any, is_any: bool) -> None:
    kinds = event_kinds(read_condition({"of": "orders", "window": window}))
    assert ("*" in kinds) == is_any
    assert "order.placed" in kinds
