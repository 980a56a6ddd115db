"""What the builder's choices say."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from regulars.foundation.pages.registries import Text
from regulars.foundation.relations import FieldType
from regulars.insight.conditions.language import Days, Measure, Missing, Op, Unit

MEASURES_IN_WORDS: dict[Measure, Any] = {
    Measure.COUNT: _("number"),
    Measure.SUM: _("sum of %(field)s"),
    Measure.DISTINCT: _("number of different %(field)s"),
    Measure.MIN: _("least %(field)s"),
    Measure.MAX: _("greatest %(field)s"),
    Measure.FIRST: _("first %(field)s"),
    Measure.LAST: _("last %(field)s"),
    Measure.AVERAGE: _("average %(field)s"),
    Measure.GAP: _("average days between two"),
}
OPS_IN_WORDS: dict[Op, Text] = {
    Op.IS: _("is"),
    Op.IS_NOT: _("is not"),
    Op.IN: _("is one of"),
    Op.NOT_IN: _("is none of"),
    Op.CONTAINS: _("contains"),
    Op.NOT_CONTAINS: _("does not contain"),
    Op.STARTS: _("begins with"),
    Op.NOT_STARTS: _("does not begin with"),
    Op.MATCHES: _("matches the expression"),
    Op.LT: _("is below"),
    Op.LE: _("is at most"),
    Op.GT: _("is above"),
    Op.GE: _("is at least"),
    Op.BETWEEN: _("is between"),
    Op.BEFORE: _("is before"),
    Op.AFTER: _("is on or after"),
    Op.WITHIN_LAST: _("is within the last"),
    Op.OLDER_THAN: _("is longer ago than"),
    Op.WITHIN_NEXT: _("is within the next"),
    Op.ANNIVERSARY: _("comes round within"),
    Op.INCLUDES: _("includes"),
    Op.NOT_INCLUDES: _("does not include"),
    Op.SET: _("is known"),
    Op.NOT_SET: _("is not known"),
}
_OF_NUMBERS: dict[Op, Text] = {Op.IS: _("is exactly"), Op.IS_NOT: _("is not exactly")}
UNITS: dict[str, Text] = {Unit.HOURS: _("hours"), Unit.DAYS: _("days"), Unit.WEEKS: _("weeks")}
DAYS: dict[str, Text] = {
    Days.ROLLING: _("by the hour"),
    Days.SHOP: _("by the shop's days"),
    Days.PERSON: _("by the person's days"),
}
MISSING: dict[str, Text] = {
    "": _("without a value: choose"),
    Missing.IN: _("or has no value"),
    Missing.OUT: _("and has a value"),
}
WINDOWS: dict[str, Text] = {
    "ever": _("ever"),
    "last": _("in the last"),
    "ago": _("ago, from"),
    "between": _("from day"),
    "since_entry": _("since entering the workflow"),
}


def of_type(op: Op, type_: FieldType) -> Text:
    """How a comparison is said of a field of this type."""
    is_number = type_ in (FieldType.NUMBER, FieldType.MONEY)
    return _OF_NUMBERS.get(op, OPS_IN_WORDS[op]) if is_number else OPS_IN_WORDS[op]
