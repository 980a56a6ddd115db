"""Finding and making profiles, set-wise: the one way by which people come into the record."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import repeat
from operator import itemgetter

from regulars.foundation.bulk import execute
from regulars.foundation.errors import InvalidInput
from regulars.foundation.ids import new_uid
from regulars.foundation.vault import keys
from regulars.foundation.vault.rows import reserve_ids
from regulars.record.customers import events
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.inputs import PersonInput
from regulars.record.customers.models import Trust
from regulars.record.customers.operations import identities, staff
from regulars.record.customers.operations.cards import add_plain_cards, refresh_cards
from regulars.record.customers.operations.contacts import (
    ContactChange,
    differing_fields,
    newest_contacts,
    store_contacts,
)
from regulars.record.customers.operations.known import (
    Name,
    Person,
    find_known,
    find_named,
    with_identities,
)
from regulars.record.customers.operations.links import Evidence, Link, add_links, identity_rows, lock_identities
from regulars.record.customers.operations.names import add_names
from regulars.record.customers.queries import customers_of, read_own_attributes
from regulars.record.events.log import LogTransaction


class NoIdentity(InvalidInput):
    """A person needs at least one identity that means somebody: a mail address, a phone number or the shop's own number."""

    code = "no-identity"


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
    people = with_identities(inputs)
    if not all(person.identities for person in people):
        raise NoIdentity
    known = find_known(people)
    news = [person for person in people if not person.says_nothing_new(known)]
    if news:
        _take_in(news, known, log, is_history, buying)
    return [person.profile for person in people]


def _take_in(
    people: Sequence[Person], known: set[Link], log: LogTransaction, is_history: bool, buying: Collection[int]
) -> None:
    made = _find_or_make(people, known, log, is_history)
    joined = _add_links(people, known, log)
    told = _add_contacts(people, log, is_history)
    told |= _add_extras(people, log, is_history)
    joined |= add_names(_names(people), log)
    joined |= identities.add_buyers({p.profile for p in people if id(p.given) in buying}, log.batch_id)
    changed = identities.rearrange(joined, log, at=max(p.given.occurred_at for p in people))
    changed |= set(customers_of(told).values())
    add_plain_cards({customer: store for customer, store in made.items() if customer not in changed})
    refresh_cards(changed, made)


def _find_or_make(
    people: Sequence[Person], known: set[Link], log: LogTransaction, is_history: bool
) -> dict[int, int | None]:
    """Tells them what was not there yet of identities and profiles. The customers made for these, with the store of each."""
    rows = identity_rows({i for p in people for i, row in zip(p.identities, p.rows, strict=True) if not row})
    for person in people:
        person.rows = [row or rows[i] for i, row in zip(person.identities, person.rows, strict=True)]
    unknown = [person for person in people if not person.profile]
    if not unknown:
        return {}
    lock_identities({person.rows[0] for person in unknown})
    known |= find_named(unknown)  # another transaction may have made them meanwhile
    wanted: dict[Name, datetime] = {}
    for person in unknown:
        if not person.profile:
            wanted.setdefault(person.name, person.given.occurred_at)
    profiles, customers = _make(wanted, log, is_history)
    for person in unknown:
        person.profile = person.profile or profiles[person.name]
    return customers


_ADD_PROFILES = """
INSERT INTO customers_profile (id, named_by_id, store_id, occurred_at, batch_id)
SELECT id, identity_id, nullif(store_id, 0), occurred_at, %s
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[]) AS s(id, identity_id, store_id, occurred_at)
"""
_ADD_CUSTOMERS = """
INSERT INTO customers_customer (id, uid, created_at) SELECT * FROM unnest(%s::bigint[], %s::uuid[], %s::timestamptz[])
"""


def _make(
    wanted: Mapping[Name, datetime], log: LogTransaction, is_history: bool
) -> tuple[dict[Name, int], dict[int, int | None]]:
    """A profile of each name, and a customer of its own for it, with the store."""
    profiles = reserve_ids("customers_profile", len(wanted))
    customers = reserve_ids("customers_customer", len(wanted))
    times, stores = list(wanted.values()), [store for _, store in wanted]
    rows = [identity for identity, _ in wanted]
    execute(_ADD_PROFILES, [log.batch_id, profiles, rows, [store or 0 for store in stores], times])
    execute(_ADD_CUSTOMERS, [customers, [str(new_uid()) for _ in customers], times])
    identities.move_in(dict(zip(profiles, customers, strict=True)), log)
    keys.create_keys(profiles)
    log.append(*map(events.created, profiles, customers, times, stores, repeat(is_history)))
    return dict(zip(wanted, profiles, strict=True)), dict(zip(customers, stores, strict=True))


def _add_links(people: Iterable[Person], known: set[Link], log: LogTransaction) -> set[int]:
    """Stores what links are new. Profiles whose customer may have to be resolved again."""
    said = (
        Evidence(p.profile, row, identity.value, p.given.trust, p.given.evidence, p.given.occurred_at)
        for p in people
        for row, identity in zip(p.rows, p.identities, strict=True)
        if (p.profile, row, p.given.trust.value) not in known
    )
    return {one.profile for one in add_links(said, known, log) if one.trust == Trust.CONFIRMED}


def _names(people: Iterable[Person]) -> list[tuple[int, str]]:
    """What those who can be trusted call them."""
    trusted = [p for p in people if p.given.trust == Trust.CONFIRMED]
    return [(p.profile, p.given.contact.full_name) for p in trusted if p.given.contact]


def _add_contacts(people: Iterable[Person], log: LogTransaction, is_history: bool) -> set[int]:
    told: dict[int, list[tuple[datetime, ContactCard]]] = {}
    for person in people:
        if person.given.contact:
            told.setdefault(person.profile, []).append((person.given.occurred_at, person.given.contact))
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


def _add_extras(people: Iterable[Person], log: LogTransaction, is_history: bool) -> set[int]:
    """Attributes, tags and notes; news are rare, so they go one by one through the doors that staff use."""
    touched = set()
    owned = read_own_attributes({p.profile for p in people if p.given.attributes})
    for person in people:
        given, profile = person.given, person.profile
        own = owned.get(profile, {})
        new = {name: value for name, value in given.attributes.items() if name not in own or own[name] != value}
        if new or given.tags or given.note:
            staff.store_extras(profile, replace(given, attributes=new), log, is_history)
            touched.add(profile)
            owned[profile] = own | new
    return touched
