"""Random conditions over a world: every relation, field, comparison, measure, window, and how they nest."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any as Anything

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from regulars.foundation.relations import LIST_MARK, Field, FieldType, Relation
from regulars.foundation.vault.words import seal_word
from regulars.insight.conditions.comparing import MEASURES, OPS, SPANS, type_of_measure
from regulars.insight.conditions.language import (
    DENYING,
    FORGOTTEN,
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
from regulars.insight.conditions.language import Sequence as Steps
from regulars.insight.conditions.tests import worlds
from regulars.insight.conditions.tests.catalog import token
from regulars.insight.conditions.tests.worlds import EPOCH, World
from regulars.insight.conditions.texts import expression_problem
from regulars.insight.conditions.windows import length

_AT = Field("", FieldType.MOMENT, "moment")
_SHAPES = ("^{}", "{}$", "[a-z]+", "{}?", "({}|b)+", ".{{2}}", "\\W", "^[^{}]*$", "\\d|\\s", "a.b")


@st.composite
def conditions(draw: DrawFn, world: World, depth: int = 4) -> Condition:
    """Nested up to ``depth``; all of it can be written as JSON and read again."""
    kind = draw(st.sampled_from(_NESTS if depth else _LEAVES))
    if kind is Not:
        return Not(draw(conditions(world, depth - 1)))
    if kind in (All, Any):
        count = draw(st.integers(0 if kind is All else 1, 3))
        parts = tuple(draw(conditions(world, depth - 1)) for _ in range(count))
        return All(parts) if kind is All else Any(parts)
    return draw(_KINDS[kind](world))


@st.composite
def _leaves(draw: DrawFn, world: World) -> Leaf:
    figure, type_ = draw(_figures(world))
    return Leaf(figure, draw(tests_of(world, type_)))


@st.composite
def _ratios(draw: DrawFn, world: World) -> Leaf:
    top, bottom = draw(_quotables(world)), draw(_quotables(world))
    return Leaf(Ratio(top, bottom), draw(tests_of(world, FieldType.NUMBER)))


@st.composite
def _quotables(draw: DrawFn, world: World) -> Measured:
    numbers = (FieldType.NUMBER, FieldType.MONEY)
    figure, _ = draw(
        _figures(world).filter(lambda found: found[1] in numbers and found[0].measure is not Measure.AVERAGE)
    )
    return figure


@st.composite
def _figures(draw: DrawFn, world: World) -> tuple[Measured, FieldType]:
    relation = draw(_relations(world))
    rows = Rows(relation.name, draw(_filters(world, relation)), draw(windows(world)))
    if draw(st.integers(0, 3)) == 0:
        return Measured(rows, draw(st.sampled_from((Measure.COUNT, Measure.GAP)))), FieldType.NUMBER
    name, field = draw(_fields(relation))
    measure = draw(st.sampled_from(sorted(MEASURES[field.type])))
    return Measured(rows, measure, name), type_of_measure(measure, field.type)


def _relations(world: World) -> SearchStrategy[Relation]:
    return st.sampled_from(list(world.catalog.relations.values()))


def _fields(relation: Relation) -> SearchStrategy[tuple[str, Field]]:
    return st.sampled_from([("at", _AT), *relation.fields.items()])


@st.composite
def _filters(draw: DrawFn, world: World, relation: Relation) -> tuple[Filter, ...]:
    count = draw(st.sampled_from((0, 0, 0, 0, 1, 1, 2)))
    chosen = [draw(_fields(relation)) for _ in range(count)]
    return tuple(Filter(name, draw(tests_of(world, field.type))) for name, field in chosen)


@st.composite
def _sequences(draw: DrawFn, world: World) -> Steps:
    count = draw(st.integers(2, 4))
    steps = []
    for place in range(count):
        relation = draw(_relations(world))
        is_absent = place > 0 and draw(st.integers(0, 2)) == 0
        where = draw(_filters(world, relation)) if draw(st.integers(0, 2)) == 0 else ()
        steps.append(Step(relation.name, where, is_absent))
    window = draw(windows(world)) if draw(st.integers(0, 2)) == 0 else Ever()
    return Steps(tuple(steps), draw(_spans()), window)


def _shares() -> SearchStrategy[Share]:
    percents = st.sampled_from([Decimal(text) for text in ("0.01", "10", "33.33", "50", "99.99", "100")])
    return st.builds(Share, percents, st.sampled_from(("spring", "Küche 😀", "x")))


_KINDS: dict[type, Callable[[World], SearchStrategy[Leaf | Steps | Share]]] = {
    Leaf: _leaves,
    Ratio: _ratios,
    Steps: _sequences,
    Share: lambda world: _shares(),
}
_LEAVES = (Leaf, Leaf, Leaf, Leaf, Ratio, Steps, Share)
_NESTS = (*_LEAVES, Not, All, All, Any, Any)


@st.composite
def windows(draw: DrawFn, world: World) -> Window:
    days = draw(st.sampled_from(Days))
    match draw(st.sampled_from((Ever, Ever, Ever, Last, Last, Last, Ago, Between, SinceEntry))):
        case kind if kind is Last:
            return Last(draw(_spans(days)), days)
        case kind if kind is Ago:
            return draw(_agos(days))
        case kind if kind is Between:
            ends = [draw(st.none() | _moments(world)) for _ in range(2)]
            return Between(*ends) if any(ends) else Ever()
        case kind:
            return SinceEntry() if kind is SinceEntry else Ever()


@st.composite
def _agos(draw: DrawFn, days: Days) -> Ago:
    since, to = draw(st.tuples(_spans(days), _spans(days)).filter(lambda both: length(both[0]) > length(both[1])))
    return Ago(since, to, days)


def _spans(days: Days = Days.ROLLING) -> SearchStrategy[Span]:
    return st.sampled_from([span for span in worlds.SPANS if days is Days.ROLLING or span.unit is not Unit.HOURS])


def _moments(world: World) -> SearchStrategy[Moment]:
    """Moments of the world, in its zones, and days."""
    pool = st.sampled_from(world.pools[FieldType.MOMENT])
    local = st.builds(lambda at, zone: at.astimezone(zone), pool, st.sampled_from(worlds.ZONES))
    days = st.builds(lambda at, days: at.date() + timedelta(days=days), pool, st.integers(-1, 1))
    return st.one_of(pool, local.map(lambda at: at.fromisoformat(at.isoformat())), days)


@st.composite
def tests_of(draw: DrawFn, world: World, type_: FieldType) -> Test:
    """A comparison that this type has, with values of the world's."""
    op = draw(st.sampled_from(sorted(OPS[type_])))
    missing = draw(st.sampled_from(Missing)) if op in DENYING else Missing.OUT
    days = Days.ROLLING
    if op in SPANS:
        days = draw(st.sampled_from((Days.SHOP, Days.PERSON) if type_ is FieldType.DATE else tuple(Days)))
    return Test(op, draw(_values(world, op, type_, days)), missing, days)


