"""Conditions read from JSON, and checked against what modules offer. Pure, but for the key of personal words.

A word that a personal field is compared with is given in clear, or as ``{"sealed": ...}``, as ``writing`` writes it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any as Anything
from typing import cast

from regulars.foundation.errors import InvalidInput
from regulars.foundation.relations import RELATIONS, Field, FieldType, Relation
from regulars.foundation.sealing import CannotOpen
from regulars.foundation.vault.words import open_word, seal_word
from regulars.insight.conditions.comparing import MEASURES, OPS, SPANS, type_of_measure
from regulars.insight.conditions.language import (
    DENYING,
    FORGOTTEN,
    VERSION,
    Ago,
    All,
    Any,
    Between,
    Condition,
    Days,
    Ever,
    Filter,
    Last,
    Leaf,
    Measure,
    Measured,
    Missing,
    Moment,
    Not,
    Op,
    Ratio,
    Rows,
    Sequence,
    Share,
    SinceEntry,
    Span,
    Step,
    Test,
    Unit,
    Value,
    Window,
    Word,
)
from regulars.insight.conditions.texts import expression_problem

MOST_LEAVES = 200
MOST_GROUPS = 400  # a denial is one too
DEEPEST = 40  # groups around a condition
MOST_FILTERS = 50  # of one relation's rows
_MOST_VALUES = 10_000
_AT = Field("", FieldType.MOMENT, "moment")
_PLACES = Decimal("0.000001")
_MOST_OF_RATIO = 10**9  # so that products fit 128 bits


class InvalidCondition(InvalidInput):
    """A condition that cannot be meant; the text says where and what to do."""

    code = "invalid-condition"


@dataclass(frozen=True)
class _At:
    """Where in the JSON we are, for the error's sentence: ``where.all[2].value``."""

    path: str

    def __truediv__(self, name: str | int) -> "_At":
        return _At(f"{self.path}[{name}]" if isinstance(name, int) else f"{self.path}.{name}".lstrip("."))

    def stop(self, why: str) -> InvalidCondition:
        return InvalidCondition(f"At '{self.path or 'the top'}': {why}")


def read_definition(data: Anything) -> Condition:
    """``{"version": 1, "where": ...}``. Raises InvalidCondition."""
    at = _At("")
    given = _object(data, at, {"version", "where"}, {"version", "where"})
    if given["version"] != VERSION:
        raise (at / "version").stop(f"this is written for version {VERSION} of the condition language.")
    return read_condition(given["where"], "where")


def read_condition(data: Anything, path: str = "") -> Condition:
    """One condition without its version. Raises InvalidCondition."""
    reader = _Reader()
    return reader.condition(data, _At(path), 0)


class _Reader:
    """Counts leaves and groups, so that a definition stays one that can be asked."""

    def __init__(self) -> None:
        self._leaves = self._groups = 0

    def condition(self, data: Anything, at: _At, depth: int) -> Condition:
        if not isinstance(data, dict):
            raise at.stop('a condition is an object such as {"of": "orders"} or {"all": [...]}.')
        if depth > DEEPEST:
            raise at.stop(f"groups are nested deeper than {DEEPEST}.")
        name = next((name for name in ("all", "any", "not") if name in data), "")
        self._count(at, is_group=bool(name))
        if not name:
            return _leaf(data, at)
        _object(data, at, {name}, {name})
        if name == "not":
            return Not(self.condition(data["not"], at / "not", depth + 1))
        return self._group(name, data[name], at / name, depth)

    def _count(self, at: _At, *, is_group: bool) -> None:
        self._groups += is_group
        self._leaves += not is_group
        if self._leaves > MOST_LEAVES or self._groups > MOST_GROUPS:
            raise at.stop(f"a definition has at most {MOST_LEAVES} conditions in {MOST_GROUPS} groups and denials.")

    def _group(self, name: str, parts: Anything, at: _At, depth: int) -> Condition:
        if not isinstance(parts, list):
            raise at.stop("a group is a list of conditions.")
        read = tuple(self.condition(part, at / place, depth + 1) for place, part in enumerate(parts))
        if name == "any" and not read:
            raise at.stop("'any' needs at least one condition, or nobody is meant.")
        return All(read) if name == "all" else Any(read)


