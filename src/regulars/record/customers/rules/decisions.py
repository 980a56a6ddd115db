"""Staff's word on who is one person and who is not."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations, product


@dataclass(frozen=True, order=True)
class Pair:
    """Two profiles, the lower first."""

    low: int
    high: int

    @classmethod
    def of(cls, one: int, other: int) -> "Pair":
        return cls(min(one, other), max(one, other))


@dataclass(frozen=True)
class Decision:
    """All of ``one`` are the same person; and if there are ``others``, these are another one."""

    at: datetime
    one: frozenset[int]
    others: frozenset[int] = frozenset()

    def pairs(self) -> Iterator[tuple[Pair, bool]]:
        """What it says of each two profiles: whether they are the same person."""
        for side in (self.one, self.others):
            yield from ((Pair.of(a, b), True) for a, b in combinations(sorted(side), 2))
        yield from ((Pair.of(a, b), False) for a, b in product(self.one, self.others))


def verdicts(decisions: Collection[Decision]) -> tuple[list[Pair], list[Pair]]:
    """The pairs that must be together, and those that cannot: the latest decision on a pair counts, of two at one moment the one that
    keeps apart.
    """
    said = ((decision.at, not same, pair) for decision in decisions for pair, same in decision.pairs())
    latest = {pair: apart for _, apart, pair in sorted(said)}
    return sorted(p for p, apart in latest.items() if not apart), sorted(p for p, apart in latest.items() if apart)
