"""Who is who: a pure function of the set of facts, links and decisions, so that the order of arrival cannot matter.

Whatever has to come first is told by what things are (``key``: kind, scope and blind index of an identity), never by when they came.
docs/decisions/0003-who-is-who.md tells why each rule is as it is.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations, islice

from regulars.record.customers.rules.decisions import Decision, Pair, verdicts
from regulars.record.customers.rules.names import Words, contradict, may_be_one

MOST_PROFILES = 10  # of one person in one store, until staff say otherwise (setting ``customers.most_profiles``)
WIDEST = 500  # an identity that leads to more profiles than this is shared, in however many stores they are
MOST_CASES = 10  # that one identity puts before staff at once; more come up as these are decided
Key = tuple[int, str, bytes, int]  # rank of the kind, scope, blind index; of a profile also its store


class Reason(StrEnum):
    """Why two customers who share an identity wait for staff."""

    NAMES = "names"  # both have orders, under names that are not one person's
    SIZE = "size"  # together they would have more profiles in one store than a person has
    EITHER = "either"  # the identity leads to several people, and this one may be any of them


@dataclass(frozen=True)
class Profile:
    """What the guards ask of a profile. A visitor is named by a device and by nothing else."""

    id: int
    key: Key
    store: int | None = None
    is_visitor: bool = False
    has_orders: bool = False
    names: frozenset[Words] = frozenset()


@dataclass(frozen=True)
class Identity:
    """An identifier with the profiles that it is confirmed of."""

    id: int
    key: Key
    profiles: frozenset[int]
    is_device: bool = False


@dataclass(frozen=True, order=True)
class Case:
    """Two people, by their oldest profiles, whom an identity says to be one and a guard keeps apart until staff decide."""

    low: int
    high: int
    identity: int
    reason: Reason


@dataclass(frozen=True)
class People:
    """Sets of profiles that are one person each, in the order of their lowest profile, and what waits for staff."""

    parts: list[frozenset[int]]
    cases: list[Case] = field(default_factory=list)


def is_shared(members: Collection[tuple[int | None, bool]], most: int) -> bool:
    """Whether an identity is no person's own: more than ``most`` profiles of one store have it (a till, an office), or very many of
    all. ``members``: store of each profile, and whether it is a visitor; those count for nothing, a person has many devices.
    """
    if len(members) <= min(most, WIDEST):
        return False
    stores = Counter(store for store, is_visitor in members if not is_visitor)
    return len(members) > WIDEST or max(stores.values(), default=0) > most


def components(
    profiles: Collection[Profile],
    identities: Collection[Identity],
    decisions: Collection[Decision] = (),
    most: int = MOST_PROFILES,
) -> People:
    """Staff's word first; then identities, the strongest kinds first, as far as no guard is against it; devices last."""
    must, cannot = verdicts(decisions)
    groups = _Groups(profiles, cannot, most)
    for pair in sorted(must, key=lambda p: sorted(map(groups.key, (p.low, p.high)))):
        groups.join_by_word(pair)
    groups.name_people()
    own = sorted((i for i in identities if not groups.is_shared(i)), key=lambda i: i.key)
    known = [i for i in own if not i.is_device]
    for identity in known:
        groups.join_by_identity(groups.of(identity.profiles))
    people = {p for identity in known for p in identity.profiles}
    for there in _devices([i for i in own if i.is_device], groups):
        if (
            sum(groups.is_somebody(group, people) for group in there) <= 1
        ):  # of several, nobody can tell who a visitor was
            groups.join_if_allowed(there)
    return People(groups.as_sets(), groups.cases(known))


@dataclass(eq=False)
class _Group:
    """Profiles that are one person as far as is known. ``people`` are the names of each person with orders that staff's word made, or
    left alone: who is one by an identity only may still be two.
    """

    profiles: set[int]
    stores: Counter[int | None]
    has_orders: bool
    names: set[Words]
    people: set[frozenset[Words]] = field(default_factory=set)


