"""Recency, frequency and monetary scores, and the eleven segments that they make. Pure: no database, no clock.

Scores are quantiles by nearest rank: the k-th cut point of n is the value at rank ceil(k * N / n) of the sorted values, and a value's score
is one more than the number of cut points below it. Ties therefore always share a score; where few values are distinct, cut points
coincide and scores between are not given, but the order stays. A low recency is good, so its score counts from the other end.
The segments follow the usual recency-frequency map (Putler, 'RFM analysis for successful customer segmentation').
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from regulars.foundation.errors import InvalidInput

SCALES = (3, 4, 5)
KEPT_DAYS = timedelta(days=62)  # two months of nights: enough to compare with a month ago
Integers = npt.NDArray[np.int64]


class RfmSegment(StrEnum):
    """The eleven, from the best to the lost; their place in this order is what tables and charts use."""

    CHAMPIONS = "champions"
    LOYAL = "loyal"
    POTENTIAL_LOYALISTS = "potential-loyalists"
    NEW = "new"
    PROMISING = "promising"
    NEEDS_ATTENTION = "needs-attention"
    ABOUT_TO_SLEEP = "about-to-sleep"
    AT_RISK = "at-risk"
    CANT_LOSE = "cant-lose"
    HIBERNATING = "hibernating"
    LOST = "lost"


SEGMENTS: tuple[RfmSegment, ...] = tuple(RfmSegment)
NUMBER: dict[RfmSegment, int] = {segment: number for number, segment in enumerate(SEGMENTS)}


class InvalidPolicy(InvalidInput):
    """These thresholds cannot be used."""

    code = "invalid-rfm-policy"


@dataclass(frozen=True)
class Range:
    """Scores from ``low`` to ``high``, both included."""

    low: int
    high: int

    def __contains__(self, score: object) -> bool:
        return isinstance(score, int) and self.low <= score <= self.high


@dataclass(frozen=True)
class Rule:
    """Who has all three scores in these ranges is in this segment, unless an earlier rule took them."""

    segment: RfmSegment
    recency: Range
    frequency: Range
    monetary: Range

    def takes(self, r: int, f: int, m: int) -> bool:
        return r in self.recency and f in self.frequency and m in self.monetary


@dataclass(frozen=True)
class Policy:
    """Ordered rules for each scale. ``version`` 0 is the published default."""

    version: int
    rules: Mapping[int, tuple[Rule, ...]]


@dataclass(frozen=True)
class CutPoints:
    """Upper bounds of all scores but the highest, ascending, in the values' own units: days, orders, minor units."""

    recency: tuple[int, ...]
    frequency: tuple[int, ...]
    monetary: tuple[int, ...]

    def as_json(self) -> dict[str, list[int]]:
        return {"recency": list(self.recency), "frequency": list(self.frequency), "monetary": list(self.monetary)}

    @classmethod
    def from_json(cls, data: Mapping[str, Sequence[int]]) -> "CutPoints":
        return cls(*(tuple(map(int, data[name])) for name in ("recency", "frequency", "monetary")))


@dataclass(frozen=True)
class Scores:
    """Scores of many people, in the order of the values that they were made from."""

    recency: Integers
    frequency: Integers
    monetary: Integers


