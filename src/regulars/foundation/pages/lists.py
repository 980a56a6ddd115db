"""A list page is data: columns, filters, actions and a loader. See docs/pages.md for an example."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from operator import attrgetter
from typing import Any, Literal

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.errors import InvalidInput
from regulars.foundation.pages.formats import format_date, format_number
from regulars.foundation.pages.paging import Order, Rows, page_of
from regulars.foundation.pages.registries import Text
from regulars.foundation.pages.sums import Door, Sum

CellKind = Literal["text", "strong", "number", "money", "percent", "when", "date", "pill", "pills", "template"]
FilterKind = Literal["choice", "text", "date", "number", "hidden"]
Choices = Sequence[tuple[str, Text]]


class InvalidFilter(InvalidInput):
    """A filter in the address of this page cannot be read."""

    code = "invalid-filter"


def as_row_id(text: str) -> int:
    """The number of a row as an address states it; 0, which no row has, for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


@dataclass(frozen=True)
class Pill:
    """A short state. ``tone`` is grey, green, amber, red or accent; states only, never decoration."""

    text: Text
    tone: str = "grey"
    href: str = ""


@dataclass(frozen=True)
class Column:
    """``value(row)`` gives what ``kind`` needs: money is ``(minor, currency)``, pill a ``Pill``, pills several.

    ``door(row)`` says where the number opens, None for one that opens nothing. ``sort`` is a name in the page's ``sorts``.
    Every column goes into the export but those not ``in_export``; one that is not ``on_page`` goes only there.
    """

    name: str
    label: Text
    kind: CellKind = "text"
    value: Callable[[Any], Any] | None = None
    sort: str = ""
    template: str = ""
    door: Callable[[Any], Door | None] | None = None
    is_optional: bool = False
    on_phone: bool = True
    on_tablet: bool = True
    on_page: bool = True
    in_export: bool = True

    def read(self, row: Any) -> Any:
        return self.value(row) if self.value else attrgetter(self.name)(row)

    @property
    def at_end(self) -> bool:
        return self.kind in {"number", "money", "percent"}


@dataclass(frozen=True)
class Filter:
    """One condition in the address. ``date`` and ``number`` read ``name_from`` and ``name_to`` (both inclusive); ``hidden`` and
    those not ``is_offered`` come by doors only."""

    name: str
    label: Text
    kind: FilterKind = "choice"
    choices: Callable[[Viewer], Choices] | None = None
    describe: Callable[[str], str] | None = None
    describe_to: Callable[[str, Viewer], str] | None = None  # the same, where not everybody may read it
    is_offered: bool = True

    @property
    def parameters(self) -> tuple[str, ...]:
        return (f"{self.name}_from", f"{self.name}_to") if self.kind in {"date", "number"} else (self.name,)


@dataclass(frozen=True)
class ListQuery:
    """What the address asks for, checked. ``choices`` holds choice, text and hidden filters.

    Ranges are ``(from, to)``, of which either may be None.
    """

    text: str = ""
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dates: Mapping[str, tuple[date | None, date | None]] = field(default_factory=dict)
    numbers: Mapping[str, tuple[Decimal | None, Decimal | None]] = field(default_factory=dict)
    sort: str = ""
    descending: bool = True
    cursor: str = ""

    def one(self, name: str) -> str:
        """The single value of a filter, or an empty string."""
        return (self.choices.get(name) or ("",))[0]

    def row_id(self, name: str) -> int:
        """The row that a filter names; 0, which no row has, where it names none."""
        return as_row_id(self.one(name))

    @property
    def is_narrowed(self) -> bool:
        """Whether it asks for a part of the rows."""
        ranges = (*self.dates.values(), *self.numbers.values())
        return bool(self.choices or self.text or any(end is not None for ends in ranges for end in ends))


