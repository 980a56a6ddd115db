"""Row ids drawn in advance: what is sealed is bound to its row, so the row must be known before it is written."""

from regulars.foundation.bulk import fetch


def reserve_ids(table: str, count: int) -> list[int]:
    """The next ``count`` ids of a table's identity column."""
    return [row for (row,) in fetch(_NEXT, [table, count])] if count else []


# The name is looked up once: outside of the subquery the cast would look for it anew for every id.
_NEXT = "SELECT nextval((SELECT pg_get_serial_sequence(%s, 'id')::regclass)) FROM generate_series(1, %s)"
