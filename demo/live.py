"""The last days come as a shop's connection would bring them: canonical inputs, as things that happen, not as history."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from demo.carts import Shelf, fill_carts
from demo.goods import Good
from demo.people import Person
from demo.shop import ZONE
from demo.source import Row as Cells
from regulars.connections.files.layouts import uci
from regulars.connections.files.layouts.base import Built, Columns, Reading
from regulars.connections.files.reading import Row, Unit
from regulars.connections.files.sniff import Format
from regulars.connections.files.values import Values
from regulars.foundation.shop.models import Store
from regulars.record.consent.inputs import ConsentInput
from regulars.record.consent.models import ConsentState
from regulars.record.consent.operations import record_consents
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.operations import ensure_profiles
from regulars.record.events import log as event_log
from regulars.record.events.log import LogTransaction
from regulars.record.orders.operations import Applied, apply_orders


@dataclass(frozen=True)
class Day:
    """What the made and the real record know of one day: the ledger's rows, who is new, who is known, what is on the shelves."""

    date: date
    rows: Sequence[Cells]
    new: Sequence[Person]
    known: Sequence[Person]
    goods: Sequence[Good]


def happen(header: Sequence[str], day: Day, store: Store, shift: timedelta, at: datetime) -> Applied:
    """One day of the shop: new people with what they said about mail, the day's orders and refunds, and the carts around them."""
    built = _read(header, day.rows, store, shift, at)
    with event_log.transaction("api", "demo") as log:
        add_people(day.new, store, shift, log)
        applied = apply_orders(
            built.orders, log, store_id=store.pk, at=at, refunds=built.refunds, adjustments=built.adjustments
        )
        shelf = Shelf(day.goods, [_person(p, store, shift) for p in day.known])
        midnight = _moved(datetime.combine(day.date, time(0)), shift)
        fill_carts(day.date, midnight, built.orders, applied.order_ids, shelf, store, log)
        return applied


def add_people(
    people: Sequence[Person], store: Store, shift: timedelta, log: LogTransaction, *, is_history: bool = False
) -> None:
    """Made people with what they said about mail."""
    ensure_profiles([_person(p, store, shift) for p in people], log, is_history=is_history)
    consents = [_consent(p, shift) for p in people if p.consent]
    record_consents(consents, store.brand_id, log, is_history=is_history)


def _read(header: Sequence[str], rows: Iterable[Cells], store: Store, shift: timedelta, at: datetime) -> Built:
    values = Values(Format("utf-8", ","), ZONE, store.currency, shift)
    reading = Reading(Columns(uci.LAYOUT.places(header)), values, store.pk, store.code, at)
    units: dict[str, Unit] = {}
    for cells in rows:
        units.setdefault(cells[0], Unit(cells[0], [])).rows.append(Row(0, cells))
    said = Built()
    for unit in units.values():
        one = uci.build(unit, reading)
        said.orders += one.orders
        said.refunds += one.refunds
        said.adjustments += one.adjustments
    return said


def _person(person: Person, store: Store, shift: timedelta) -> PersonInput:
    contact = ContactCard(
        first_name=person.first_name,
        last_name=person.last_name,
        email=person.email,
        company=person.company,
        street=person.street,
        city=person.city,
        postal_code=person.postal_code,
        country=person.country,
        language=person.language,
    )
    number = IdentityInput(IdentityKind.STORE_CUSTOMER, person.number, store.code)
    return PersonInput(
        (number, IdentityInput(IdentityKind.EMAIL, person.email)),
        _moved(person.first_at, shift),
        store.pk,
        contact=contact,
    )


def _consent(person: Person, shift: timedelta) -> ConsentInput:
    return ConsentInput(
        person.email, ConsentState(person.consent), _moved(person.consent_at, shift), person.consent_method
    )


def _moved(at: datetime, shift: timedelta) -> datetime:
    return (at + shift).replace(tzinfo=ZONE)
