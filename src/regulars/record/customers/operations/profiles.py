"""Finding and making profiles, set-wise: the one way by which people come into the record."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

from django.db import connection

from regulars.foundation.errors import InvalidInput
from regulars.foundation.sealing import Cell, seal
from regulars.foundation.vault import keys
from regulars.foundation.vault.rows import reserve_ids
from regulars.record.customers import events
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.identifiers import canonical, identity_token
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import (
    Customer,
    CustomerProfile,
    Identity,
    IdentityLink,
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
from regulars.record.customers.queries import customers_of
from regulars.record.events.log import LogTransaction


class NoIdentity(InvalidInput):
    """A person needs at least one identity that means somebody: a mail address, a phone number or the shop's own number."""

    code = "no-identity"


@dataclass(frozen=True)
class _Person:
    """An input with its identities in canonical form, by their rows."""

    given: PersonInput
    identities: tuple[tuple[int, IdentityInput], ...]

    @property
    def names(self) -> int:
        return self.identities[0][0]


def ensure_profiles(inputs: Sequence[PersonInput], log: LogTransaction, *, is_history: bool = False) -> list[int]:
    """The profile of each input, made where it is new, with its identities, contact data, attributes, tags and note stored.

    Set-wise: the number of queries does not depend on the number of inputs. What is already known changes nothing. Confirmed
    identities that lead to several profiles make one customer of them. Raises NoIdentity. Events: customer.created,
    customer.contact_changed, customer.attribute_set, customer.tagged, customer.merged.
    """
    if not inputs:
        return []
    people = _with_identities(inputs)
    profiles, fresh = _find_or_make(people, log, is_history)
    _lock_profiles(set(profiles.values()) - fresh)
    touched = set(fresh)
    joined, linked = _add_links(people, profiles, log)
    touched |= linked
    touched |= _add_contacts(people, profiles, log, is_history)
    touched |= _add_extras(people, profiles, log, is_history)
    identities.resolve(joined, log, at=max(p.occurred_at for p in inputs))
    if touched:
        refresh_cards(customers_of(touched).values())
    return [profiles[p.names] for p in people]


def _with_identities(inputs: Sequence[PersonInput]) -> list[_Person]:
    kept = [[c for c in map(canonical, given.identities) if c] for given in inputs]
    if not all(kept):
        raise NoIdentity
    rows = _identity_rows({i for some in kept for i in some})
    return [_Person(g, tuple((rows[i], i) for i in some)) for g, some in zip(inputs, kept, strict=True)]


def _identity_rows(wanted: Iterable[IdentityInput]) -> dict[IdentityInput, int]:
    """Row of each identity, made where new; in sorted order, so that two transactions cannot lock each other out."""
    ring = keys.key_ring()
    tokens = {i: identity_token(ring, i) for i in wanted}
    ordered = sorted(tokens.items(), key=lambda pair: (pair[0].kind, pair[0].scope, pair[1]))
    columns: list[Any] = [[i.kind.value for i, _ in ordered], [i.scope for i, _ in ordered], [t for _, t in ordered]]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_identity (kind, scope, token) SELECT w.kind, w.scope, w.token"
            " FROM unnest(%s::text[], %s::text[], %s::bytea[]) AS w(kind, scope, token)"
            " LEFT JOIN customers_identity i ON (i.kind, i.scope, i.token) = (w.kind, w.scope, w.token)"
            " WHERE i.id IS NULL ON CONFLICT DO NOTHING",
            columns,
        )
        cursor.execute(
            "SELECT i.kind, i.scope, i.token, i.id FROM customers_identity i"
            " JOIN unnest(%s::text[], %s::text[], %s::bytea[]) AS w(kind, scope, token) USING (kind, scope, token)",
            columns,
        )
        found = {(kind, scope, bytes(token)): row for kind, scope, token, row in cursor.fetchall()}
    return {i: found[i.kind.value, i.scope, token] for i, token in tokens.items()}


