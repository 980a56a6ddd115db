"""What the builder's choices say."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from regulars.foundation.pages.registries import Text
from regulars.foundation.relations import FieldType
from regulars.insight.conditions.language import Measure, Missing, Op

MEASURES_IN_WORDS: dict[Measure, Any] = {
    Measure.COUNT: _("number of"),
    Measure.SUM: _("sum of %(field)s of"),
    Measure.DISTINCT: _("number of different %(field)s of"),
    Measure.MIN: _("least %(field)s of"),
    Measure.MAX: _("greatest %(field)s of"),
    Measure.FIRST: _("first %(field)s of"),
    Measure.LAST: _("last %(field)s of"),
    Measure.AVERAGE: _("average %(field)s of"),
    Measure.GAP: _("average days between"),
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
UNITS: dict[str, Text] = {  # a unit, and the calendar that counts it
    "hours": _("hours"),
    "days": _("days"),
    "weeks": _("weeks"),
    "days:shop": _("days by the shop's calendar"),
    "weeks:shop": _("weeks by the shop's calendar"),
    "days:person": _("days by the person's calendar"),
    "weeks:person": _("weeks by the person's calendar"),
}
MISSING: dict[str, Text] = {
    "": _("and without a value?"),
    Missing.IN: _("or has no value"),
    Missing.OUT: _("and has a value"),
}
WINDOWS: dict[str, Text] = {
    "ever": _("at any time"),
    "last": _("in the last"),
    "ago": _("ago, between"),
    "after": _("on or after"),
    "before": _("before"),
    "between": _("from"),
    "since_entry": _("since entering the workflow"),
}
EMPTY_GROUP: Text = _("Add a condition: of nothing, nobody is meant.")
CHOOSE: Text = _("choose")
WORD: Text = _("a personal word")
STEPS: dict[str, Text] = {"": _("then"), "yes": _("then not")}
_PROBLEMS: list[tuple[str, Text]] = [  # what is only unfinished is asked for in plain words
    ("'between' needs a list", _("Fill in both numbers.")),
    ("needs a value to compare with", _("Fill in what to compare with.")),
    ("needs a list of one", _("Add at least one value.")),
    ("says with 'missing'", _("Choose what becomes of those without a value.")),
    ("a number.", _("Fill in a number, without marks between thousands: 1000 or 12.5.")),
    ("a day such as", _("Choose a day.")),
    ("a whole number from 1", _("Fill in how long: a whole number from 1 to 100,000.")),
]


def asks_for(sentence: str) -> Text:
    """What is to be filled in still; '' where something is wrong."""
    return next((words for part, words in _PROBLEMS if part in sentence), "")


def of_type(op: Op, type_: FieldType) -> Text:
    """How a comparison is said of a field of this type."""
    is_number = type_ in (FieldType.NUMBER, FieldType.MONEY)
    return _OF_NUMBERS.get(op, OPS_IN_WORDS[op]) if is_number else OPS_IN_WORDS[op]
