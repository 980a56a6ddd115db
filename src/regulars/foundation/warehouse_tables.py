"""What a module contributes to the warehouse, from its ``warehouse.py``: tables of typed columns, never personal data in clear.

The warehouse keeps *versions* of rows: ``known_from`` and ``known_until`` are positions of the log, so that any question can be asked as
it was known then. A version is known from its batch's last position until the next version of the same key.
"""

from dataclasses import dataclass
from enum import StrEnum

from regulars.foundation.registry import Registry

OPEN = 9_223_372_036_854_775_807  # ``known_until`` of a version that still holds


class ColumnType(StrEnum):
    """Types that every engine reads alike. Times are UTC, without a zone, in microseconds."""

    BIGINT = "bigint"
    BOOLEAN = "boolean"
    TEXT = "text"
    TIMESTAMP = "timestamp"


@dataclass(frozen=True)
class Column:
    """One typed column; ``meaning`` says the unit."""

    name: str
    type: ColumnType
    meaning: str


@dataclass(frozen=True)
class WarehouseTable:
    """One table: ``key`` is the bigint column that names a row across its versions.

    ``versions`` is SQL on the record with the parameters ``%(after)s`` and ``%(upto)s``, two positions: the columns in their order, then
    ``known_from`` and ``known_until`` (null: still holds) of every version with ``after < known_from <= upto``. Where one of the
    ``removed_by`` events was seen, the whole table is compared: what such an event removes or restores leaves no version behind.
    """

    name: str
    meaning: str
    key: str
    columns: tuple[Column, ...]
    versions: str
    removed_by: tuple[str, ...] = ()


WAREHOUSE_TABLES: Registry[WarehouseTable] = Registry("warehouse table")


def register(table: WarehouseTable) -> WarehouseTable:
    """Called from a module's ``warehouse.py``."""
    return WAREHOUSE_TABLES.register(table.name, table)
