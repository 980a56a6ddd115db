"""Items come in order, errors come through, and nobody is left working."""

import threading
from collections.abc import Iterator

import pytest

from regulars.foundation.ahead import ahead


def counting(made: list[int], until: int) -> Iterator[int]:
    for number in range(until):
        made.append(number)
        yield number
    raise ValueError("the end")


def test_items_in_order_then_the_error() -> None:
    found: list[int] = []
    with pytest.raises(ValueError, match="the end"):
        found.extend(ahead(counting([], 5)))
    found = list(ahead(range(100)))
    assert found == list(range(100))


def test_whoever_stops_early_leaves_nobody_working() -> None:
    made: list[int] = []
    items = ahead(counting(made, 1000))
    assert next(items) == 0
    items.close()  # type: ignore[attr-defined]
    assert len(made) <= 4
    assert not [t for t in threading.enumerate() if type(t).__name__ == "_Maker"]