def _leaf(data: Mapping[str, Anything], at: _At) -> Condition:
    if "share" in data:
        return _share(data, at)
    if "sequence" in data:
        return _sequence(data, at)
    if "ratio" in data:
        return _ratio(data, at)
    given = _object(data, at, {"of"}, {"of", "where", "window", "measure", *_TEST})
    figure, field = _measured(given, at)
    return Leaf(figure, _test_of_leaf(given, field, figure.measure, at))


def _share(data: Mapping[str, Anything], at: _At) -> Share:
    given = _object(
        _object(data, at, {"share"}, {"share"})["share"], at / "share", {"percent", "salt"}, {"percent", "salt"}
    )
    percent = _number(given["percent"], at / "share" / "percent")
    if not 0 < percent <= 100 or percent != round(percent, 2):
        raise (at / "share" / "percent").stop("a share is above 0 and at most 100 percent, with two places.")
    return Share(percent, _text(given["salt"], at / "share" / "salt"))


def _sequence(data: Mapping[str, Anything], at: _At) -> Sequence:
    given = _object(data, at, {"sequence", "within"}, {"sequence", "within", "window"})
    steps = given["sequence"]
    if not isinstance(steps, list) or not 2 <= len(steps) <= 10:
        raise (at / "sequence").stop("a sequence has two to ten steps.")
    read = tuple(_step(step, at / "sequence" / place) for place, step in enumerate(steps))
    if read[0].is_absent:
        raise (at / "sequence" / 0).stop("the first step of a sequence must have happened.")
    return Sequence(read, _span(given["within"], at / "within"), _window(given.get("window"), at / "window"))


def _step(data: Anything, at: _At) -> Step:
    given = _object(data, at, {"of"}, {"of", "where", "absent"})
    relation = _relation(given["of"], at)
    return Step(
        relation.name,
        _filters(given.get("where"), relation, at / "where"),
        _flag(given.get("absent", False), at / "absent"),
    )


def _ratio(data: Mapping[str, Anything], at: _At) -> Leaf:
    given = _object(data, at, {"ratio", "op"}, {"ratio", *_TEST})
    both = given["ratio"]
    if not isinstance(both, list) or len(both) != 2:
        raise (at / "ratio").stop("a ratio is a list of two figures: this one, over that one.")
    figures = []
    for place, part in enumerate(both):
        where = at / "ratio" / place
        figure, field = _measured(_object(part, where, {"of"}, {"of", "where", "window", "measure"}), where)
        if field.type not in (FieldType.NUMBER, FieldType.MONEY) or figure.measure is Measure.AVERAGE:
            raise where.stop("a ratio is made of numbers or amounts; an average is a ratio already.")
        figures.append(figure)
    test = _test(given, Field("", FieldType.NUMBER, "ratio"), at)
    if any(abs(one) >= _MOST_OF_RATIO for one in _numbers_of(test)):
        raise (at / "value").stop("a ratio is compared with numbers below a thousand millions.")
    return Leaf(Ratio(*figures), test)


def _numbers_of(test: Test) -> list[Decimal]:
    given = test.value if isinstance(test.value, tuple) else (test.value,)
    return [one for one in given if isinstance(one, Decimal)]


