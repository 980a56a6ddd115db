"""What staff do to a customer by hand: contact data, attributes, tags, notes."""

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any

from regulars.foundation.errors import InvalidInput, NotFound
from regulars.foundation.ids import new_uid
from regulars.foundation.retrying import retried
from regulars.foundation.sealing import CannotOpen, Cell, seal
from regulars.foundation.shop.settings import read_setting
from regulars.foundation.vault import keys
from regulars.foundation.vault.rows import reserve_ids
from regulars.record.customers import events
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.identifiers import canonical_email, canonical_phone
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import AttributeClass, AttributeValue, IdentityKind, Note, Tag, TagEntry, Trust
from regulars.record.customers.operations.cards import refresh_cards
from regulars.record.customers.operations.contacts import (
    ContactChange,
    differing_fields,
    store_contacts,
)
from regulars.record.customers.operations.identities import resolve
from regulars.record.customers.operations.links import (
    Evidence,
    add_links,
    confirmed_links,
    identity_rows,
    links_between,
    lock_identities,
    lock_members,
)
from regulars.record.customers.operations.names import add_names
from regulars.record.customers.queries import (
    Stores,
    customer_of,
    customers_of,
    profiles_of,
    read_attributes,
    read_cards,
)
from regulars.record.customers.rules import WIDEST, guess_look, is_shared
from regulars.record.events import log as event_log
from regulars.record.events.log import LogTransaction

LONGEST_NOTE = 10_000
LONGEST_TAG = 60


class AddressOfAnother(InvalidInput):
    """This mail address or phone number is another customer's already, and would make one customer of two: nothing was changed."""

    code = "address-of-another"


@retried
def edit_contact(customer_id: int, card: ContactCard, staff_id: int, at: datetime, store_ids: Stores = None) -> None:
    """Replaces a customer's contact data as a whole: what is empty now is not known any more. A new address or number leads to
    this customer from then on, as staff confirmed it. Raises InvalidInput, AddressOfAnother, CannotOpen after an erasure.

    ``store_ids``: the stores that the editor is limited to; the change is then made to what these know.
    """
    if card.email and not canonical_email(card.email):
        raise InvalidInput(f"'{card.email}' is not a mail address", field="email")
    if card.phone and not canonical_phone(card.phone, card.country):
        raise InvalidInput(
            f"'{card.phone}' is not a phone number: write it with its country code, such as +44 20 7946 0000",
            field="phone",
        )
    with event_log.transaction("staff", str(staff_id)) as log:
        profile = _profile_to_write(customer_id, store_ids)
        # What is shown may be of another profile, so that is what the new card is compared with.
        fields = differing_fields(read_cards([customer_id], store_ids)[customer_id], card)
        if fields:
            _confirm_addresses(profile, card, fields, store_ids, log, at)
            store_contacts([ContactChange(profile, card, at, fields)], log, False)
            add_names([(profile, card.full_name)], log)
            resolve([profile], log, at)
            refresh_cards([customer_of(profile)])


def _profile_to_write(customer_id: int, store_ids: Stores = None) -> int:
    """The oldest profile that something can be kept of, locked. Raises CannotOpen for somebody who was erased."""
    for profiles in lock_members(profiles_of([customer_id], store_ids)).values():
        return profiles[0]
    raise CannotOpen("This person was erased: nothing can be kept about them any more")


def _confirm_addresses(
    profile: int, card: ContactCard, fields: Collection[str], store_ids: Stores, log: LogTransaction, at: datetime
) -> None:
    """An address that staff write down leads to this customer from now on. Raises AddressOfAnother."""
    said = {
        "email": IdentityInput(IdentityKind.EMAIL, canonical_email(card.email)),
        "phone": IdentityInput(IdentityKind.PHONE, canonical_phone(card.phone, card.country)),
    }
    rows = identity_rows([identity for name, identity in said.items() if name in fields and identity.value])
    lock_identities(rows.values())
    free = [identity for identity, row in rows.items() if not _leads_elsewhere(row, profile, store_ids)]
    known = links_between([(profile, rows[i]) for i in free])
    add_links([Evidence(profile, rows[i], i.value, Trust.CONFIRMED, "staff", at) for i in free], known, log)


def _leads_elsewhere(identity_id: int, profile: int, store_ids: Stores) -> bool:
    """Raises AddressOfAnother where staff may see whose it is. Of a customer whom they do not see they are told nothing: the
    address is kept as contact data then, and is no evidence, because that would make one customer of two unseen.
    """
    rows = confirmed_links().filter(identity=identity_id).values_list("profile_id", "profile__store")
    led = dict(rows[: WIDEST + 1])
    others = set(customers_of(led).values()) - {customer_of(profile)}
    most = int(read_setting("customers.most_profiles"))
    if not others or is_shared([(store, False) for store in led.values()], most):  # it joins nobody
        return False
    if profiles_of(others, store_ids):
        raise AddressOfAnother(field="email")
    return True


