"""Who is who: a pure function of the set of links and decisions, so that the order of arrival cannot matter."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

MOST_PROFILES = 10  # an identity that leads to more is shared (a till, an office, a placeholder) and joins nobody

PLACEHOLDER_LOCALS = frozenset({"none", "noemail", "no-reply", "noreply", "unknown", "test", "guest", "nomail", "na"})
RELAY_DOMAINS = frozenset(
    {"marketplace.amazon.com", "marketplace.amazon.co.uk", "members.ebay.com", "members.ebay.co.uk"}
)


@dataclass(frozen=True, order=True)
class Link:
    """A confirmed link of a profile to an identity."""

    identity: int
    profile: int


@dataclass(frozen=True, order=True)
class Pair:
    """Two profiles about which staff decided, the lower first."""

    low: int
    high: int


def is_placeholder(address: str) -> bool:
    """Mail addresses that shops fill in when they have none, and relays that stand for many people: never identifiers."""
    local, _, domain = address.lower().rpartition("@")
    return not local or local in PLACEHOLDER_LOCALS or domain in RELAY_DOMAINS


def components(
    profiles: Iterable[int],
    links: Collection[Link],
    must: Collection[Pair],
    cannot: Collection[Pair],
    devices: Collection[int] = frozenset(),
    visitors: Collection[int] = frozenset(),
) -> list[frozenset[int]]:
    """Sets of profiles that are one person each, in the order of their lowest profile.

    Staff's must-links come first, then identities in the order of their ids, those in ``devices`` last: a device that several
    people used (of whom nothing else says that they are one) joins nobody. ``visitors`` are the profiles that are named by a
    device only. A union that would bring a cannot-link pair together is left out. All of it is evaluated in canonical order, so the
    same set of facts always gives the same people.
    """
    groups = _Groups(profiles, cannot)
    for pair in sorted(must):
        groups.join(pair.low, pair.high)
    by_identity = _profiles_by_identity(links)
    for identity, members in by_identity.items():
        if identity not in devices:
            groups.join_all(members)
    own = {i for i in by_identity if i in devices and groups.count(set(by_identity[i]) - set(visitors)) <= 1}
    for identity in sorted(own):
        groups.join_all(by_identity[identity])
    return groups.as_sets()


def _profiles_by_identity(links: Collection[Link]) -> dict[int, list[int]]:
    """In the order of the identities; without those that lead to one profile only, or to too many."""
    by_identity: dict[int, list[int]] = {}
    for link in sorted(set(links)):
        by_identity.setdefault(link.identity, []).append(link.profile)
    return {i: members for i, members in sorted(by_identity.items()) if 2 <= len(members) <= MOST_PROFILES}


class _Groups:
    """Union-find that refuses to bring a forbidden pair together."""

    def __init__(self, profiles: Iterable[int], cannot: Collection[Pair]) -> None:
        self._members: dict[int, set[int]] = {p: {p} for p in profiles}
        self._forbidden: dict[int, set[int]] = {}
        for pair in cannot:
            self._forbidden.setdefault(pair.low, set()).add(pair.high)
            self._forbidden.setdefault(pair.high, set()).add(pair.low)

    def join(self, one: int, other: int) -> None:
        left, right = self._members.get(one), self._members.get(other)
        if left is None or right is None or left is right or self._is_forbidden(left, right):
            return
        left |= right
        for profile in right:
            self._members[profile] = left

    def join_all(self, profiles: list[int]) -> None:
        first, *others = profiles
        for other in others:
            self.join(first, other)

    def count(self, profiles: Iterable[int]) -> int:
        """How many groups these profiles are in."""
        return len({id(self._members[p]) for p in profiles if p in self._members})

    def _is_forbidden(self, left: set[int], right: set[int]) -> bool:
        return any(self._forbidden.get(p, set()) & right for p in left)

    def as_sets(self) -> list[frozenset[int]]:
        return sorted({frozenset(members) for members in self._members.values()}, key=min)


_LOOKS = (
    ("date", re.compile(r"\d{4}-\d\d-\d\d.*")),
    ("mail address", re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")),
    ("phone number", re.compile(r"\+?[\d ()/.-]{7,20}")),
    ("number", re.compile(r"-?\d+([.,]\d+)?")),
    ("code", re.compile(r"[A-Za-z0-9_-]{1,20}")),
)
_CALM_NAMES = frozenset(
    {"size", "colour", "color", "plan", "tier", "source", "channel", "language", "currency", "score", "category"}
)


def guess_look(name: str, value: object) -> str:
    """What a new property seems to hold, for the person who classes it: a hint, never a decision."""
    if isinstance(value, bool):
        return "yes or no"
    if isinstance(value, int | float):
        return "number"
    text = str(value).strip()
    if name.lower().split("_")[-1] in _CALM_NAMES:
        return "code"
    if "birth" in name.lower():
        return "birthday"
    return next((look for look, pattern in _LOOKS if pattern.fullmatch(text)), "free text")
