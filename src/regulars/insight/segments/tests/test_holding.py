"""Whoever decides holds those whom it decides: others are decided beside them, the same ones after them."""

from collections.abc import Collection

import pytest
from django.db import OperationalError, connection, connections, transaction

from regulars.foundation.bulk import execute
from regulars.insight.segments.operations import changing
from regulars.insight.segments.operations.changing import hold
from regulars.record.events.log import SHARDS

pytestmark = pytest.mark.django_db(transaction=True)
MANY = range(1, 40)


@pytest.fixture(autouse=True)
def _fewer_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changing, "_FEW", len(MANY) - 1)


@pytest.mark.parametrize(
    ("held", "wanted", "waits"),
    [
        ([1, 2], [2, 3], True),
        ([1, 2], [3, 4], False),
        ([1], [1 + SHARDS], False),  # of one shard
        (MANY, [5], True),
        ([5], MANY, True),
        (MANY, [400], True),  # by its shard
        (MANY, MANY, True),
        ([2**31], [1], True),  # share a lock
        ([2**40, 7], [8], False),
    ],
)
def test_the_same_customers_wait_and_others_do_not(
    held: Collection[int], wanted: Collection[int], *, waits: bool
) -> None:
    with transaction.atomic():
        hold(held)
        assert _waits(wanted) is waits
    assert not _waits(wanted)


def _waits(customers: Collection[int]) -> bool:
    """Whether another session would have to wait for them."""
    mine, other = connections["default"], connection.copy()
    connections["default"] = other
    try:
        with transaction.atomic():
            execute("SET LOCAL lock_timeout = '100ms'", [])
            hold(customers)
    except OperationalError:
        return True
    finally:
        other.close()
        connections["default"] = mine
    return False
