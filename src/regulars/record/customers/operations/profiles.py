"""Finding and making profiles, set-wise: the one way by which people come into the record."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import itemgetter

from regulars.foundation.bulk import fetch
from regulars.foundation.errors import InvalidInput
from regulars.foundation.shop.models import Store
from regulars.foundation.vault import keys
from regulars.record.customers import events
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.identifiers import canonical, region_of_zone
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import (
    Customer,
    CustomerProfile,
    IdentityKind,
    Profile,
    Trust,
)
from regulars.record.customers.operations import identities, staff
from regulars.record.customers.operations.cards import refresh_cards
from regulars.record.customers.operations.contacts import (
    ContactChange,
    differing_fields,
    newest_contacts,
    store_contacts,
)
from regulars.record.customers.operations.known import find_known
from regulars.record.customers.operations.links import (
    Evidence,
    add_links,
    identity_rows,
    lock_identities,
    lock_profiles,
)
from regulars.record.customers.operations.names import add_names
from regulars.record.customers.queries import customers_of, read_own_attributes
from regulars.record.events.log import LogTransaction


class NoIdentity(InvalidInput):
    """A person needs at least one identity that means somebody: a mail address, a phone number or the shop's own number."""

    code = "no-identity"


Name = tuple[int, int | None]  # row of the naming identity, and the store that says so


@dataclass(frozen=True)
class _Person:
    """An input with its identities in canonical form, by their rows."""

    given: PersonInput
    identities: tuple[tuple[int, IdentityInput], ...]

    @property
    def name(self) -> Name:
        return self.identities[0][0], self.given.store_id


def ensure_profiles(
    inputs: Sequence[PersonInput], log: LogTransaction, *, is_history: bool = False, buying: Collection[int] = ()
) -> list[int]:
    """The profile of each input, made where it is new, with its identities, contact data, attributes, tags and note stored.

    Set-wise: the number of queries does not depend on the number of inputs. What is already known changes nothing. Confirmed
    identities that lead to several profiles make one customer of them. Somebody who was erased and comes again is somebody
    new. Raises NoIdentity, and Overtaken where an erasure was faster: the caller's transaction is to be begun again
    (``foundation.retrying``). ``buying``: ``id()`` of the inputs whose first order this may be, so that the guards know it before
    anybody is joined. Events: customer.created, customer.contact_changed, customer.attribute_set, customer.tagged,
    customer.merged.
    """
    known = find_known(inputs)
    new = [given for place, given in enumerate(inputs) if place not in known]
    told = iter(_take_in(new, log, is_history, buying) if new else ())
    return [known[place] if place in known else next(told) for place in range(len(inputs))]


def _take_in(
    inputs: Sequence[PersonInput], log: LogTransaction, is_history: bool, buying: Collection[int]
) -> list[int]:
    people = _with_identities(inputs)
    profiles, fresh = _find_or_make(people, log, is_history)
    lock_profiles({p: identity for (identity, _), p in profiles.items() if p not in fresh})
    touched = set(fresh)
    joined = _add_links(people, profiles, log)
    touched |= _add_contacts(people, profiles, log, is_history)
    touched |= _add_extras(people, profiles, log, is_history)
    joined |= add_names(_names(people, profiles), log)
    joined |= identities.add_buyers({profiles[p.name] for p in people if id(p.given) in buying}, log.batch_id)
    changed = identities.rearrange(joined, log, at=max(p.occurred_at for p in inputs))
    refresh_cards({*changed, *customers_of(touched).values()})
    return [profiles[p.name] for p in people]


def _with_identities(inputs: Sequence[PersonInput]) -> list[_Person]:
    regions = _regions(inputs)
    kept = [[c for c in (canonical(i, regions[given.store_id]) for i in given.identities) if c] for given in inputs]
    if not all(kept):
        raise NoIdentity
    rows = identity_rows({i for some in kept for i in some})
    return [_Person(g, tuple((rows[i], i) for i in some)) for g, some in zip(inputs, kept, strict=True)]


def _regions(inputs: Sequence[PersonInput]) -> dict[int | None, str]:
    """Country of each store's shoppers, for numbers that come without one; asked only where there is a number."""
    told: dict[int | None, str] = {given.store_id: "" for given in inputs}
    if any(i.kind == IdentityKind.PHONE and not i.value.startswith("+") for given in inputs for i in given.identities):
        zones = Store.objects.filter(pk__in=[store for store in told if store]).values_list("pk", "time_zone")
        told |= {store: region_of_zone(zone) for store, zone in zones}
    return told


