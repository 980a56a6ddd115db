"""What is known already of those whom a source tells of: their identities, the profiles that these name, and their links. Most whom
a busy shop tells of are known, and nothing new is said of them. Four statements, whatever their number.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from regulars.foundation.bulk import fetch
from regulars.foundation.shop.models import Store
from regulars.record.customers.identifiers import canonical, region_of_zone
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.operations.links import Link, find_identities, links_between, lock_profiles

Name = tuple[int, int | None]  # row of the naming identity, and the store that says so


@dataclass(frozen=True, slots=True)
class Person:
    """An input with its identities in canonical form; the first one names the profile."""

    given: PersonInput
    identities: tuple[IdentityInput, ...]


@dataclass
class Known:
    """What is there of some people; whoever makes more of it adds to this."""

    rows: dict[IdentityInput, int]
    profiles: dict[Name, int]
    links: set[Link]

    def name(self, person: Person) -> Name:
        return self.rows[person.identities[0]], person.given.store_id

    def profile(self, person: Person) -> int:
        return self.profiles[self.name(person)]

    def says_nothing_new(self, person: Person) -> bool:
        given = person.given
        if given.contact or given.attributes or given.tags or given.note:
            return False
        profile = self.profiles.get((self.rows.get(person.identities[0], 0), given.store_id))
        trust = given.trust.value
        return profile is not None and all((profile, self.rows.get(i), trust) in self.links for i in person.identities)


def with_identities(inputs: Sequence[PersonInput]) -> list[Person]:
    """In canonical form; without any, where nothing of what is said means somebody."""
    regions = _regions(inputs)
    return [
        Person(given, tuple([c for i in given.identities if (c := canonical(i, regions[given.store_id]))]))
        for given in inputs
    ]


def _regions(inputs: Sequence[PersonInput]) -> dict[int | None, str]:
    """Country of each store's shoppers, for numbers that come without one; asked only where there is a number."""
    told: dict[int | None, str] = {given.store_id: "" for given in inputs}
    if any(i.kind == IdentityKind.PHONE and not i.value.startswith("+") for given in inputs for i in given.identities):
        zones = Store.objects.filter(pk__in=[store for store in told if store]).values_list("pk", "time_zone")
        told |= {store: region_of_zone(zone) for store, zone in zones}
    return told


def find_known(people: Sequence[Person]) -> Known:
    """What is there of these; their profiles are locked. Raises Overtaken for one that was erased or undone meanwhile."""
    known = Known(find_identities({i for person in people for i in person.identities}), {}, set())
    named = [person for person in people if person.identities[0] in known.rows]
    find_named(named, known)
    return known


def find_named(people: Collection[Person], known: Known) -> None:
    """Adds the profiles that these people's identities name, locked, with their links."""
    profiles = profiles_named({known.name(person) for person in people})
    lock_profiles({profile: identity for (identity, _), profile in profiles.items()})
    known.profiles |= profiles
    known.links |= links_between(_pairs(people, known))


def _pairs(people: Iterable[Person], known: Known) -> set[tuple[int, int]]:
    return {
        (profile, known.rows[identity])
        for person in people
        if (profile := known.profiles.get(known.name(person)))
        for identity in person.identities
        if identity in known.rows
    }


_NAMED = "SELECT named_by_id, store_id, id FROM customers_profile WHERE named_by_id = ANY(%s) ORDER BY id DESC"


def profiles_named(names: Collection[Name]) -> Mapping[Name, int]:
    """One who names no store speaks of the oldest profile of that name."""
    found: dict[Name, int] = {}
    for identity, store, profile in fetch(_NAMED, [sorted({identity for identity, _ in names})]):
        found[identity, store] = found[identity, None] = profile
    return {name: found[name] for name in names if name in found}
