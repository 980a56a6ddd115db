"""What a module contributes to the warehouse, from its ``warehouse.py``: tables of typed columns, never personal data in clear.

The warehouse keeps *versions* of rows: ``known_from`` and ``known_until`` are positions of the log, so that any question can be asked as
it was known then. A version is known from its batch's last position until the next version of the same key.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from regulars.foundation.registry import Registry

OPEN = 9_223_372_036_854_775_807  # ``known_until`` of a version that still holds

# ``touched`` of a table that the record changes in place: a trigger notes which rows (``insight.warehouse.migrations``).
TOUCHED = "SELECT t.key, %(upto)s FROM warehouse_touched t WHERE t.\"table\" = '{table}'"


class ColumnType(StrEnum):
    """Types that every engine reads alike. Times are UTC, without a zone, in microseconds."""

    BIGINT = "bigint"
    BOOLEAN = "boolean"
    NUMBER = "number"  # decimal(18, 6)
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

    All four are SQL on the record. ``present``: the columns in their order, of every row that holds now; one query without WITH, so that a
    restriction to a few people reaches its tables. ``versions``, with the positions ``%(after)s`` and ``%(upto)s``: the columns, then
    ``known_from`` and ``known_until`` (null: still holds) of every version with ``after < known_from <= upto``. ``ended``, with the same:
    keys and ``known_until`` of rows of before that ended meanwhile without a successor of their key. ``touched``: key
    and position of rows of which something else changed, in the same span; they are compared with what the warehouse holds.

    Where one of the ``removed_by`` events was seen, the whole table is compared: what such an event removes or restores leaves no version
    behind. Where nothing but ``touched`` tells of changes, ``versions`` is empty, and the past is known as far as the warehouse saw it.

    Of rows that are published for everybody at once, ``published`` is as ``present``, of what had been published at the moment
    ``%(published_by)s``. ``keeps_ended``: for how long versions that have ended are kept; None: for ever.
    """

    name: str
    meaning: str
    key: str
    columns: tuple[Column, ...]
    present: str
    versions: str = ""
    ended: str = ""
    touched: str = ""
    published: str = ""
    keeps_ended: timedelta | None = None
    removed_by: tuple[str, ...] = ()

    @property
    def names(self) -> str:
        """Its columns, as SQL."""
        return ", ".join(f'"{column.name}"' for column in self.columns)

    @property
    def shape(self) -> str:
        """Changes with whatever decides what stands in its files, so that those of another edition are known and written anew."""
        said = [self.key, *(f"{c.name} {c.type}" for c in self.columns), self.present, self.versions]
        return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]

    @property
    def of_people(self) -> str:
        """SQL for PostgreSQL: the present rows of a few people, who stand in a relation ``people(profile_id, customer_id)`` that the asker
        puts in front.
        """
        return self._of_people(self.present)

    @property
    def published_of_people(self) -> str:
        """The same by what had been published at the moment ``%(published_by)s``, as SQL in which a percent sign stands twice."""
        sql = self._of_people(self.published or self.present)
        return sql.replace("%", "%%").replace("%%(published_by)s", "%(published_by)s")

    def _of_people(self, rows: str) -> str:
        return f"SELECT {self.names} FROM ({rows}) AS held({self.names}) WHERE profile_id IN (SELECT profile_id FROM people)"


WAREHOUSE_TABLES: Registry[WarehouseTable] = Registry("warehouse table")


def register(table: WarehouseTable) -> WarehouseTable:
    """Called from a module's ``warehouse.py``."""
    return WAREHOUSE_TABLES.register(table.name, table)