class _Groups:
    """Union-find with guards."""

    def __init__(self, profiles: Collection[Profile], cannot: Collection[Pair], most: int) -> None:
        self._known = {p.id: p for p in profiles}
        self._group = {p.id: _group_of(p) for p in profiles}
        self._most = most
        self._forbidden: dict[int, set[int]] = {}
        for pair in cannot:
            self._forbidden.setdefault(pair.low, set()).add(pair.high)
            self._forbidden.setdefault(pair.high, set()).add(pair.low)

    def key(self, profile: int) -> Key:
        """Profiles that are not among these come first, and join nobody."""
        return self._known[profile].key if profile in self._known else (-1, "", b"", 0)

    def of(self, profiles: Iterable[int]) -> list[_Group]:
        """The groups of these profiles, each once, in the order of their keys."""
        known = sorted((p for p in profiles if p in self._known), key=self.key)
        return list({id(self._group[p]): self._group[p] for p in known}.values())

    def is_shared(self, identity: Identity) -> bool:
        members = [self._known[p] for p in identity.profiles if p in self._known]
        return is_shared([(p.store, p.is_visitor) for p in members], self._most)

    def is_visitor(self, profile: int) -> bool:
        return profile in self._known and self._known[profile].is_visitor

    def is_somebody(self, group: "_Group", people: Collection[int]) -> bool:
        """Whether anything but devices tells who this is; ``people`` have an identity that is no device."""
        return any(p in people or not self.is_visitor(p) for p in group.profiles)

    def join_by_word(self, pair: Pair) -> None:
        """Staff's 'these are one' outranks every guard but their 'these are two'."""
        groups = self.of((pair.low, pair.high))
        if not self._is_forbidden(groups):
            self._join(groups)

    def name_people(self) -> None:
        """From here on each group is one person with all the names that their profiles have."""
        for group in {id(g): g for g in self._group.values()}.values():
            group.people = {frozenset(group.names)} if group.has_orders and group.names else set()

    def join_by_identity(self, groups: list[_Group]) -> None:
        """All of them or, where a guard is against that, only those who also share a name: who may be either is nobody's guess."""
        if len(groups) > 1 and not self.join_if_allowed(groups):
            for alike in _alike(groups):
                self.join_if_allowed(alike)

    def join_if_allowed(self, groups: Sequence[_Group]) -> bool:
        """False, and nothing done, where a guard is against it."""
        if self._is_forbidden(groups) or self._guard(groups):
            return False
        self._join(groups)
        return True

    def cases(self, identities: Iterable[Identity]) -> list[Case]:
        """The groups that an identity leads to and that are still apart, without staff having said so."""
        found: dict[tuple[int, int], Case] = {}
        for identity in identities:
            groups = self.of(identity.profiles)
            open_pairs = ([a, b] for a, b in combinations(groups, 2) if not self._is_forbidden([a, b]))
            otherwise = Reason.SIZE if self._guard(groups) == Reason.SIZE else Reason.EITHER
            for pair in islice(open_pairs, MOST_CASES):
                low, high = sorted(min(group.profiles) for group in pair)
                found.setdefault((low, high), Case(low, high, identity.id, self._guard(pair) or otherwise))
        return sorted(found.values())

    def as_sets(self) -> list[frozenset[int]]:
        groups = {id(group): group for group in self._group.values()}
        return sorted((frozenset(group.profiles) for group in groups.values()), key=min)

    def _guard(self, groups: Sequence[_Group]) -> Reason | None:
        people = {names for group in groups for names in group.people}
        if any(contradict(a, b) for a, b in combinations(people, 2)):
            return Reason.NAMES
        counted = [group.stores for group in groups if group.stores]
        is_large = len(counted) > 1 and max(sum(counted, Counter[int | None]()).values()) > self._most
        return Reason.SIZE if is_large else None

    def _is_forbidden(self, groups: Sequence[_Group]) -> bool:
        if not self._forbidden:
            return False
        profiles = {p: id(group) for group in groups for p in group.profiles}
        return any(q in profiles for p in profiles for q in self._forbidden.get(p, ()))

    def _join(self, groups: Sequence[_Group]) -> None:
        if len(groups) < 2:
            return
        largest = max(groups, key=lambda group: len(group.profiles))
        for group in groups:
            if group is not largest:
                largest.profiles |= group.profiles
                largest.stores += group.stores
                largest.has_orders |= group.has_orders
                largest.names |= group.names
                largest.people |= group.people
                self._group.update(dict.fromkeys(group.profiles, largest))


def _group_of(profile: Profile) -> _Group:
    stores = Counter[int | None]() if profile.is_visitor else Counter([profile.store])
    return _Group({profile.id}, stores, profile.has_orders, set(profile.names))


def _alike(groups: Sequence[_Group]) -> list[list[_Group]]:
    """Those that are joined by a name in common, over others too; whoever has no name is with nobody."""
    classes: list[list[_Group]] = []
    for group in (g for g in groups if any(g.names)):
        near = [some for some in classes if any(_share_a_name(group, other) for other in some)]
        classes = [some for some in classes if some not in near] + [[*(g for some in near for g in some), group]]
    return classes


def _share_a_name(one: _Group, other: _Group) -> bool:
    return any(may_be_one(a, b) for a in one.names if a for b in other.names if b)


def _devices(devices: Sequence[Identity], groups: _Groups) -> list[list[_Group]]:
    """Devices that visitors tie together, as one: whoever was there."""
    tied: dict[int, set[int]] = {}
    for device in devices:
        visitors = [p for p in device.profiles if groups.is_visitor(p)]
        whole = set(device.profiles).union(*(tied[v] for v in visitors if v in tied))
        tied |= {p: whole for p in whole if groups.is_visitor(p)}
    wholes = {id(whole): whole for whole in tied.values()}
    return [groups.of(whole) for whole in sorted(wholes.values(), key=lambda some: min(map(groups.key, some)))]
