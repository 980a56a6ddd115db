"""How much the statements of a young shop read, when PostgreSQL has learned nothing of its tables yet."""

import pytest

from regulars.foundation.bulk import fetch

# Also what it learned in tests before this one, of tables that held little or nothing when it looked.
_FORGET = """
SELECT pg_clear_relation_stats('public', c.relname), (
    SELECT count(pg_clear_attribute_stats('public', c.relname, a.attname, false)) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
) FROM pg_class c
WHERE c.relkind IN ('r', 'i') AND c.relname ~ '^(carts|catalog|customers|events|orders)_' AND c.relnamespace = 'public'::regnamespace
"""


def forget_statistics() -> None:
    """Until the transaction ends; skips the test where PostgreSQL cannot."""
    [(version,)] = fetch("SELECT current_setting('server_version_num')::int", [])
    if version < 180_000:
        pytest.skip(
            "only PostgreSQL 18 forgets statistics when asked to, and 15 reads young tables as a whole all the same"
        )
    fetch(_FORGET, [])


def rows_read() -> dict[str, int]:
    """From each table, by this transaction until now."""
    return dict(fetch("SELECT relname, seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables", []))
