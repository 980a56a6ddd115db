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
    Known,
    Name,
    Person,
    find_known,
    find_named,
    with_identities,
)
from regulars.record.customers.operations.links import Evidence, add_links, identity_rows, lock_identities
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
    news = [person for person in people if not known.says_nothing_new(person)]
    if news:
        _take_in(news, known, log, is_history, buying)
    return [known.profile(person) for person in people]


def _take_in(
    people: Sequence[Person], known: Known, log: LogTransaction, is_history: bool, buying: Collection[int]
) -> None:
    fresh = _find_or_make(people, known, log, is_history)
    joined = _add_links(people, known, log)
    told = _add_contacts(people, known, log, is_history)
    told |= _add_extras(people, known, log, is_history)
    joined |= add_names(_names(people, known), log)
    joined |= identities.add_buyers({known.profile(p) for p in people if id(p.given) in buying}, log.batch_id)
    changed = identities.rearrange(joined, log, at=max(p.given.occurred_at for p in people))
    changed |= set(customers_of(told).values())
    add_plain_cards({customer: store for customer, store in fresh.items() if customer not in changed})
    refresh_cards(changed, made=fresh)


def _find_or_make(
    people: Sequence[Person], known: Known, log: LogTransaction, is_history: bool
) -> dict[int, int | None]:
    """Adds what is not there yet of their identities and profiles. The customers made for these, with the store of each."""
    known.rows |= identity_rows({i for person in people for i in person.identities if i not in known.rows})
    unknown = [person for person in people if known.name(person) not in known.profiles]
    if not unknown:
        return {}
    lock_identities({known.rows[person.identities[0]] for person in unknown})
    find_named(unknown, known)  # another transaction may have made them meanwhile
    wanted: dict[Name, datetime] = {}
    for person in unknown:
        if known.name(person) not in known.profiles:
            wanted.setdefault(known.name(person), person.given.occurred_at)
    return _make(wanted, known, log, is_history) if wanted else {}


_ADD_PROFILES = """
INSERT INTO customers_profile (id, named_by_id, store_id, occurred_at, batch_id)
SELECT id, identity_id, nullif(store_id, 0), occurred_at, %s
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[]) AS s(id, identity_id, store_id, occurred_at)
"""
_ADD_CUSTOMERS = """
INSERT INTO customers_customer (id, uid, created_at) SELECT * FROM unnest(%s::bigint[], %s::uuid[], %s::timestamptz[])
"""


def _make(
    wanted: Mapping[Name, datetime], known: Known, log: LogTransaction, is_history: bool
) -> dict[int, int | None]:
    """A profile of each name, and a customer of its own for it."""
    profiles = reserve_ids("customers_profile", len(wanted))
    customers = reserve_ids("customers_customer", len(wanted))
    times, stores = list(wanted.values()), [store for _, store in wanted]
    rows = [identity for identity, _ in wanted]
    execute(_ADD_PROFILES, [log.batch_id, profiles, rows, [store or 0 for store in stores], times])
    execute(_ADD_CUSTOMERS, [customers, [str(new_uid()) for _ in customers], times])
    identities.move_in(dict(zip(profiles, customers, strict=True)), log)
    keys.create_keys(profiles)
    log.append(*map(events.created, profiles, customers, times, stores, repeat(is_history)))
    known.profiles |= dict(zip(wanted, profiles, strict=True))
    return dict(zip(customers, stores, strict=True))


def _add_links(people: Sequence[Person], known: Known, log: LogTransaction) -> set[int]:
    """Stores what links are new. Profiles whose customer may have to be resolved again."""
    said = (
        Evidence(
            known.profile(p),
            known.rows[identity],
            identity.value,
            p.given.trust,
            p.given.evidence,
            p.given.occurred_at,
        )
        for p in people
        for identity in p.identities
    )
    return {one.profile for one in add_links(said, known.links, log) if one.trust == Trust.CONFIRMED}


def _names(people: Sequence[Person], known: Known) -> list[tuple[int, str]]:
    """What those who can be trusted call them."""
    trusted = [p for p in people if p.given.contact and p.given.trust == Trust.CONFIRMED]
    return [(known.profile(p), p.given.contact.full_name) for p in trusted if p.given.contact]


def _add_contacts(people: Sequence[Person], known: Known, log: LogTransaction, is_history: bool) -> set[int]:
    told: dict[int, list[tuple[datetime, ContactCard]]] = {}
    for person in people:
        if person.given.contact:
            told.setdefault(known.profile(person), []).append((person.given.occurred_at, person.given.contact))
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


def _add_extras(people: Sequence[Person], known: Known, log: LogTransaction, is_history: bool) -> set[int]:
    """Attributes, tags and notes; news are rare, so they go one by one through the doors that staff use."""
    touched = set()
    owned = read_own_attributes({known.profile(p) for p in people if p.given.attributes})
    for person in people:
        given, profile = person.given, known.profile(person)
        own = owned.get(profile, {})
        new = {name: value for name, value in given.attributes.items() if name not in own or own[name] != value}
        if new or given.tags or given.note:
            staff.store_extras(profile, replace(given, attributes=new), log, is_history)
            touched.add(profile)
            owned[profile] = own | new
    return touched
