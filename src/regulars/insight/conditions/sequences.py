"""Sequences, exactly and in time that grows with the rows: one pass over flagged rows, a running window for each step.

For each row that can be step k, the latest row from which a chain leads to it is kept: no other start can do better, since a sequence
only bounds how long after its start it ends. Chains whose last step is absent are found pair by pair, since there an earlier start ends
the wait earlier.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

import ibis
import ibis.expr.datatypes as dt

from regulars.insight.conditions.comparisons import NEVER, earliest, wide
from regulars.insight.conditions.engines import WIDE, Dialect, parameter
from regulars.insight.conditions.grouping import Group
from regulars.insight.conditions.selecting import WAKES, select
from regulars.insight.conditions.shapes import NOW, Selection, SequenceShape

_ERA = (
    10**18
)  # microseconds; more than any moment, so that two of them make one number that is ordered by the first, then the second
_SHIFT = 10**17  # no moment is before this many microseconds before 1970


@dataclass(frozen=True)
class _Stage:
    """A step that happens, with flags of what must not have happened since the one before it."""

    flag: str
    absent: tuple[str, ...]


def find_sequence(sequence: SequenceShape, name: str, dialect: Dialect, *, wakes: bool) -> Group:
    """``name``: whether a customer has the sequence."""
    selections = list(dict.fromkeys(selection for selection, _ in sequence.steps))
    flags = {selection: f"s{place}" for place, selection in enumerate(selections)}
    rows = _rows(selections, flags, dialect, wakes=wakes)
    stages, tail = _stages(sequence, flags)
    within = parameter(sequence.within)
    if not tail:
        found = _ended(rows, stages, within, name)
    elif len(stages) == 1:
        found = _unanswered(rows, stages[0].flag, tail, within, name)
    else:
        found = _pairs(rows, stages, tail, within, name)
    if not wakes:
        return Group(found, (sequence,), "")
    return _with_wakes(rows, found, stages[0].flag if tail else "", within, sequence, name)


def _rows(selections: Sequence[Selection], flags: dict[Selection, str], dialect: Dialect, *, wakes: bool) -> Any:
    """All rows that are some step: customer_id, moment in microseconds, a flag for each step."""
    relations = list(dict.fromkeys(one.of for one in selections))
    parts = []
    for relation in relations:
        theirs = [one for one in selections if one.of == relation]
        selected = select(theirs, dialect, needs_customers=True, wakes=wakes)
        rows = selected.rows
        columns = {"then": dialect.micros(rows[selected.relation.at])} | ({WAKES: rows[WAKES]} if wakes else {})
        for one, flag in flags.items():
            belongs = selected.flag(one) if one in theirs else ibis.literal(False)
            columns[flag] = ibis.literal(True) if belongs is None else belongs
        parts.append(rows.select("customer_id", **columns))
    return parts[0] if len(parts) == 1 else ibis.union(*parts)


def _stages(sequence: SequenceShape, flags: dict[Selection, str]) -> tuple[list[_Stage], tuple[str, ...]]:
    """Steps that happen, and the flags of what is absent after the last of them."""
    stages: list[_Stage] = []
    absent: tuple[str, ...] = ()
    for selection, is_absent in sequence.steps:
        if is_absent:
            absent = (*absent, flags[selection])
        else:
            stages.append(_Stage(flags[selection], absent))
            absent = ()
    return stages, absent


def _earlier() -> Any:
    """The customer's rows strictly before this one."""
    return ibis.window(group_by="customer_id", order_by="then", range=(None, -1))


def _up_to_now() -> Any:
    """Those, this one and all at the same moment."""
    return ibis.window(group_by="customer_id", order_by="then", range=(None, 0))


def _later() -> Any:
    return ibis.window(group_by="customer_id", order_by="then", range=(1, None))


def _any(rows: Any, flags: Sequence[str]) -> Any:
    return reduce(or_, (rows[flag] for flag in flags))


def _where(condition: Any, value: Any) -> Any:
    return ibis.ifelse(condition, value, ibis.null())


def _ended(rows: Any, stages: Sequence[_Stage], within: Any, name: str) -> Any:
    rows = rows.mutate(start=_where(rows[stages[0].flag], rows.then))
    for stage in stages[1:]:
        rows = _stepped(rows, stage)
    is_found = (rows.then < rows.start + within).fill_null(False)
    return rows.group_by("customer_id").agg(**{name: is_found.any()})


