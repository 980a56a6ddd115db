"""What shops say goes to the record's own operations; the record neither knows nor cares where it came from."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import TypeVar

from regulars.connections.base import events
from regulars.connections.base.models import Connection
from regulars.connections.base.platforms import PersonGone, Statements
from regulars.connections.base.requests import keep_requests
from regulars.record.carts.operations import apply_carts
from regulars.record.catalog.operations import apply_products, count_stock, remove_products
from regulars.record.consent.operations import record_consents, record_suppressions
from regulars.record.coupons.operations import apply_coupons, remove_coupons
from regulars.record.customers.identifiers import canonical
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.operations import ensure_profiles
from regulars.record.customers.queries import customers_of, find_profiles
from regulars.record.events.log import LogTransaction, event_key
from regulars.record.orders.operations import apply_orders, remove_orders

Said = TypeVar("Said")
Spoken = TypeVar("Spoken")


@dataclass
class Gained:
    """How much of what was said was news, and the profiles of everybody of whom something was said, by their naming identity."""

    new: int = 0
    changed: int = 0
    profiles: dict[IdentityInput, int] = field(default_factory=dict)

    def people(self, said: Statements) -> frozenset[int]:
        return frozenset(self.profiles[name] for name in _names(said) if name in self.profiles)


def write(said: Sequence[Statements], log: LogTransaction, row: Connection, is_history: bool, at: datetime) -> Gained:
    """Hands everything to the record, people first and what was deleted last; set-wise, whatever the number of statements."""
    for one in said:
        _drop_nameless(one)
    gained = Gained()
    ensure_profiles(_all(one.people for one in said), log, is_history=is_history)
    _write_catalog(said, log, row, is_history, at, gained)
    _write_orders(said, log, row, is_history, at, gained)
    apply_carts(_all(one.carts for one in said), log, store_id=row.store_id, is_history=is_history)
    gained.new += record_consents(_all(one.consents for one in said), row.store.brand_id, log, is_history=is_history)
    record_suppressions(_all(one.suppressions for one in said), log, is_history=is_history)
    _note_gone(_all(one.people_gone for one in said), row, log, is_history)
    keep_requests(_all(one.requests for one in said), row, log, at)
    gained.profiles = find_profiles({name for one in said for name in _names(one)}, row.store_id)
    return gained


def _note_gone(gone: Sequence[PersonGone], row: Connection, log: LogTransaction, is_history: bool) -> None:
    """Accounts that the shop deleted are noted in the log, once each, where they are known."""
    profiles = find_profiles({one.identity for one in gone}, row.store_id) if gone else {}
    owners = customers_of(profiles.values())
    news = {event_key(row.source, f"gone:{profiles[one.identity]}"): one for one in gone if one.identity in profiles}
    for key in log.claim(news):
        one = news[key]
        profile = profiles[one.identity]
        log.append(events.customer_gone(profile, owners.get(profile), row.platform, one.stated_at, is_history))


def _write_catalog(
    said: Sequence[Statements], log: LogTransaction, row: Connection, is_history: bool, at: datetime, gained: Gained
) -> None:
    store = row.store_id
    products = apply_products(_all(one.products for one in said), log, store_id=store, at=at, is_history=is_history)
    counted = count_stock(_all(one.stocks for one in said), log, store_id=store, is_history=is_history)
    coupons = apply_coupons(_all(one.coupons for one in said), log, store_id=store, at=at, is_history=is_history)
    gone = remove_products(_all(one.products_gone for one in said), log, store_id=store, at=at)
    gone += remove_coupons(_all(one.coupons_gone for one in said), log, store_id=store, at=at)
    gained.new += products.created + coupons.created
    gained.changed += products.updated + coupons.updated + counted + gone


def _write_orders(
    said: Sequence[Statements], log: LogTransaction, row: Connection, is_history: bool, at: datetime, gained: Gained
) -> None:
    orders, refunds = _all(one.orders for one in said), _all(one.refunds for one in said)
    if orders or refunds:
        done = apply_orders(orders, log, store_id=row.store_id, at=at, refunds=refunds, is_history=is_history)
        gained.new += done.created + done.refunds_created
        gained.changed += (
            done.updated
        )  # of a refund that is known, more is no news: webhooks hold less of it than pages
    gone = _all(one.orders_gone for one in said)
    if gone:
        gained.changed += remove_orders(gone, log, store_id=row.store_id, at=at)


def _all(lists: Iterable[Sequence[Said]]) -> list[Said]:
    return list(chain.from_iterable(lists))


def _names(said: Statements) -> set[IdentityInput]:
    """The identities that name the profiles of everybody who is spoken of: of each the first that means somebody."""
    spoken = [one.person for some in (said.orders, said.refunds, said.carts) for one in some]
    people = [*said.people, *filter(None, spoken)]
    return {name for person in people if (name := next(filter(None, map(canonical, person.identities)), None))}


def _drop_nameless(said: Statements) -> None:
    """Somebody of whom nothing is said that means a person (a placeholder for a mail address, a till) is nobody."""
    said.people = [person for person in said.people if _is_somebody(person)]
    said.orders = _without_nobodies(said.orders, lambda one: one.person, lambda one: replace(one, person=None))
    said.refunds = _without_nobodies(said.refunds, lambda one: one.person, lambda one: replace(one, person=None))
    said.carts = _without_nobodies(said.carts, lambda one: one.person, lambda one: replace(one, person=None))


def _without_nobodies(
    said: Sequence[Spoken], person: Callable[[Spoken], PersonInput | None], without: Callable[[Spoken], Spoken]
) -> list[Spoken]:
    return [without(one) if (who := person(one)) and not _is_somebody(who) else one for one in said]


def _is_somebody(person: PersonInput) -> bool:
    return any(canonical(identity) for identity in person.identities)