@retried
def set_tag(
    customer_ids: Collection[int], tag: str, is_on: bool, staff_id: int, at: datetime, store_ids: Stores = None
) -> int:
    """Puts a tag on these customers or takes it off; how many it changed. Events: customer.tagged or customer.untagged.

    ``store_ids``: the stores that the member of staff is limited to; the tag is then theirs alone.
    """
    name = tag.strip()
    if not name or len(name) > LONGEST_TAG:
        raise InvalidInput("A tag has 1 to 60 characters")
    with event_log.transaction("staff", str(staff_id)) as log:
        row, _ = Tag.objects.get_or_create(name=name)
        members = lock_members(profiles_of(customer_ids, store_ids))
        tagged = _tagged({p for some in members.values() for p in some}, row)
        chosen = [customer for customer, some in members.items() if tagged.isdisjoint(some) == is_on]
        # put on once, taken off everywhere: a customer has a tag while any of its profiles has
        TagEntry.objects.bulk_create(
            TagEntry(profile_id=profile, tag=row, is_on=is_on, occurred_at=at, batch_id=log.batch_id)
            for customer in chosen
            for profile in (members[customer][:1] if is_on else members[customer])
        )
        log.append(*(events.tag_changed(members[c][0], c, at, name, is_on, False) for c in chosen))
        refresh_cards(chosen)
        return len(chosen)


def _tagged(profiles: Collection[int], tag: Tag) -> set[int]:
    latest = TagEntry.objects.filter(profile__in=profiles, tag=tag).order_by("profile_id", "-id").distinct("profile_id")
    return {entry.profile_id for entry in latest if entry.is_on}


@retried
def set_attribute(customer_id: int, name: str, value: Any, staff_id: int, at: datetime) -> None:
    """Sets one property (None: takes it away). Sealed unless staff classed its name as not personal."""
    with event_log.transaction("staff", str(staff_id)) as log:
        _store_attribute(_profile_to_write(customer_id), name, value, at, log, False)


def class_attribute(name: str, is_personal: bool) -> None:
    """Staff's decision on a property; it holds for values that arrive from now on, older ones stay sealed."""
    AttributeClass.objects.update_or_create(name=name, defaults={"is_personal": is_personal})


@retried
def add_note(customer_id: int, text: str, staff_id: int, at: datetime, store_ids: Stores = None) -> Note:
    """Raises InvalidInput for an empty or endless note. Event: customer.note_added.

    ``store_ids``: the stores that the member of staff is limited to, and whose staff then read it.
    """
    if not text.strip() or len(text) > LONGEST_NOTE:
        raise InvalidInput(f"A note has 1 to {LONGEST_NOTE:,} characters")
    with event_log.transaction("staff", str(staff_id)) as log:
        return _store_note(_profile_to_write(customer_id, store_ids), text.strip(), staff_id, at, log)


@retried
def remove_note(note: Note, staff_id: int, at: datetime) -> None:
    """Raises NotFound when it is already gone. Event: customer.note_removed."""
    with event_log.transaction("staff", str(staff_id)) as log:
        if not Note.objects.filter(id=note.id, removed_at=None).update(removed_at=at):
            raise NotFound("This note was already removed")
        log.append(events.note_removed(note.profile_id, customer_of(note.profile_id), at, note.id))


def store_extras(profile: int, given: PersonInput, log: LogTransaction, is_history: bool) -> None:
    """Attributes, tags and the note that came with a person from outside; what is already so changes nothing."""
    owner = customer_of(profile)
    own_store = None if given.store_id is None else [given.store_id]
    known = read_attributes(owner, own_store) if given.attributes else {}
    for name, value in given.attributes.items():
        if known.get(name) != value:
            _store_attribute(profile, name, value, given.occurred_at, log, is_history)
    for name in given.tags:
        tag, _ = Tag.objects.get_or_create(name=name.strip()[:60])
        if not _tagged([profile], tag):
            TagEntry.objects.create(
                profile_id=profile, tag=tag, is_on=True, occurred_at=given.occurred_at, batch_id=log.batch_id
            )
            log.append(events.tag_changed(profile, owner, given.occurred_at, tag.name, True, is_history))
    if given.note and not Note.objects.filter(profile_id=profile, staff_id=0).exists():
        _store_note(profile, given.note[:LONGEST_NOTE], 0, given.occurred_at, log)


def _store_attribute(profile: int, name: str, value: Any, at: datetime, log: LogTransaction, is_history: bool) -> None:
    if not name or len(name) > 120:
        raise InvalidInput("The name of a property has 1 to 120 characters")
    known, _ = AttributeClass.objects.get_or_create(name=name, defaults={"guess": guess_look(name, value)})
    is_clear = known.is_personal is False
    [row_id] = reserve_ids("customers_attributevalue", 1)
    cell = Cell("customers_attributevalue", "sealed", row_id)
    sealed = (
        None
        if is_clear or value is None
        else seal(keys.find_keys([profile])[profile], json.dumps(value).encode(), cell)
    )
    clear = value if is_clear else None
    AttributeValue.objects.create(
        id=row_id, profile_id=profile, name=name, clear=clear, sealed=sealed, occurred_at=at, batch_id=log.batch_id
    )
    log.append(events.attribute_set(profile, customer_of(profile), at, name, clear, is_history))


def _store_note(profile: int, text: str, staff_id: int, at: datetime, log: LogTransaction) -> Note:
    [row_id] = reserve_ids("customers_note", 1)
    sealed = seal(keys.find_keys([profile])[profile], text.encode(), Cell("customers_note", "text", row_id))
    note = Note.objects.create(
        id=row_id,
        uid=new_uid(),
        profile_id=profile,
        text=sealed,
        staff_id=staff_id,
        occurred_at=at,
        batch_id=log.batch_id,
    )
    log.append(events.note_added(profile, customers_of([profile])[profile], at, note.id))
    return note
