"""A young shop grows faster than PostgreSQL learns of it: who is who reads the rows of those whom it is told of all the same."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from regulars.foundation.bulk import fetch
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.operations import ensure_profiles
from regulars.record.events.log import transaction

AT = datetime(2026, 1, 1, tzinfo=UTC)
_READ = """
SELECT relname, seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relname LIKE 'customers_%%'
"""

# Those of tests before this one, of tables that were empty when they were looked at.
_FORGET = """
SELECT pg_clear_relation_stats('public', c.relname), (
    SELECT count(pg_clear_attribute_stats('public', c.relname, a.attname, false)) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
) FROM pg_class c WHERE c.relkind IN ('r', 'i') AND c.relname LIKE 'customers_%%' AND c.relnamespace = 'public'::regnamespace
"""


def device(number: int) -> IdentityInput:
    return IdentityInput(IdentityKind.ANONYMOUS_ID, f"device-{number}", "site")


def user(number: int) -> IdentityInput:
    return IdentityInput(IdentityKind.USER_ID, f"user-{number}", "site")


def told(*people: Sequence[IdentityInput]) -> None:
    with transaction("test") as log:
        ensure_profiles([PersonInput(tuple(identities), AT) for identities in people], log)


def rows_read() -> dict[str, int]:
    """From each table, by this transaction until now."""
    return dict(fetch(_READ, []))


@pytest.mark.django_db
def test_what_is_read_does_not_grow_with_the_shop_before_there_are_statistics() -> None:
    [(version,)] = fetch("SELECT current_setting('server_version_num')::int", [])
    if version < 180_000:
        pytest.skip(
            "only PostgreSQL 18 forgets statistics when asked to, and 15 reads young tables as a whole all the same"
        )
    fetch(_FORGET, [])
    told(*([device(number)] for number in range(2000)))
    before = rows_read()
    told(*([user(number), device(number)] for number in range(20)))
    read = {table: rows - before[table] for table, rows in rows_read().items()}
    assert read["customers_customerprofile"] >= 20
    assert {table: rows for table, rows in read.items() if rows > 20 * 30} == {}
