"""Erasure reaches the files: those that hold rows of somebody who was erased are written anew without them.

What the record keeps of such a person (that a number ordered, for how much) stays, as it says it now. The old files are deleted a grace
later, when nobody can be reading them any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow.parquet as pq
from django.db import connection

from regulars.foundation.warehouse_tables import WAREHOUSE_TABLES, WarehouseTable
from regulars.insight.warehouse import changes, engine, files
from regulars.insight.warehouse.changes import Addition, Erased
from regulars.insight.warehouse.queries import ROWS, Pinned

_SINCE = """
SELECT DISTINCT unnest(x.profiles), e.position FROM events_event e JOIN customers_erasure x ON e.profile_id = ANY(x.profiles)
WHERE e.kind = 'customer.erased' AND e.position > %s AND e.position <= %s
"""


@dataclass(frozen=True)
class Forgotten:
    """The snapshot without the erased: which of its files are gone, and what came in their place."""

    before: Pinned
    erased: Erased
    gone: frozenset[str] = frozenset()
    additions: tuple[Addition, ...] = ()


def forget(before: Pinned, upto: int) -> Forgotten:
    """Takes the rows of those who were erased since out of the files."""
    with connection.cursor() as cursor:
        cursor.execute(_SINCE, [before.position, upto])
        found = cursor.fetchall()
    state = Forgotten(before, Erased(sorted({int(p) for p, _ in found}), max((int(at) for _, at in found), default=0)))
    for _, table in WAREHOUSE_TABLES.items() if found else []:
        if before.shapes.get(table.name) == table.shape:
            state = _without(state, table, upto)
    return state


def _without(state: Forgotten, table: WarehouseTable, upto: int) -> Forgotten:
    names = _holding(state.before, table, state.erased.profiles)
    if not names:
        return state
    people = changes.people_of(state.erased.profiles)
    sql = f"SELECT o.*, 0::bigint, NULL::bigint FROM ({people} {table.of_people}) o"
    present = files.write(f"{table.name}-present", lambda path: changes.copy(table, sql, upto, path))
    try:
        written = {name: _rewrite(table, name, present, state.erased.profiles) for name in names}
    finally:
        changes.drop(present)
    fresh = [one for one in written.values() if one]
    held = state.before.names[table.name]
    rows = tuple(name for name in held[ROWS] if name not in written) + tuple(one.name for one in fresh)
    named = {**state.before.names, table.name: {**held, ROWS: rows}}
    return replace(
        state,
        before=replace(state.before, names=named),
        gone=state.gone | set(names),
        additions=(*state.additions, *(Addition(table.name, ROWS, one) for one in fresh)),
    )


def _holding(before: Pinned, table: WarehouseTable, profiles: Sequence[int]) -> list[str]:
    """Names of the files in which rows of these profiles stand."""
    paths = before.paths(table.name)
    if not paths:
        return []
    found = engine.run(
        "SELECT DISTINCT filename FROM read_parquet($paths, filename = true)"
        " WHERE profile_id IN (SELECT unnest($profiles))",
        {"paths": paths, "profiles": list(profiles)},
    )
    return sorted(Path(path).name for path in found["filename"].to_pylist())


def _rewrite(
    table: WarehouseTable, name: str, present: files.Written | None, profiles: Sequence[int]
) -> files.Written | None:
    """The file without their rows, except for those that the record still holds just so."""
    old = f"read_parquet(['{changes.quoted(files.folder() / name)}'])"
    theirs = f"profile_id IN ({', '.join(map(str, profiles))})"
    same = f"row({_of('r', table)}) IS NOT DISTINCT FROM row({_of('p', table)})"
    sql = f"""
        SELECT * FROM {old} WHERE {theirs} IS NOT TRUE
        UNION ALL
        SELECT r.* FROM {old} r JOIN {changes.relation(table, present)} p ON p.{table.key} = r.{table.key} WHERE r.{theirs} AND {same}
    """

    def writer(path: Path) -> int:
        ordered = f"SELECT * FROM ({sql}) ORDER BY {table.key}, known_from"
        engine.execute(f"COPY ({ordered}) TO '{changes.quoted(path)}' (FORMAT parquet, COMPRESSION zstd)")
        return int(pq.read_metadata(path).num_rows)

    return files.write(table.name, writer)


def _of(alias: str, table: WarehouseTable) -> str:
    return ", ".join(f'{alias}."{column.name}"' for column in table.columns)
