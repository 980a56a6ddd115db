"""Charts as data: drawn by ECharts in the browser, and as a table beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from regulars.foundation.pages import formats

Kind = Literal["line", "bar", "bar-horizontal"]


@dataclass(frozen=True)
class Series:
    """One line or set of bars. ``before`` marks the previous period, which is drawn in grey; ``hrefs`` opens each point to its rows."""

    name: str
    values: Sequence[float | int | None]
    before: bool = False
    hrefs: Sequence[str] = ()


@dataclass(frozen=True)
class Mark:
    """Something that happened, shown at a label of the chart: a campaign, a price change."""

    label: str
    text: str


@dataclass(frozen=True)
class Chart:
    """``labels`` are shown as they are; ``unit`` is 'count', 'percent' (shares of one) or a currency code (values in minor units).

    Values of a series are as many as the labels; None is a gap. ``summary`` says in a sentence what the chart shows.
    """

    name: str
    title: str
    summary: str
    labels: Sequence[str]
    series: Sequence[Series]
    kind: Kind = "line"
    unit: str = "count"
    marks: Sequence[Mark] = ()
    height: int = 220

    def __post_init__(self) -> None:
        if any(len(series.values) != len(self.labels) for series in self.series):
            raise ValueError(f"Chart {self.name}: each series needs {len(self.labels)} values")

    def as_json(self) -> dict[str, Any]:
        """What ``charts.js`` reads; money becomes major units there for the axis, ``texts`` are what a person reads."""
        return {
            "title": self.title,
            "kind": self.kind,
            "unit": self.unit,
            "labels": list(self.labels),
            "marks": [{"label": mark.label, "text": mark.text} for mark in self.marks],
            "series": [
                {
                    "name": series.name,
                    "before": series.before,
                    "values": list(series.values),
                    "texts": [self.text_of(value) for value in series.values],
                    "hrefs": list(series.hrefs),
                }
                for series in self.series
            ],
        }

    def text_of(self, value: float | int | None) -> str:
        if value is None:
            return "–"
        if self.unit == "count":
            return formats.format_number(value)
        if self.unit == "percent":
            return formats.format_percent(value)
        return formats.format_money_short(int(value), self.unit)

    def as_rows(self) -> list[tuple[str, list[tuple[str, str, float | int | None]]]]:
        """For the table view: label, then (text, href, value) of each series."""
        return [
            (label, [self._cell(series, index) for series in self.series]) for index, label in enumerate(self.labels)
        ]

    def _cell(self, series: Series, index: int) -> tuple[str, str, float | int | None]:
        value = series.values[index]
        return self.text_of(value), series.hrefs[index] if series.hrefs else "", value


def day_labels(days: Sequence[date]) -> list[str]:
    """Labels of an axis of days, in the reader's locale; the year stands there only where the axis is longer than one."""
    is_long = bool(days) and (days[-1] - days[0]).days > 366
    return [formats.format_date(day) if is_long else formats.format_day_short(day) for day in days]