def _values(world: World, op: Op, type_: FieldType, days: Days) -> SearchStrategy[Value]:
    if op in SPANS:
        return _spans(Days.SHOP if type_ is FieldType.DATE else days)
    if type_ is FieldType.TOKEN:
        one: SearchStrategy[Anything] = _words(is_begin=op in _OF_PIECES)
    else:
        one = _pieces(world) if op in _OF_PIECES and type_ is FieldType.TEXT else _ONES[type_](world)
    several = st.lists(one, min_size=1, max_size=3, unique=True).map(tuple)
    special: dict[Op, SearchStrategy[Value]] = {
        Op.SET: st.none(),
        Op.NOT_SET: st.none(),
        Op.MATCHES: _patterns(world),
        Op.IN: several,
        Op.NOT_IN: several,
        Op.BETWEEN: st.tuples(one, one).map(lambda both: (min(both), max(both))),
    }
    return special.get(op, one)


_OF_PIECES = frozenset({Op.CONTAINS, Op.NOT_CONTAINS, Op.STARTS, Op.NOT_STARTS})


def _numbers(world: World) -> SearchStrategy[Decimal]:
    return st.integers(-1, 4).map(Decimal) | st.sampled_from(world.pools[FieldType.NUMBER]) | _combined(world)


def _amounts(world: World) -> SearchStrategy[Decimal]:
    return st.sampled_from([*world.pools[FieldType.MONEY], 0, 1, 100]).map(Decimal)


def _dates(world: World) -> SearchStrategy[date]:
    return st.sampled_from(world.pools[FieldType.DATE]).map(lambda days: EPOCH + timedelta(days=days))


def _items(world: World) -> SearchStrategy[str]:
    return st.sampled_from(
        [item for text in world.pools[FieldType.LIST] for item in text.split(LIST_MARK) if item] + ["red"]
    )


def _words(*, is_begin: bool) -> SearchStrategy[Word]:
    """Names of the world or begins of them, and what was forgotten."""
    names = st.sampled_from((*worlds.NAMES, "nobody"))
    plain = st.builds(lambda name, length: name[:length], names, st.integers(2, 5)) if is_begin else names
    return plain.map(lambda one: Word(token(one, is_begin), seal_word(one), one)) | st.just(Word(FORGOTTEN, ""))


def _texts(world: World) -> SearchStrategy[str]:
    """Texts of the world that a condition may be written with."""
    return st.sampled_from(
        [text for text in (*world.pools[FieldType.TEXT], "web", "STRASSE") if text and min(text) >= " "]
    )


_ONES: dict[FieldType, Callable[[World], SearchStrategy[Anything]]] = {
    FieldType.TEXT: _texts,
    FieldType.NUMBER: _numbers,
    FieldType.MONEY: _amounts,
    FieldType.MOMENT: _moments,
    FieldType.DATE: _dates,
    FieldType.FLAG: lambda world: st.booleans(),
    FieldType.LIST: _items,
}


def _combined(world: World) -> SearchStrategy[Decimal]:
    """Sums, averages, ratios and gaps of a few values, as near as six places go."""
    numbers = [*world.pools[FieldType.NUMBER], *map(Decimal, world.pools[FieldType.MONEY])]
    one = st.sampled_from(numbers)
    return st.one_of(
        st.builds(lambda a, b: a + b, one, one),
        st.builds(lambda a, b: ((a + b) / 2).quantize(Decimal("0.000001")), one, one),
        st.builds(lambda a, b: (a / (b or 1)).quantize(Decimal("0.000001")), one, one).filter(
            lambda number: abs(number) < 10**9
        ),
        st.sampled_from([Decimal(text) for text in ("0.5", "1.5", "15", "0.333333", "0.041667")]),
    )


def _pieces(world: World) -> SearchStrategy[str]:
    """Begins and middles of the world's texts, in other letters."""
    cut = st.builds(lambda text, a, b: text[a : a + b] or text, _texts(world), st.integers(0, 1), st.integers(1, 4))
    return cut | cut.map(str.swapcase).filter(bool)


def _patterns(world: World) -> SearchStrategy[str]:
    filled = st.builds(lambda shape, text: shape.format(text), st.sampled_from(_SHAPES), _pieces(world))
    return (filled | _pieces(world)).filter(lambda text: not expression_problem(text))
