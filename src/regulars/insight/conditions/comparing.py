"""Which comparisons and measures a field has. Pure."""

from regulars.foundation.relations import FieldType
from regulars.insight.conditions.language import Measure, Op

_NUMBERS = frozenset({Op.IS, Op.IS_NOT, Op.LT, Op.LE, Op.GT, Op.GE, Op.BETWEEN, Op.SET, Op.NOT_SET})
_WORDS = frozenset({Op.IS, Op.IS_NOT, Op.IN, Op.NOT_IN, Op.STARTS, Op.NOT_STARTS, Op.SET, Op.NOT_SET})
_TIMES = frozenset({Op.BEFORE, Op.AFTER, Op.WITHIN_LAST, Op.OLDER_THAN, Op.WITHIN_NEXT, Op.SET, Op.NOT_SET})
OPS: dict[FieldType, frozenset[Op]] = {
    FieldType.TEXT: _WORDS | {Op.CONTAINS, Op.NOT_CONTAINS, Op.MATCHES},
    FieldType.NUMBER: _NUMBERS,
    FieldType.MONEY: _NUMBERS,
    FieldType.MOMENT: _TIMES,
    FieldType.DATE: _TIMES | {Op.ANNIVERSARY},
    FieldType.FLAG: frozenset({Op.IS, Op.SET, Op.NOT_SET}),
    FieldType.LIST: frozenset({Op.INCLUDES, Op.NOT_INCLUDES, Op.SET, Op.NOT_SET}),
    FieldType.TOKEN: _WORDS,
}
SPANS = frozenset({Op.WITHIN_LAST, Op.OLDER_THAN, Op.WITHIN_NEXT, Op.ANNIVERSARY})  # their value is a span of time

_ENDS = frozenset({Measure.FIRST, Measure.LAST})
_ORDERED = _ENDS | {Measure.MIN, Measure.MAX, Measure.DISTINCT}
MEASURES: dict[FieldType, frozenset[Measure]] = {
    FieldType.TEXT: _ENDS | {Measure.DISTINCT},
    FieldType.NUMBER: _ORDERED | {Measure.SUM, Measure.AVERAGE},
    FieldType.MONEY: _ORDERED | {Measure.SUM, Measure.AVERAGE},
    FieldType.MOMENT: _ORDERED,
    FieldType.DATE: _ORDERED,
    FieldType.FLAG: _ENDS,
    FieldType.LIST: _ENDS,
    FieldType.TOKEN: _ENDS,
}


def type_of_measure(measure: Measure, of: FieldType) -> FieldType:
    """What a measure of a field of this type is."""
    return FieldType.NUMBER if measure is Measure.DISTINCT else of