def _measured(given: Mapping[str, Anything], at: _At) -> tuple[Measured, Field]:
    """The figure, and a field that stands for its type."""
    relation = _relation(given["of"], at)
    rows = Rows(
        relation.name,
        _filters(given.get("where"), relation, at / "where"),
        _window(given.get("window"), at / "window"),
    )
    said = given.get("measure", "count")
    where = at / "measure"
    if isinstance(said, str) and said in (Measure.COUNT, Measure.GAP):
        return Measured(rows, Measure(said)), Field("", FieldType.NUMBER, said)
    if (
        not isinstance(said, dict)
        or len(said) != 1
        or next(iter(said)) not in set(Measure) - {Measure.COUNT, Measure.GAP}
    ):
        raise where.stop(
            f'a measure is "count", "gap" or one such as {{"sum": "total"}}; there is {", ".join(Measure)}.'
        )
    [(name, field_name)] = said.items()
    measure, field = Measure(name), _field(field_name, relation, where / name)
    if measure not in MEASURES[field.type]:
        raise where.stop(f"'{field_name}' has no {name}; it has {', '.join(sorted(MEASURES[field.type]))}.")
    return Measured(rows, measure, field_name), replace(field, type=type_of_measure(measure, field.type))


def _test_of_leaf(given: Mapping[str, Anything], field: Field, measure: Measure, at: _At) -> Test:
    if "op" not in given and measure is Measure.COUNT:
        if set(given) & _TEST:
            raise at.stop("a 'value' needs an 'op' that says how to compare.")
        return Test(Op.GE, Decimal(1))
    if "op" not in given:
        raise at.stop("say with 'op' how the figure is compared.")
    return _test(given, field, at)


_TEST = frozenset({"op", "value", "missing", "days"})


def _test(given: Mapping[str, Anything], field: Field, at: _At) -> Test:
    op = _one_of(Op, given["op"], at / "op")
    if op not in OPS[field.type]:
        raise (at / "op").stop(
            f"{field.type.value} is not compared with '{op}'; it has {', '.join(sorted(OPS[field.type]))}."
        )
    missing = Missing.OUT
    if op in DENYING:
        if "missing" not in given:
            raise at.stop(f"'{op}' says with 'missing' what becomes of those without a value: 'in' or 'out'.")
        missing = _one_of(Missing, given["missing"], at / "missing")
    elif "missing" in given:
        raise (at / "missing").stop("only comparisons that deny have it; all others are false without a value.")
    days = Days.ROLLING
    if op in SPANS:
        days = _one_of(Days, given.get("days", _usual_days(field.type)), at / "days")
        if field.type is FieldType.DATE and days is Days.ROLLING:
            raise (at / "days").stop("a date is compared by the days of the 'shop' or the 'person'.")
    elif "days" in given:
        raise (at / "days").stop("only spans of time have it.")
    return Test(op, _value(given, op, field, days, at), missing, days)


def _usual_days(type_: FieldType) -> Days:
    return Days.SHOP if type_ is FieldType.DATE else Days.ROLLING


def _value(given: Mapping[str, Anything], op: Op, field: Field, days: Days, at: _At) -> Value:
    where, type_ = at / "value", field.type
    if op in (Op.SET, Op.NOT_SET):
        if "value" in given:
            raise where.stop(f"'{op}' needs none.")
        return None
    if "value" not in given:
        raise where.stop(f"'{op}' needs a value to compare with.")
    said = given["value"]
    if op in SPANS:
        return _calendar(_span(said, where), days, where)
    if op in (Op.IN, Op.NOT_IN):
        if not isinstance(said, list) or not 1 <= len(said) <= _MOST_VALUES:
            raise where.stop(f"'{op}' needs a list of one to {_MOST_VALUES:,} texts.")
        several = (_scalar(item, op, field, where / place) for place, item in enumerate(said))
        return cast(Value, tuple(dict.fromkeys(several)))
    if op is Op.BETWEEN:
        if not isinstance(said, list) or len(said) != 2:
            raise where.stop("'between' needs a list of two numbers.")
        low, high = (_amount(item, type_, where / place) for place, item in enumerate(said))
        if low > high:
            raise where.stop("the first number is the smaller one.")
        return (low, high)
    if op is Op.MATCHES:
        pattern = _text(said, where)
        if problem := expression_problem(pattern):
            raise where.stop(problem)
        return pattern
    return _scalar(said, op, field, where)


