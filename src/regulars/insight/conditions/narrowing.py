"""What a condition leaves out for sure, before any row is read. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from regulars.foundation.relations import RELATIONS
from regulars.insight.conditions.binding import Bindable
from regulars.insight.conditions.language import Condition, Op, Rows, leaves, rows_of
from regulars.insight.conditions.windows import Clock


def texts_in(rows: Rows, field: str) -> tuple[str, ...]:
    """The texts of which a filter on a field says that it must be one; none where no filter says so."""
    for one in rows.where:
        if one.field == field and one.test.op in (Op.IS, Op.IN):
            value = one.test.value
            return tuple(map(str, value if isinstance(value, tuple) else (value,)))
    return ()


def all_texts_in(conditions: Iterable[Condition], table: str, field: str) -> Sequence[str]:
    """The same of everything that these conditions ask of a table together; none where anything asks without such a filter, or wants the
    latest row, whichever that is.
    """
    asked = [rows for one in conditions for leaf in leaves(one) for rows in rows_of(leaf)]
    asked = [rows for rows in asked if RELATIONS[rows.of].table == table]
    found = [() if RELATIONS[rows.of].latest_by else texts_in(rows, field) for rows in asked]
    return sorted({text for texts in found for text in texts}) if all(found) else ()


def begin_of(asked: Iterable[Bindable], table: str, clock: Clock) -> tuple[str, datetime] | None:
    """The column of a table's moments, and the moment before which nobody looks at its rows, now or later; None where somebody may look at
    any of them, or wants the latest, however old that is.
    """
    looked_at = [(one, taken) for taken in asked for one in taken.selections]
    theirs = [(RELATIONS[one.of], one.floor, taken) for one, taken in looked_at if RELATIONS[one.of].table == table]
    columns = {relation.at for relation, _, _ in theirs}
    found = [taken.value(floor, clock) for relation, floor, taken in theirs if floor and not relation.latest_by]
    begins = [one for one in found if isinstance(one, datetime)]
    if len(columns) != 1 or len(begins) < len(theirs):
        return None
    return columns.pop(), min(begins)
