from typing import Any

from django.db import migrations, transaction

from regulars.foundation.sealing import Cell, unseal
from regulars.foundation.vault import keys
from regulars.record.customers.contacts import ContactCard, asked_words

_SOME = 2_000
_NEXT = """
SELECT id, profile_id, card FROM customers_contactversion WHERE id > %s AND words = '{}' ORDER BY id LIMIT %s
"""
_FILL = """
UPDATE customers_contactversion SET words = %s, time_zone = %s WHERE id = %s
"""


def fill(apps: Any, schema_editor: Any) -> None:
    """Tokens and time zones of the contact data that there are, some thousands in a transaction."""
    last: int | None = 0
    while last is not None:
        with transaction.atomic(), schema_editor.connection.cursor() as cursor:
            last = _fill_some(cursor, last)


def _fill_some(cursor: Any, last: int) -> int | None:
    """The last row that was filled; None where none is left."""
    cursor.execute(_NEXT, [last, _SOME])
    rows = cursor.fetchall()
    plain = keys.find_keys(profile for _, profile, _ in rows)
    cards = [(row, _card(plain[profile], row, card)) for row, profile, card in rows if profile in plain]
    cursor.executemany(_FILL, [(asked_words(c, keys.key_ring()), c.known_zone, row) for row, c in cards])
    return rows[-1][0] if rows else None


def _card(key: bytes, row: int, card: bytes) -> ContactCard:
    return ContactCard.from_bytes(unseal(key, bytes(card), Cell("customers_contactversion", "card", row)))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("customers", "0007_words_and_zones"), ("vault", "0001_initial")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
