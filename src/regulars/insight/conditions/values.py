"""Values that a field has, for whoever writes conditions."""

from regulars.foundation.relations import LIST_MARK, FieldType, Relation
from regulars.insight.warehouse import engine
from regulars.insight.warehouse.queries import Pinned

_MOST = 30


def frequent(relation: Relation, field: str, begin: str, pinned: Pinned) -> list[str]:
    """The most frequent values of a listed field that begin with these letters, whatever their case; nothing for other fields."""
    known = relation.fields[field]
    if not known.is_listed or known.type not in (FieldType.TEXT, FieldType.LIST):
        return []
    table = pinned.relation(relation.table, pinned.position)
    one = f"unnest(string_split({known.column}, $mark))" if known.type is FieldType.LIST else known.column
    sql = f"""
        SELECT value FROM (SELECT {one} AS value, known_until FROM {table}) WHERE known_until > $position AND value <> ''
            AND starts_with(lower(value), lower($begin)) GROUP BY value ORDER BY count(*) DESC, value LIMIT {_MOST}
    """
    bound = {"position": pinned.position, "begin": begin} | ({"mark": LIST_MARK} if "$mark" in sql else {})
    return [str(value) for value in engine.run(sql, bound)["value"].to_pylist()]