@dataclass(frozen=True)
class BulkAction:
    """Done to the selected rows: ``run(ids, form, viewer, at)`` is one transaction and says how many it changed, which
    ``say(changed, form)`` puts in a sentence. Many are done in slices, so it must not matter how often it is called for one row.

    ``input_label`` asks for one word first. ``is_one_step``: never in slices, since it is one statement and what follows from it
    must follow once.
    """

    name: str
    label: Text
    icon: str
    permission: str
    run: Callable[[Sequence[int], Mapping[str, str], Viewer, datetime], int]
    say: Callable[[int, Mapping[str, str]], str]
    input_label: Text = ""
    is_one_step: bool = False


@dataclass(frozen=True)
class Empty:
    """What an empty list says: the first step, not 'no data'."""

    title: Text
    text: Text
    action: Text = ""
    href: str = ""
    icon: str = "stack-2"


def _unchanged(items: Sequence[Any], viewer: Viewer) -> Sequence[Any]:
    return items


@dataclass(frozen=True)
class ListPage:
    """``rows(query, viewer)`` are all rows that match; paging, counting, choosing and the export follow from it.

    ``counted`` are the same rows where fewer joins do: those are counted and chosen. ``present(items, viewer)`` gives the rows of one
    page as the columns read them, set-wise. ``load(query, viewer)`` takes the place of both only where a list is no query set.
    ``sentence(query, viewer)`` says what is the case. ``sum`` stands beside the count. ``back``: the page that
    it is a part of.
    """

    name: str
    title: Text
    columns: Sequence[Column]
    href: Callable[[Any], str]
    empty: Empty
    unit: Callable[[int], str]
    rows: Callable[[ListQuery, Viewer], QuerySet[Any]] | None = None
    counted: Callable[[ListQuery, Viewer], QuerySet[Any]] | None = None
    sorts: Mapping[str, Order] = field(default_factory=dict)
    present: Callable[[Sequence[Any], Viewer], Sequence[Any]] = _unchanged
    count: Callable[[QuerySet[Any]], int] = QuerySet.count
    load: Callable[[ListQuery, Viewer], Rows] | None = None
    filters: Sequence[Filter] = ()
    search: Text = ""
    default_sort: str = ""
    key: Callable[[Any], int] = attrgetter("id")
    sentence: Callable[[ListQuery, Viewer], str] | None = None
    sum: Callable[[ListQuery, Viewer], Sum | None] | None = None
    actions: Sequence[BulkAction] = ()
    export_permission: str = ""
    tabs: Sequence[tuple[Text, str]] = ()
    primary: tuple[Text, str] | None = None
    back: tuple[Text, str] | None = None
    by_store: bool = False

    def matching(self, query: ListQuery, viewer: Viewer) -> QuerySet[Any]:
        if self.rows is None:
            raise LookupError(f"List {self.name} has no rows to choose from")
        return self.rows(query, viewer)

    def page(self, query: ListQuery, viewer: Viewer) -> Rows:
        """Raises BrokenCursor."""
        if self.load is not None:
            return self.load(query, viewer)
        rows, sorting = self.matching(query, viewer), self.sorts[query.sort]
        total = self.count(self.counted(query, viewer) if self.counted else rows)
        page = page_of(rows, replace(sorting, descending=query.descending), query.cursor, total)
        return replace(page, items=self.present(page.items, viewer))

    def ids(self, query: ListQuery, viewer: Viewer, chosen: Sequence[int] | None = None) -> list[int]:
        """Ids of all that match, or of those among ``chosen``."""
        rows = self.counted(query, viewer) if self.counted else self.matching(query, viewer)
        return list((rows if chosen is None else rows.filter(pk__in=chosen)).values_list("pk", flat=True))

    def read(self, parameters: QueryDict) -> ListQuery:
        """Raises InvalidFilter for what cannot be read, naming it."""
        sort, descending = self._sort(parameters.get("sort", "") or self.default_sort)
        return ListQuery(
            text=parameters.get("q", "").strip()[:200],
            choices={
                f.name: _given(parameters, f.name)
                for f in self.filters
                if f.kind in {"choice", "text", "hidden"} and _given(parameters, f.name)
            },
            dates={f.name: _range(parameters, f, _date) for f in self.filters if f.kind == "date"},
            numbers={f.name: _range(parameters, f, _number) for f in self.filters if f.kind == "number"},
            sort=sort,
            descending=descending,
            cursor=parameters.get("cursor", ""),
        )

    def _sort(self, text: str) -> tuple[str, bool]:
        name, descending = text.removeprefix("-"), text.startswith("-")
        if name and name not in {column.sort for column in self.columns}:
            raise InvalidFilter(gettext("This list cannot be sorted by '%(name)s'.") % {"name": name[:40]})
        return name, descending

    def shown(self, parameters: QueryDict) -> list[Column]:
        wanted = set(parameters.getlist("columns"))
        there = [column for column in self.columns if column.on_page]
        return [c for c in there if (c.name in wanted if wanted else not c.is_optional)] or there


