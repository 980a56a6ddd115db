"""A young shop grows faster than PostgreSQL learns of it: who is who reads the rows of those whom it is told of all the same."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.operations import ensure_profiles
from regulars.record.events.log import transaction
from tests.plans import forget_statistics, rows_read

AT = datetime(2026, 1, 1, tzinfo=UTC)


def device(number: int) -> IdentityInput:
    return IdentityInput(IdentityKind.ANONYMOUS_ID, f"device-{number}", "site")


def user(number: int) -> IdentityInput:
    return IdentityInput(IdentityKind.USER_ID, f"user-{number}", "site")


def told(*people: Sequence[IdentityInput]) -> None:
    with transaction("test") as log:
        ensure_profiles([PersonInput(tuple(identities), AT) for identities in people], log)


@pytest.mark.django_db
def test_what_is_read_does_not_grow_with_the_shop_before_there_are_statistics() -> None:
    forget_statistics()
    told(*([device(number)] for number in range(2000)))
    before = rows_read()
    told(*([user(number), device(number)] for number in range(20)))
    read = {table: rows - before[table] for table, rows in rows_read().items() if table.startswith("customers_")}
    assert read["customers_customerprofile"] >= 20
    assert {table: rows for table, rows in read.items() if rows > 20 * 30} == {}
