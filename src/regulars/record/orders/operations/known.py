"""What a long application has learnt already, so that its later batches need not ask again."""

from dataclasses import dataclass, field

from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.inputs import IdentityInput, PersonInput

MOST = 100_000


@dataclass
class Known:
    """People and variants of earlier batches of one application. Bounded; to be forgotten when a batch fails.

    A person is known only with what was said last, so that a contact that changes back is written again.
    """

    people: dict[IdentityInput, tuple[object, int]] = field(default_factory=dict)
    variants: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def find_profile(self, person: PersonInput) -> int | None:
        known = self.people.get(person.identities[0])
        return known[1] if known and known[0] == _said(person) else None

    def remember_profile(self, person: PersonInput, profile_id: int) -> None:
        if len(self.people) >= MOST:
            self.people.clear()
        self.people[person.identities[0]] = (_said(person), profile_id)

    def remember_variants(self, variants: dict[tuple[str, str, str], int]) -> None:
        if len(self.variants) + len(variants) > MOST:
            self.variants.clear()
        self.variants |= variants

    def forget(self) -> None:
        self.people.clear()
        self.variants.clear()


def _said(
    person: PersonInput,
) -> tuple[tuple[IdentityInput, ...], ContactCard | None, str, tuple[tuple[str, str], ...], tuple[str, ...], str]:
    attributes = tuple((name, repr(value)) for name, value in person.attributes.items())
    return (person.identities, person.contact, person.trust, attributes, person.tags, person.note)