@dataclass(frozen=True)
class Chip:
    """One filter that is on, as it reads in the sentence above the list, and the address without it."""

    label: str
    text: str
    without: str


def read_chips(page: ListPage, parameters: QueryDict, viewer: Viewer) -> list[Chip]:
    chips = []
    for entry in page.filters:
        if text := _describe(entry, parameters, viewer):
            chips.append(Chip(str(entry.label), text, address(parameters, dict.fromkeys(entry.parameters))))
    return chips


def address(parameters: QueryDict, changes: Mapping[str, str | None]) -> str:
    """The present address with some parameters changed or taken out; the cursor always goes, since it belongs to the old question."""
    fresh = parameters.copy()
    fresh.pop("cursor", None)
    for name, value in changes.items():
        fresh.pop(name, None)
        if value is not None:
            fresh[name] = value
    return "?" + fresh.urlencode()


def _describe(entry: Filter, parameters: QueryDict, viewer: Viewer) -> str:
    if entry.kind in {"date", "number"}:
        low, high = _range(parameters, entry, _date if entry.kind == "date" else _number)
        return _describe_range(low, high)
    given = _given(parameters, entry.name)
    if entry.describe_to:
        return ", ".join(entry.describe_to(value, viewer) for value in given)
    if entry.describe:
        return ", ".join(entry.describe(value) for value in given)
    labels = {value: str(label) for value, label in entry.choices(viewer)} if entry.choices else {}
    return (" " + gettext("or") + " ").join(labels.get(value, value) for value in given)


def _describe_range(low: date | Decimal | None, high: date | Decimal | None) -> str:
    if low is not None and high is not None:
        return gettext("%(low)s to %(high)s") % {"low": _show(low), "high": _show(high)}
    if low is not None:
        return gettext("from %(low)s") % {"low": _show(low)}
    return gettext("up to %(high)s") % {"high": _show(high)} if high is not None else ""


def _show(value: date | Decimal) -> str:
    return format_date(value) if isinstance(value, date) else format_number(value)


def _given(parameters: QueryDict, name: str) -> tuple[str, ...]:
    return tuple(value for value in parameters.getlist(name) if value)


def _range(parameters: QueryDict, entry: Filter, parse: Callable[[str, Text], Any]) -> tuple[Any, Any]:
    low, high = (parse(parameters.get(name, "").strip(), entry.label) for name in entry.parameters)
    return low, high


def _date(text: str, label: Text) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidFilter(
            gettext("'%(text)s' is not a date for '%(label)s': write it as 2026-01-31.")
            % {"text": text[:40], "label": label}
        ) from error


def _number(text: str, label: Text) -> Decimal | None:
    try:
        value = Decimal(text) if text else None
    except InvalidOperation as error:
        raise InvalidFilter(
            gettext("'%(text)s' is not a number for '%(label)s'.") % {"text": text[:40], "label": label}
        ) from error
    if value is not None and not (value.is_finite() and abs(value) < 10**12):
        raise InvalidFilter(
            gettext("'%(text)s' is too large a number for '%(label)s'.") % {"text": text[:40], "label": label}
        )
    return value
