"""Conditions as English sentences, for people who read why somebody is in a segment. Dates and money in the reader's manner.

A condition is put together of clauses, so each clause is a sentence of its own to translators, with named places.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from regulars.foundation.pages.formats import format_date, format_full, format_money, format_number
from regulars.foundation.relations import RELATIONS, FieldType
from regulars.insight.conditions.comparing import type_of_measure
from regulars.insight.conditions.judging import Known
from regulars.insight.conditions.language import (
    Ago,
    Between,
    Days,
    Ever,
    Filter,
    Last,
    Leaf,
    Measure,
    Measured,
    Missing,
    Moment,
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
    Window,
    Word,
)
from regulars.insight.conditions.measuring import field_of
from regulars.insight.conditions.why import ByMore, ByStep, ByTime, Change

_FIGURES: Mapping[Measure, Promise] = {
    Measure.COUNT: gettext_lazy("the number of %(rows)s"),
    Measure.SUM: gettext_lazy("the sum of %(field)s over %(rows)s"),
    Measure.DISTINCT: gettext_lazy("the number of different values of %(field)s over %(rows)s"),
    Measure.MIN: gettext_lazy("the least %(field)s over %(rows)s"),
    Measure.MAX: gettext_lazy("the greatest %(field)s over %(rows)s"),
    Measure.FIRST: gettext_lazy("the first %(field)s over %(rows)s"),
    Measure.LAST: gettext_lazy("the last %(field)s over %(rows)s"),
    Measure.AVERAGE: gettext_lazy("the average %(field)s over %(rows)s"),
    Measure.GAP: gettext_lazy("the average days between two of %(rows)s"),
}
_TESTS: Mapping[Op, Promise] = {
    Op.IS: gettext_lazy("is %(value)s"),
    Op.IS_NOT: gettext_lazy("is not %(value)s"),
    Op.IN: gettext_lazy("is one of %(value)s"),
    Op.NOT_IN: gettext_lazy("is none of %(value)s"),
    Op.CONTAINS: gettext_lazy("contains %(value)s"),
    Op.NOT_CONTAINS: gettext_lazy("does not contain %(value)s"),
    Op.STARTS: gettext_lazy("begins with %(value)s"),
    Op.NOT_STARTS: gettext_lazy("does not begin with %(value)s"),
    Op.MATCHES: gettext_lazy("matches the expression %(value)s"),
    Op.LT: gettext_lazy("is below %(value)s"),
    Op.LE: gettext_lazy("is at most %(value)s"),
    Op.GT: gettext_lazy("is above %(value)s"),
    Op.GE: gettext_lazy("is at least %(value)s"),
    Op.BETWEEN: gettext_lazy("is from %(low)s to %(high)s"),
    Op.BEFORE: gettext_lazy("is before %(value)s"),
    Op.AFTER: gettext_lazy("is on or after %(value)s"),
    Op.WITHIN_LAST: gettext_lazy("is within the last %(value)s"),
    Op.OLDER_THAN: gettext_lazy("is more than %(value)s ago"),
    Op.WITHIN_NEXT: gettext_lazy("is within the next %(value)s"),
    Op.ANNIVERSARY: gettext_lazy("comes round within %(value)s"),
    Op.INCLUDES: gettext_lazy("includes %(value)s"),
    Op.NOT_INCLUDES: gettext_lazy("does not include %(value)s"),
    Op.SET: gettext_lazy("has a value"),
    Op.NOT_SET: gettext_lazy("has no value"),
}
_COUNTS: Mapping[Op, Promise] = {
    Op.IS: gettext_lazy("has exactly %(value)s %(rows)s"),
    Op.LE: gettext_lazy("has at most %(value)s %(rows)s"),
    Op.GE: gettext_lazy("has at least %(value)s %(rows)s"),
}
_CALENDARS = {Days.SHOP: gettext_lazy("by the shop's days"), Days.PERSON: gettext_lazy("by the person's days")}


@dataclass(frozen=True)
class Words:
    """Sentences for one reader; ``currency`` is the one that amounts are reported in, ``shows_words``: who may see contact data."""

    currency: str
    shows_words: bool = False

    def leaf(self, leaf: Leaf | Sequence | Share) -> str:
        """Begins in lower case and has no full stop: 'has at least 2 orders in the last 30 days, where channel is web'."""
        if isinstance(leaf, Share):
            return _("is in a share of %(percent)s percent by chance") % {"percent": format_number(leaf.percent)}
        if isinstance(leaf, Sequence):
            return self._sequence(leaf)
        if isinstance(leaf.figure, Ratio):
            return f"{self._ratio(leaf.figure)} {self.test(leaf.test, FieldType.NUMBER)}"
        figure = leaf.figure
        said = self._count(figure.rows, leaf.test) if figure.measure is Measure.COUNT else ""
        said = said or f"{self.figure(figure)} {self.test(leaf.test, type_of_figure(figure))}"
        return said + self._where(figure.rows)

    def _ratio(self, ratio: Ratio) -> str:
        both = {"top": self._whole(ratio.top), "bottom": self._whole(ratio.bottom)}
        return _("%(top)s, divided by %(bottom)s,") % both

    def _count(self, rows: Rows, test: Test) -> str:
        """Counts as one says them; '' where only the figure can be named. Counts are whole, so more than one is at least two."""
        what = {"rows": self.rows(rows)}
        if not isinstance(test.value, Decimal) or test.value != test.value.to_integral_value():
            return ""
        whole = {Op.GT: (Op.GE, 1), Op.LT: (Op.LE, -1)}
        op, more = whole.get(test.op, (test.op, 0))
        value = int(test.value) + more
        if (op, value) == (Op.GE, 1):
            return _("has %(rows)s") % what
        if op in (Op.IS, Op.LE) and value == 0:
            return _("has no %(rows)s") % what
        return str(_COUNTS[op]) % (what | {"value": format_number(value)}) if op in _COUNTS and value > 1 else ""

    def _whole(self, figure: Measured) -> str:
        where = self._where(figure.rows).removeprefix(", ")
        return f"{self.figure(figure)} ({where})" if where else self.figure(figure)

    def figure(self, figure: Measured) -> str:
        """'the sum of total over orders in the last 30 days', without its filters."""
        field = field_of(RELATIONS[figure.rows.of], figure.field).meaning if figure.field else ""
        return str(_FIGURES[figure.measure]) % {"field": field, "rows": self.rows(figure.rows)}

    def rows(self, rows: Rows) -> str:
        """'orders in the last 30 days', without filters."""
        what, window = RELATIONS[rows.of].meaning, self.window(rows.window)
        return f"{what} {window}" if window else what

    def _where(self, rows: Rows | Step) -> str:
        """', where channel is “web” and total is at least €50.00'; '' without filters."""
        said = [self._filter(one, rows.of) for one in rows.where]
        return _(", where %(tests)s") % {"tests": _(" and ").join(said)} if said else ""

    def _filter(self, one: Filter, of: str) -> str:
        field = field_of(RELATIONS[of], one.field)
        if field.type is FieldType.FLAG and one.test.op is Op.IS:
            return field.meaning if one.test.value else _("not: %(field)s") % {"field": field.meaning}
        test = _called(one.test, field.names()) if field.names else one.test
        return f"{field.meaning} {self.test(test, field.type)}"

    def _sequence(self, sequence: Sequence) -> str:
        steps = [self.step(step, is_first=not place) for place, step in enumerate(sequence.steps)]
        ends = {"steps": ", ".join(steps), "span": self.span(sequence.within), "window": self.window(sequence.window)}
        if ends["window"]:
            return _("%(steps)s, all within %(span)s, %(window)s") % ends
        return _("%(steps)s, all within %(span)s") % ends

    def step(self, step: Step, *, is_first: bool = False) -> str:
        """'then no orders (where channel is “web”)'."""
        where = self._where(step).removeprefix(", ")
        what = RELATIONS[step.of].meaning + (f" ({where})" if where else "")
        if is_first:
            return _("first %(rows)s") % {"rows": what}
        return (_("then no %(rows)s") if step.is_absent else _("then %(rows)s")) % {"rows": what}

    def window(self, window: Window) -> str:
        """'in the last 30 days'; '' for ever."""
        match window:
            case Ever():
                return ""
            case SinceEntry():
                return _("since entering the workflow")
            case Last(span, days):
                return _("in the last %(span)s") % {"span": self.span(span, days)}
            case Ago(since, to, days):
                return _("between %(since)s and %(to)s ago") % {"since": self.span(since), "to": self.span(to, days)}
            case Between(after, before):
                return self._between(after, before)

    def _between(self, after: Moment | None, before: Moment | None) -> str:
        ends = {"after": after and self.moment(after), "before": before and self.moment(before)}
        if after and before:
            return _("from %(after)s until before %(before)s") % ends
        return (_("from %(after)s on") if after else _("before %(before)s")) % ends

    def span(self, span: Span, days: Days = Days.ROLLING) -> str:
        """'30 days by the shop's days'."""
        texts = {
            Unit.HOURS: ngettext("%(n)s hour", "%(n)s hours", span.count),
            Unit.DAYS: ngettext("%(n)s day", "%(n)s days", span.count),
            Unit.WEEKS: ngettext("%(n)s week", "%(n)s weeks", span.count),
        }
        said = texts[span.unit] % {"n": format_number(span.count)}
        return f"{said} {_CALENDARS[days]}" if days in _CALENDARS else said

    def test(self, test: Test, type_: FieldType) -> str:
        """'is at least €50.00'."""
        said = str(_TESTS[test.op]) % self._values(test, type_)
        return _("%(test)s or has no value") % {"test": said} if test.missing is Missing.IN else said

    def _values(self, test: Test, type_: FieldType) -> dict[str, str]:
        match test.value:
            case Span() as span:
                return {"value": self.span(span, test.days)}
            case tuple() as several if test.op is Op.BETWEEN:
                return {"low": self.value(several[0], type_), "high": self.value(several[1], type_)}
            case tuple() as several:
                return {"value": ", ".join(self.value(one, type_) for one in several)}
            case None:
                return {}
            case one:
                return {"value": self.value(one, type_)}

    def value(self, value: Known | Decimal | Word | None, type_: FieldType) -> str:
        """A value as it is read; personal ones are not shown."""
        if value is None:
            return _("no value")
        if isinstance(value, Word):
            return self._word(value)
        return _("(personal)") if type_ is FieldType.TOKEN else _VALUES[type_](self, value)

    def _word(self, word: Word) -> str:
        if not word.sealed:
            return _("a word that was forgotten with its person")
        return _("“%(text)s”") % {"text": word.plain} if self.shows_words else _("a word that is kept sealed")

    def money(self, amount: Decimal | Fraction) -> str:
        return format_money(round(amount), self.currency)

    def moment(self, moment: Moment) -> str:
        return format_full(moment) if isinstance(moment, datetime) else format_date(moment)

    def change(self, change: Change, leaf: Leaf | Sequence | Share) -> str:
        """'2 more orders before 3 December', 'turns false on 3 December by itself'."""
        match change:
            case ByTime(at, becomes):
                said = _("turns true on %(at)s by itself") if becomes else _("turns false on %(at)s by itself")
                return said % {"at": self.moment(at)}
            case ByMore(more, before):
                said = _("%(more)s before %(before)s") if before else "%(more)s"
                return said % {"more": self._more(more, leaf), "before": before and self.moment(before)}
            case ByStep(place, _after, before):
                step = self.step(leaf.steps[place]) if isinstance(leaf, Sequence) else ""
                return _("%(step)s before %(before)s") % {"step": step, "before": self.moment(before)}

    def _more(self, more: Fraction, leaf: Leaf | Sequence | Share) -> str:
        if not isinstance(leaf, Leaf) or not isinstance(leaf.figure, Measured):
            return ""
        figure = leaf.figure
        said = {"more": self.value(more, type_of_figure(figure)), "rows": RELATIONS[figure.rows.of].meaning}
        if figure.measure is Measure.COUNT:
            return _("%(more)s more of: %(rows)s") % said
        field = field_of(RELATIONS[figure.rows.of], figure.field).meaning
        return _("%(more)s more by %(field)s of %(rows)s") % (said | {"field": field})


