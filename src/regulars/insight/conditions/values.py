"""Values that a field has, for whoever writes conditions."""

from regulars.foundation.relations import LIST_MARK, FieldType, Relation
from regulars.insight.warehouse import engine
from regulars.insight.warehouse.queries import Pinned

_MOST = 30


def frequent(relation: Relation, field: str, begin: str, pinned: Pinned) -> list[tuple[str, str]]:
    """The most frequent values of a listed field that begin with these letters, whatever their case, and what they are called; nothing
    for other fields. Of a field whose values have names of their own, all whose name or value has the letters in it.
    """
    known = relation.fields[field]
    if known.names:
        called = known.names().items()
        return [(value, name) for value, name in called if begin.lower() in f"{name}\n{value}".lower()][:_MOST]
    if not known.is_listed or known.type not in (FieldType.TEXT, FieldType.LIST):
        return []
    table = pinned.relation(relation.table, pinned.position)
    one = f"unnest(string_split({known.column}, $mark))" if known.type is FieldType.LIST else known.column
    sql = f"""
        SELECT value FROM (SELECT {one} AS value, known_until FROM {table}) WHERE known_until > $position AND value <> ''
            AND starts_with(lower(value), lower($begin)) GROUP BY value ORDER BY count(*) DESC, value LIMIT {_MOST}
    """
    bound = {"position": pinned.position, "begin": begin} | ({"mark": LIST_MARK} if "$mark" in sql else {})
    return [(str(value), str(value)) for value in engine.run(sql, bound)["value"].to_pylist()]