def _find_or_make(people: Sequence[_Person], log: LogTransaction, is_history: bool) -> tuple[dict[int, int], set[int]]:
    """Profile by naming identity, and those that are new."""
    by_name = {p.names: p.given for p in reversed(people)}
    known = _profiles_named_by(by_name)
    if known.keys() == by_name.keys():
        return known, set()
    _lock_identities(by_name.keys() - known.keys())
    known = _profiles_named_by(by_name)  # another transaction may have made them meanwhile
    missing = [i for i in dict.fromkeys(p.names for p in people) if i not in known]
    rows = [
        Profile(named_by_id=i, store_id=by_name[i].store_id, occurred_at=by_name[i].occurred_at, batch_id=log.batch_id)
        for i in missing
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
    fresh = {p.named_by_id: p.id for p in rows}
    return known | fresh, set(fresh.values())


def _profiles_named_by(identity_ids: Collection[int]) -> dict[int, int]:
    return dict(Profile.objects.filter(named_by__in=identity_ids).values_list("named_by_id", "id"))


def _lock_identities(identity_ids: Collection[int]) -> None:
    """In key order, against deadlock: two transactions must not both make the profile that an identity names."""
    list(Identity.objects.select_for_update().filter(id__in=identity_ids).order_by("id").values_list("id", flat=True))


def _lock_profiles(profiles: Collection[int]) -> None:
    """What is said of one profile at the same time by two is written one after the other, so that neither word is lost."""
    if profiles:
        rows = Profile.objects.select_for_update(no_key=True).filter(id__in=profiles).order_by("id")
        list(rows.values_list("id", flat=True))


def _add_links(people: Sequence[_Person], profiles: dict[int, int], log: LogTransaction) -> tuple[set[int], set[int]]:
    """Stores what links are new. Profiles whose customer may have to be resolved again, and all profiles that got a link."""
    wanted = {(profiles[p.names], row, p.given.trust): (p, identity) for p in people for row, identity in p.identities}
    there = IdentityLink.objects.filter(profile__in={k[0] for k in wanted}).values_list(
        "profile_id", "identity_id", "trust"
    )
    new = sorted(wanted.keys() - {(p, i, Trust(t)) for p, i, t in there})
    if not new:
        return set(), set()
    plain = keys.find_keys(profile for profile, _, _ in new)
    ids = reserve_ids("customers_identitylink", len(new))
    rows = []
    for row_id, (profile, identity_id, trust) in zip(ids, new, strict=True):
        person, identity = wanted[profile, identity_id, trust]
        value = seal(plain[profile], identity.value.encode(), Cell("customers_identitylink", "value", row_id))
        rows.append(
            IdentityLink(
                id=row_id,
                profile_id=profile,
                identity_id=identity_id,
                trust=trust,
                evidence=person.given.evidence,
                value=value,
                occurred_at=person.given.occurred_at,
                batch_id=log.batch_id,
            )
        )
    IdentityLink.objects.bulk_create(rows, batch_size=5000, ignore_conflicts=True)
    return {profile for profile, _, trust in new if trust == Trust.CONFIRMED}, {profile for profile, _, _ in new}


def _add_contacts(
    people: Sequence[_Person], profiles: dict[int, int], log: LogTransaction, is_history: bool
) -> set[int]:
    told: dict[int, list[tuple[datetime, ContactCard]]] = {}
    for person in people:
        if person.given.contact:
            told.setdefault(profiles[person.names], []).append((person.given.occurred_at, person.given.contact))
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


def _add_extras(people: Sequence[_Person], profiles: dict[int, int], log: LogTransaction, is_history: bool) -> set[int]:
    """Attributes, tags and notes; they are rare, so they go one by one through the doors that staff use."""
    touched = set()
    for person in people:
        given, profile = person.given, profiles[person.names]
        if given.attributes or given.tags or given.note:
            staff.store_extras(profile, given, log, is_history)
            touched.add(profile)
    return touched