def _called(test: Test, names: Mapping[str, str]) -> Test:
    """The test with what its values are called, where these are keys."""
    match test.value:
        case str() as key:
            return replace(test, value=names.get(key, key))
        case tuple() as several:
            return replace(test, value=tuple(names.get(str(key), str(key)) for key in several))
    return test


def type_of_figure(figure: Measured | Ratio) -> FieldType:
    """Of which type a figure is."""
    if isinstance(figure, Ratio) or not figure.field:
        return FieldType.NUMBER
    return type_of_measure(figure.measure, field_of(RELATIONS[figure.rows.of], figure.field).type)


def _number(number: Fraction | Decimal) -> str:
    """To six places."""
    exact = Fraction(number)
    places = Decimal(round(exact * 10**6)).scaleb(-6)
    return format_number(places.normalize() if places else Decimal(0))


_VALUES: Mapping[FieldType, Callable[[Words, Any], str]] = {
    FieldType.TEXT: lambda words, text: _("“%(text)s”") % {"text": text},
    FieldType.NUMBER: lambda words, number: _number(number),
    FieldType.MONEY: lambda words, amount: words.money(amount),
    FieldType.MOMENT: lambda words, moment: words.moment(moment),
    FieldType.DATE: lambda words, day: format_date(day),
    FieldType.FLAG: lambda words, flag: _("yes") if flag else _("no"),
    FieldType.LIST: lambda words, items: (
        ", ".join(items) if isinstance(items, tuple) else _("“%(text)s”") % {"text": items}
    ),
}