def _scalar(said: Anything, op: Op, field: Field, at: _At) -> Value:
    return _word(said, field, op, at) if field.type is FieldType.TOKEN else _SCALARS[field.type](said, at)


def _filters(data: Anything, relation: Relation, at: _At) -> tuple[Filter, ...]:
    if data is None:
        return ()
    if not isinstance(data, list):
        raise at.stop("a list of comparisons of its rows' fields.")
    if len(data) > MOST_FILTERS:
        raise at.stop(f"at most {MOST_FILTERS} comparisons.")
    read = []
    for place, item in enumerate(data):
        where = at / place
        given = _object(item, where, {"field", "op"}, {"field", *_TEST})
        read.append(Filter(given["field"], _test(given, _field(given["field"], relation, where / "field"), where)))
    return tuple(read)


def _window(data: Anything, at: _At) -> Window:
    if data is None or data == "ever":
        return Ever()
    if data == "since_entry":
        return SinceEntry()
    given = _object(data, at, set(), {"last", "ago", "after", "before", "days"})
    days = _one_of(Days, given.get("days", Days.ROLLING), at / "days")
    match sorted(set(given) - {"days"}):
        case ["last"]:
            return Last(_calendar(_span(given["last"], at / "last"), days, at / "last"), days)
        case ["ago"]:
            both = given["ago"]
            if not isinstance(both, list) or len(both) != 2:
                raise (at / "ago").stop("two spans, the longer one first.")
            since, to = (_calendar(_span(one, at / "ago" / n), days, at / "ago" / n) for n, one in enumerate(both))
            if _hours(since) <= _hours(to):
                raise (at / "ago").stop("the first span is the longer one.")
            return Ago(since, to, days)
        case ["after"] | ["before"] | ["after", "before"] if "days" not in given:
            return _between(given, at)
        case _:
            raise at.stop(
                "a window is one of 'last', 'ago', 'after' and 'before' (or both), \"since_entry\" or \"ever\"."
            )


def _between(given: Mapping[str, Anything], at: _At) -> Between:
    ends = [_moment(given[name], at / name) if name in given else None for name in ("after", "before")]
    return Between(*ends)


def _hours(span: Span) -> int:
    return span.count * {Unit.HOURS: 1, Unit.DAYS: 24, Unit.WEEKS: 168}[span.unit]


def _calendar(span: Span, days: Days, at: _At) -> Span:
    if days is not Days.ROLLING and span.unit is Unit.HOURS:
        raise at.stop("hours are not counted by the calendar: leave 'days' out, or use days or weeks.")
    return span


def _span(data: Anything, at: _At) -> Span:
    given = _object(data, at, set(), set(Unit))
    if len(given) != 1:
        raise at.stop('a span of time is one such as {"days": 30}; there are hours, days and weeks.')
    [(unit, count)] = given.items()
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= 100_000:
        raise (at / unit).stop("a whole number from 1 to 100,000.")
    return Span(count, Unit(unit))


def _relation(name: Anything, at: _At) -> Relation:
    found = RELATIONS.get(name) if isinstance(name, str) else None
    if found is None:
        raise (at / "of").stop(f"nothing is called '{_short(name)}'; there is {', '.join(RELATIONS)}.")
    return found


def _field(name: Anything, relation: Relation, at: _At) -> Field:
    if name == "at":
        return _AT
    found = relation.fields.get(name) if isinstance(name, str) else None
    if found is None:
        raise at.stop(f"'{relation.name}' has no '{_short(name)}'; it has at, {', '.join(relation.fields)}.")
    return found


def _object(data: Anything, at: _At, needed: set[str], allowed: set[str] | frozenset[str]) -> Mapping[str, Anything]:
    if not isinstance(data, dict):
        raise at.stop(f"an object with {', '.join(sorted(allowed))}.")
    if unknown := set(data) - allowed:
        raise at.stop(f"there is no '{min(map(_short, unknown))}' here; there is {', '.join(sorted(allowed))}.")
    if absent := needed - set(data):
        raise at.stop(f"'{min(absent)}' is missing.")
    return data