def _find_or_make(people: Sequence[_Person], log: LogTransaction, is_history: bool) -> tuple[dict[Name, int], set[int]]:
    """Profile by its name, and those that are new. One who names no store speaks of the oldest profile of that name."""
    by_name = {p.name: p.given for p in reversed(people)}
    known = _profiles_named(by_name)
    if known.keys() == by_name.keys():
        return known, set()
    lock_identities({identity for identity, _ in by_name.keys() - known.keys()})
    known = _profiles_named(by_name)  # another transaction may have made them meanwhile
    missing = [name for name in dict.fromkeys(p.name for p in people) if name not in known]
    rows = [
        Profile(
            named_by_id=identity,
            store_id=store,
            occurred_at=by_name[identity, store].occurred_at,
            batch_id=log.batch_id,
        )
        for identity, store in missing
    ]
    Profile.objects.bulk_create(rows)
    customers = Customer.objects.bulk_create([Customer(created_at=p.occurred_at) for p in rows])
    CustomerProfile.objects.bulk_create(
        [
            CustomerProfile(profile=p, customer=c, from_batch_id=log.batch_id)
            for p, c in zip(rows, customers, strict=True)
        ]
    )
    keys.create_keys(p.id for p in rows)
    for profile, customer in zip(rows, customers, strict=True):
        log.append(events.created(profile.id, customer.id, profile.occurred_at, profile.store_id, is_history))
    fresh = {(p.named_by_id, p.store_id): p.id for p in rows}
    return known | fresh, set(fresh.values())


_NAMED = "SELECT named_by_id, store_id, id FROM customers_profile WHERE named_by_id = ANY(%s) ORDER BY id DESC"


def _profiles_named(names: Collection[Name]) -> dict[Name, int]:
    found: dict[Name, int] = {}
    for identity, store, profile in fetch(_NAMED, [list({identity for identity, _ in names})]):
        found |= {(identity, store): profile, (identity, None): profile}
    return {name: found[name] for name in names if name in found}


def _add_links(people: Sequence[_Person], profiles: dict[Name, int], log: LogTransaction) -> set[int]:
    """Stores what links are new. Profiles whose customer may have to be resolved again."""
    said = [
        Evidence(profiles[p.name], row, identity.value, p.given.trust, p.given.evidence, p.given.occurred_at)
        for p in people
        for row, identity in p.identities
    ]
    return {one.profile for one in add_links(said, log) if one.trust == Trust.CONFIRMED}


def _names(people: Sequence[_Person], profiles: dict[Name, int]) -> list[tuple[int, str]]:
    """What those who can be trusted call them."""
    trusted = [p for p in people if p.given.contact and p.given.trust == Trust.CONFIRMED]
    return [(profiles[p.name], p.given.contact.full_name) for p in trusted if p.given.contact]


def _add_contacts(
    people: Sequence[_Person], profiles: dict[Name, int], log: LogTransaction, is_history: bool
) -> set[int]:
    told: dict[int, list[tuple[datetime, ContactCard]]] = {}
    for person in people:
        if person.given.contact:
            told.setdefault(profiles[person.name], []).append((person.given.occurred_at, person.given.contact))
    changes = [c for c in _changed_contacts(told) if c.fields]
    store_contacts(changes, log, is_history)
    return {c.profile_id for c in changes}


def _changed_contacts(told: dict[int, list[tuple[datetime, ContactCard]]]) -> Iterable[ContactChange]:
    """Newer news go over what is known, older news only fill its gaps."""
    newest = newest_contacts(told)
    for profile, news in told.items():
        ordered = sorted(news, key=itemgetter(0))
        before, at = newest.get(profile, (ContactCard(), ordered[0][0]))
        card = before
        for said_at, said in ordered:
            card = said.merged_over(card) if said_at >= at else card.merged_over(said)
            at = max(at, said_at)
        yield ContactChange(profile, card, at, differing_fields(before, card))


def _add_extras(
    people: Sequence[_Person], profiles: dict[Name, int], log: LogTransaction, is_history: bool
) -> set[int]:
    """Attributes, tags and notes; news are rare, so they go one by one through the doors that staff use."""
    touched = set()
    known = read_own_attributes({profiles[p.name] for p in people if p.given.attributes})
    for person in people:
        given, profile = person.given, profiles[person.name]
        own = known.get(profile, {})
        new = {name: value for name, value in given.attributes.items() if name not in own or own[name] != value}
        if new or given.tags or given.note:
            staff.store_extras(profile, replace(given, attributes=new), log, is_history)
            touched.add(profile)
            known[profile] = own | new
    return touched