def _stepped(rows: Any, stage: _Stage) -> Any:
    """``start`` of the next step: the latest start of earlier rows of the step before, with nothing absent since."""
    if not stage.absent:
        latest = rows.start.max().over(_earlier())
        return rows.mutate(start=_where(rows[stage.flag], latest))
    stop = _where(_any(rows, stage.absent), rows.then)
    rows = rows.mutate(
        stopped_until=ibis.coalesce(stop.max().over(_up_to_now()), -_SHIFT),
        stopped_before=ibis.coalesce(stop.max().over(_earlier()), -_SHIFT),
    )
    # Stops only grow, so the greatest pair (last stop, start) of earlier rows belongs to the last stop that any of them saw. If that is
    # the last stop before this row, nothing stopped in between.
    pair = (wide(rows.stopped_until) + _SHIFT) * ibis.literal(_ERA, WIDE) + wide(rows.start + _SHIFT)
    rows = rows.mutate(pair=pair)
    rows = rows.mutate(pair=rows.pair.max().over(_earlier()))
    least = (wide(rows.stopped_before) + _SHIFT) * ibis.literal(_ERA, WIDE)
    start = (rows.pair - least).cast(dt.int64) - _SHIFT
    return rows.mutate(start=_where(rows[stage.flag] & (rows.pair >= least), start)).drop(
        "pair", "stopped_until", "stopped_before"
    )


def _unanswered(rows: Any, flag: str, tail: Sequence[str], within: Any, name: str) -> Any:
    """One step, and then nothing of the tail until its time has passed."""
    rows = _with_next_stop(rows, tail)
    is_found = rows[flag] & _is_over(rows, rows.then, within)
    return rows.group_by("customer_id").agg(**{name: is_found.any()})


def _with_next_stop(rows: Any, tail: Sequence[str]) -> Any:
    stop = _where(_any(rows, tail), rows.then)
    return rows.mutate(next_stop=stop.min().over(_later()).fill_null(NEVER))


def _is_over(rows: Any, start: Any, within: Any) -> Any:
    """The time after the start has passed without a stop after this row."""
    deadline = start + within
    return (deadline <= parameter(NOW)) & (rows.next_stop >= deadline)


def _pairs(rows: Any, stages: Sequence[_Stage], tail: Sequence[str], within: Any, name: str) -> Any:
    """All pairs of a start and a row of the step at hand."""
    rows = _with_next_stop(rows, tail)
    for place, stage in enumerate(stages):
        if stage.absent:
            stop = _where(_any(rows, stage.absent), rows.then)
            rows = rows.mutate(**{f"stop_{place}": stop.max().over(_earlier())})
    begun = rows.filter(rows[stages[0].flag])
    pairs = begun.select("customer_id", "then", "next_stop", start=begun.then).distinct()
    for place, stage in enumerate(stages[1:], start=1):
        pairs = _paired(pairs, rows.filter(rows[stage.flag]), f"stop_{place}" if stage.absent else "", within)
    is_found = _is_over(pairs, pairs.start, within)
    return pairs.group_by("customer_id").agg(**{name: is_found.any()})


def _paired(pairs: Any, rows: Any, stop: str, within: Any) -> Any:
    before = pairs.select(whose="customer_id", before="then", start="start")
    conditions = [
        before.whose == rows.customer_id,
        before.before < rows.then,
        rows.then < before.start + within,
    ]
    if stop:
        conditions.append(rows[stop].isnull() | (rows[stop] <= before.before))
    both = before.inner_join(rows, conditions)
    return both.select("customer_id", "then", "next_stop", "start").distinct()


def _with_wakes(rows: Any, found: Any, waits_after: str, within: Any, sequence: SequenceShape, name: str) -> Group:
    """Rows cross the edges of the window; a wait for what is absent ends."""
    moments = [rows[WAKES]]
    if waits_after:
        ends = rows.then + within
        moments.append(ibis.ifelse(rows[waits_after] & (ends > parameter(NOW)), ends, NEVER))
    column = f"{name}_{WAKES}"
    rows = rows.mutate(**{column: earliest(moments)})
    wakes = rows.group_by("customer_id").agg(**{column: rows[column].min()})
    theirs = found.rename(whose="customer_id")
    both = wakes.left_join(theirs, wakes.customer_id == theirs.whose)
    return Group(both.select("customer_id", column, name), (sequence,), column)