def _one_of(kind: Anything, said: Anything, at: _At) -> Anything:
    try:
        return kind(said)
    except ValueError:
        raise at.stop(f"'{_short(said)}' is not one of {', '.join(kind)}.") from None


def _short(said: Anything) -> str:
    return "a long number" if isinstance(said, int) and abs(said) > 10**60 else str(said)[:60]


def _text(said: Anything, at: _At) -> str:
    if not isinstance(said, str) or not said or len(said) > 1000 or re.search(r"[\x00-\x1f\ud800-\udfff]", said):
        raise at.stop("a text of one to 1,000 characters, without control characters.")
    return said


def _word(said: Anything, field: Field, op: Op, at: _At) -> Word:
    sealed = _object(said, at, {"sealed"}, {"sealed"})["sealed"] if isinstance(said, dict) else None
    if sealed == "":
        return Word(FORGOTTEN, "")
    plain = _text(said, at) if sealed is None else _opened(sealed, at)
    if field.token is None:
        raise at.stop(f"of '{field.meaning}' no words are kept.")
    try:
        token = field.token(plain, op in (Op.STARTS, Op.NOT_STARTS))
    except InvalidInput as error:
        raise at.stop(error.sentence) from error
    return Word(token, sealed or seal_word(plain), plain)


def _opened(sealed: Anything, at: _At) -> str:
    try:
        return open_word(sealed)
    except (CannotOpen, AttributeError) as error:
        raise at.stop("this sealed word is not of this installation: give the word itself.") from error


def _flag(said: Anything, at: _At) -> bool:
    if not isinstance(said, bool):
        raise at.stop("true or false.")
    return said


def _number(said: Anything, at: _At) -> Decimal:
    if isinstance(said, bool) or not isinstance(said, int | float | str | Decimal):
        raise at.stop("a number.")
    try:
        number = Decimal(said if isinstance(said, int) else str(said))
    except InvalidOperation:
        raise at.stop("a number.") from None
    if not number.is_finite() or (number and number.adjusted() >= 12) or number != number.quantize(_PLACES):
        raise at.stop("a number below a million millions with at most six places.")
    return number.normalize() if number else Decimal(0)


def _minor(said: Anything, at: _At) -> Decimal:
    number = _number(said, at)
    if number != number.to_integral_value():
        raise at.stop("an amount is a whole number of minor units (cents) of the reporting currency.")
    return number


def _amount(said: Anything, type_: FieldType, at: _At) -> Decimal:
    return _minor(said, at) if type_ is FieldType.MONEY else _number(said, at)


def _date(said: Anything, at: _At) -> date:
    try:
        return date.fromisoformat(said)
    except (TypeError, ValueError):
        raise at.stop("a day such as 2026-11-22.") from None


def _moment(said: Anything, at: _At) -> Moment:
    try:
        if len(said) == len("2026-11-22"):
            return date.fromisoformat(said)
        moment = datetime.fromisoformat(said)
    except (TypeError, ValueError):
        raise at.stop(
            "a day such as 2026-11-22, or a moment with its zone such as 2026-11-22T09:00:00+01:00."
        ) from None
    if moment.tzinfo is None:
        raise at.stop("a moment needs its zone, such as 2026-11-22T09:00:00+01:00.")
    try:
        moment.astimezone(UTC)
    except OverflowError:
        raise at.stop("a moment of the years 1 to 9999, in UTC too.") from None
    return moment


_SCALARS: dict[FieldType, Callable[[Anything, _At], Value]] = {
    FieldType.TEXT: _text,
    FieldType.LIST: _text,
    FieldType.NUMBER: _number,
    FieldType.MONEY: _minor,
    FieldType.MOMENT: _moment,
    FieldType.DATE: _date,
    FieldType.FLAG: _flag,
}
