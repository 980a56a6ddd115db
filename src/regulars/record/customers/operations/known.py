"""What is known already of those whom a source tells of: their identities, the profiles that these name, and their links. Most whom
a busy shop tells of are known, and nothing new is said of them. Four statements, whatever their number.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from regulars.foundation.bulk import fetch
from regulars.foundation.shop.models import Store
from regulars.record.customers.identifiers import canonical, region_of_zone
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.operations.links import Link, find_identities, links_between, lock_profiles

Name = tuple[int, int | None]  # row of the naming identity, and the store that says so


@dataclass(slots=True)
class Person:
    """An input with its identities in canonical form, of which the first one names the profile; 0 is what is not there yet."""

    given: PersonInput
    identities: tuple[IdentityInput, ...]
    rows: list[int] = field(default_factory=list)
    profile: int = 0

    @property
    def name(self) -> Name:
        return self.rows[0], self.given.store_id

    def says_nothing_new(self, known: set[Link]) -> bool:
        given, trust = self.given, self.given.trust.value
        if not self.profile or given.contact or given.attributes or given.tags or given.note:
            return False
        return known.issuperset((self.profile, row, trust) for row in self.rows)


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


def find_known(people: Sequence[Person]) -> set[Link]:
    """Tells these people's rows and profiles where there are any, and gives their links. Raises as ``find_named``."""
    rows = find_identities({identity for person in people for identity in person.identities})
    for person in people:
        person.rows = [rows.get(identity, 0) for identity in person.identities]
    return find_named(people)


def find_named(people: Sequence[Person]) -> set[Link]:
    """Tells the profiles that these people's identities name, which are locked then, and gives their links. Raises Overtaken for
    one that was erased or undone meanwhile.
    """
    profiles = _profiles_named({person.rows[0] for person in people if person.rows[0]})
    for person in people:
        person.profile = profiles.get(person.name, 0)
    lock_profiles({person.profile: person.rows[0] for person in people if person.profile})
    return links_between({(p.profile, row) for p in people if p.profile for row in p.rows if row})


_NAMED = """
SELECT p.named_by_id, p.store_id, p.id FROM unnest(%s::bigint[]) AS i(id)
CROSS JOIN LATERAL (SELECT * FROM customers_profile WHERE named_by_id = i.id OFFSET 0) p ORDER BY p.id DESC
"""


def _profiles_named(identities: Collection[int]) -> dict[Name, int]:
    """One who names no store speaks of the oldest profile of that name."""
    found: dict[Name, int] = {}
    for identity, store, profile in fetch(_NAMED, [sorted(identities)]) if identities else ():
        found[identity, store] = found[identity, None] = profile
    return found
