"""Keys of what came from outside already. They lie in plain tables (``key``, ``recorded_at``), since a partitioned table cannot hold a
unique key without its partition column; they are written first, with ``ON CONFLICT``, in the transaction that they protect."""

import hashlib
from datetime import datetime, timedelta

from django.db import connection

KEY_DAYS = 400  # keys outlive raw bodies and every shop's resending
_KEYS_AT_ONCE = 50_000


def key_of(source: str, own_id: str) -> bytes:
    """16 bytes that stand for one thing of one source, whatever its content."""
    return hashlib.blake2b(f"{source}\x1f{own_id}".encode(), digest_size=16).digest()


def forget_old_keys(table: str, at: datetime) -> int:
    """Deletes keys older than 400 days, a bounded number at a time. Keys deleted."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} WHERE key IN (SELECT key FROM {table} WHERE recorded_at < %s LIMIT %s)",
            [at - timedelta(days=KEY_DAYS), _KEYS_AT_ONCE],
        )
        return int(cursor.rowcount)
