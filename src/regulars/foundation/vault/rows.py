"""Row ids drawn in advance: what is sealed is bound to its row, so the row must be known before it is written."""

from django.db import connection


def reserve_ids(table: str, count: int) -> list[int]:
    """The next ``count`` ids of a table's identity column."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval((SELECT pg_get_serial_sequence(%s, 'id'))::regclass) FROM generate_series(1, %s)",
            [table, count],
        )
        return [int(row[0]) for row in cursor.fetchall()]