def cut_points(values: Integers, n: int) -> tuple[int, ...]:
    """The n - 1 cut points of values by nearest rank; none for no values."""
    count = len(values)
    if not count:
        return ()
    ranks = [(k * count + n - 1) // n - 1 for k in range(1, n)]
    parted = np.partition(values, sorted(set(ranks)))
    return tuple(int(parted[rank]) for rank in ranks)


def score_high(values: Integers, cuts: Sequence[int]) -> Integers:
    """Scores where more is better: one more than the number of cut points below the value."""
    return np.searchsorted(np.asarray(cuts, dtype=np.int64), values, side="left").astype(np.int64) + 1


def score_low(values: Integers, cuts: Sequence[int], n: int) -> Integers:
    """Scores where less is better: n less the number of cut points below the value."""
    return n + 1 - score_high(values, cuts)


def find_cut_points(recency: Integers, frequency: Integers, monetary: Integers, n: int) -> CutPoints:
    return CutPoints(cut_points(recency, n), cut_points(frequency, n), cut_points(monetary, n))


def score(recency: Integers, frequency: Integers, monetary: Integers, cuts: CutPoints, n: int) -> Scores:
    """Scores from 1 (worst) to n (best) against published cut points; any value can be scored, not only those they were made from."""
    return Scores(
        score_low(recency, cuts.recency, n), score_high(frequency, cuts.frequency), score_high(monetary, cuts.monetary)
    )


def segment_of(rules: Sequence[Rule], r: int, f: int, m: int) -> RfmSegment:
    """The segment of three scores: the first rule that takes them. A valid policy always has one."""
    return next(rule.segment for rule in rules if rule.takes(r, f, m))


def segments_of(rules: Sequence[Rule], scores: Scores, n: int) -> Integers:
    """Numbers (see ``NUMBER``) of the segments of many people."""
    cells = (scores.recency - 1) * n * n + (scores.frequency - 1) * n + (scores.monetary - 1)
    found: Integers = lookup(rules, n)[cells]
    return found


def lookup(rules: Sequence[Rule], n: int) -> Integers:
    """Number of the segment of every cell (r, f, m), m running fastest."""
    return np.array([NUMBER[segment_of(rules, r, f, m)] for r, f, m in cells(n)], dtype=np.int64)


def cells(n: int) -> list[tuple[int, int, int]]:
    """Every (r, f, m) that there is at a scale."""
    scores = range(1, n + 1)
    return [(r, f, m) for r in scores for f in scores for m in scores]


def unreachable(rules: Sequence[Rule], n: int) -> list[RfmSegment]:
    """Segments that no scores lead to: allowed, but to be said before saving."""
    reached = set(lookup(rules, n).tolist())
    return [segment for segment in SEGMENTS if NUMBER[segment] not in reached]


def check_rules(rules: Sequence[Rule], n: int) -> None:
    """Raises InvalidPolicy unless every (r, f, m) falls in exactly one segment: valid ranges, and a last rule that takes everybody."""
    if not rules:
        raise InvalidPolicy("There is no rule at all: the last one must take everybody.")
    for number, rule in enumerate(rules, start=1):
        for what, range_ in (("recency", rule.recency), ("frequency", rule.frequency), ("monetary", rule.monetary)):
            if not 1 <= range_.low <= range_.high <= n:
                raise InvalidPolicy(
                    f"Rule {number} ({rule.segment}): {what} from {range_.low} to {range_.high} is not a range from 1 to {n}."
                )
    whole = Range(1, n)
    last = rules[-1]
    if (last.recency, last.frequency, last.monetary) != (whole, whole, whole):
        raise InvalidPolicy(f"The last rule must take everybody who is left: all three from 1 to {n}.")


def parse_rules(data: Any, n: int) -> tuple[Rule, ...]:
    """Rules from JSON: ``[{"segment": "champions", "r": [4, 5], "f": [4, 5], "m": [4, 5]}, ...]``. Raises InvalidPolicy."""
    if not isinstance(data, list):
        raise InvalidPolicy("The rules must be a list.")
    rules = tuple(_parse_rule(entry, number) for number, entry in enumerate(data, start=1))
    check_rules(rules, n)
    return rules


def rules_as_json(rules: Sequence[Rule]) -> list[dict[str, Any]]:
    return [
        {
            "segment": rule.segment.value,
            "r": [rule.recency.low, rule.recency.high],
            "f": [rule.frequency.low, rule.frequency.high],
            "m": [rule.monetary.low, rule.monetary.high],
        }
        for rule in rules
    ]


def _parse_rule(entry: Any, number: int) -> Rule:
    try:
        segment = RfmSegment(entry["segment"])
        ranges = [Range(*(_whole(bound) for bound in entry[name])) for name in ("r", "f", "m")]
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidPolicy(
            f"Rule {number} is not readable: it needs a segment and two whole numbers for each of r, f and m."
        ) from error
    return Rule(segment, *ranges)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(value)
    return value


def _rules(n: int, *lines: tuple[RfmSegment, str, str, str]) -> tuple[Rule, ...]:
    """Reads ``4-5``, ``3`` or ``*`` as ranges."""

    def ranged(text: str) -> Range:
        low, _, high = ("1-" + str(n) if text == "*" else text).partition("-")
        return Range(int(low), int(high or low))

    return tuple(Rule(segment, ranged(r), ranged(f), ranged(m)) for segment, r, f, m in lines)


_S = RfmSegment
DEFAULT_POLICY = Policy(
    0,
    {
        5: _rules(
            5,
            (_S.CHAMPIONS, "4-5", "4-5", "4-5"),
            (_S.CANT_LOSE, "1-2", "4-5", "4-5"),
            (_S.LOYAL, "3-5", "4-5", "*"),
            (_S.LOYAL, "3-5", "3", "4-5"),
            (_S.AT_RISK, "1-2", "3-5", "*"),
            (_S.AT_RISK, "1-2", "2", "4-5"),
            (_S.POTENTIAL_LOYALISTS, "4-5", "2-3", "*"),
            (_S.NEW, "5", "1", "*"),
            (_S.PROMISING, "4", "1", "*"),
            (_S.NEEDS_ATTENTION, "3", "2-3", "*"),
            (_S.ABOUT_TO_SLEEP, "3", "1", "*"),
            (_S.HIBERNATING, "2", "*", "*"),
            (_S.LOST, "*", "*", "*"),
        ),
        4: _rules(
            4,
            (_S.CHAMPIONS, "4", "3-4", "3-4"),
            (_S.CANT_LOSE, "1-2", "4", "4"),
            (_S.LOYAL, "3-4", "3-4", "*"),
            (_S.AT_RISK, "1-2", "3-4", "*"),
            (_S.POTENTIAL_LOYALISTS, "4", "2", "*"),
            (_S.NEW, "4", "1", "2-4"),
            (_S.PROMISING, "4", "1", "1"),
            (_S.NEEDS_ATTENTION, "3", "2", "*"),
            (_S.ABOUT_TO_SLEEP, "3", "1", "*"),
            (_S.HIBERNATING, "2", "*", "*"),
            (_S.LOST, "*", "*", "*"),
        ),
        3: _rules(
            3,
            (_S.CHAMPIONS, "3", "3", "3"),
            (_S.CANT_LOSE, "1", "3", "3"),
            (_S.LOYAL, "2-3", "3", "*"),
            (_S.AT_RISK, "1", "2-3", "*"),
            (_S.POTENTIAL_LOYALISTS, "3", "2", "*"),
            (_S.NEW, "3", "1", "2-3"),
            (_S.PROMISING, "3", "1", "1"),
            (_S.NEEDS_ATTENTION, "2", "2", "*"),
            (_S.ABOUT_TO_SLEEP, "2", "1", "*"),
            (_S.HIBERNATING, "1", "1", "2-3"),
            (_S.LOST, "*", "*", "*"),
        ),
    },
)
