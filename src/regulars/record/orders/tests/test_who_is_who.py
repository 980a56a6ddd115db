"""The real record: whatever the order in which people identify themselves, order, are merged and split, they end as the same people."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.shop.settings import write_setting
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind, PossibleDuplicate, Trust
from regulars.record.customers.operations import decide_link, ensure_profiles, verify_cards
from regulars.record.customers.queries import customers_of
from regulars.record.customers.verify import differences
from regulars.record.events import log as event_log
from regulars.record.events.models import Event
from regulars.record.orders.inputs import LineInput, OrderInput
from regulars.record.orders.operations import apply_orders
from regulars.record.orders.operations.undo import undo_orders

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
NAMES = ("", "Ann Lee", "A. Lee", "Bob Lee")


def number(value: int) -> IdentityInput:
    return IdentityInput(IdentityKind.STORE_CUSTOMER, str(value), "uk")


def mail(value: int) -> IdentityInput:
    return IdentityInput(IdentityKind.EMAIL, f"{value}@x.example")


def device(value: int) -> IdentityInput:
    return IdentityInput(IdentityKind.ANONYMOUS_ID, f"device-{value}", "uk")


PEOPLE = (number(1), number(2), number(3), mail(1), device(1), device(2))


@dataclass(frozen=True)
class Shop:
    """One store, with a profile of each of PEOPLE."""

    store: int
    profiles: dict[IdentityInput, int]


Step = Callable[[Shop], None]


def identify(who: IdentityInput, others: Sequence[IdentityInput], name: str, trust: Trust) -> Step:
    def run(shop: Shop) -> None:
        with event_log.transaction("api") as log:
            contact = ContactCard(name=name) if name else None
            person = PersonInput((who, *others), AT, shop.store, trust, contact=contact)
            ensure_profiles([person, person], log)

    return run


def order(who: IdentityInput, key: int) -> Step:
    def run(shop: Shop) -> None:
        with event_log.transaction("api") as log:
            line = LineInput("A", "Mug", 1, Decimal(5))
            one = OrderInput(f"O{key}", AT, "GBP", (line,), PersonInput((who,), AT, shop.store))
            apply_orders([one], log, store_id=shop.store, at=AT)

    return run


def decide(one: IdentityInput, other: IdentityInput, is_same: bool, day: int) -> Step:
    def run(shop: Shop) -> None:
        verdict = "must-link" if is_same else "cannot-link"
        decide_link(shop.profiles[one], shop.profiles[other], verdict, 1, AT + timedelta(days=day))

    return run


known = st.sampled_from(PEOPLE)
steps = st.one_of(
    st.builds(
        identify,
        known,
        st.lists(st.sampled_from([*PEOPLE, mail(2), mail(3)]), max_size=2),
        st.sampled_from(NAMES),
        st.sampled_from([Trust.CONFIRMED, Trust.CONFIRMED, Trust.CONFIRMED, Trust.CLAIMED]),
    ),
    st.builds(order, st.sampled_from(PEOPLE[:4]), st.integers(1, 4)),
    st.tuples(known, known, st.booleans(), st.integers(0, 5)).filter(lambda d: d[0] != d[1]).map(lambda d: decide(*d)),
)


@pytest.fixture
def store() -> Store:
    brand = Brand.objects.create(name="b", from_name="b", from_address="b@shop.example")
    return Store.objects.create(code="uk", name="UK", brand=brand, currency="GBP")


def outcome(store: Store, wanted: Sequence[Step]) -> object:
    """Who is whom in the end, and what waits for staff, by the names of the profiles; nothing of it stays."""
    with transaction.atomic():
        write_setting("customers.most_profiles", 3, AT)
        with event_log.transaction("import") as log:
            profiles = ensure_profiles([PersonInput((one,), AT, store.pk) for one in PEOPLE], log)
        shop = Shop(store.pk, dict(zip(PEOPLE, profiles, strict=True)))
        for step in wanted:
            step(shop)
        assert verify_cards() == []
        assert differences() == []
        owners = customers_of(profiles)
        home = {p: frozenset(n for n, q in shop.profiles.items() if owners[q] == owners[p]) for p in profiles}
        waiting = {
            (frozenset((home[low], home[high])), kind, bytes(token), reason)
            for low, high, kind, token, reason in PossibleDuplicate.objects.values_list(
                "low_id", "high_id", "identity__kind", "identity__token", "reason"
            )
        }
        transaction.set_rollback(True)
    return frozenset(home.values()), waiting


@settings(max_examples=14, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(steps, min_size=3, max_size=8), st.data())
def test_the_same_people_whatever_the_order(store: Store, wanted: list[Step], data: st.DataObject) -> None:
    again = data.draw(st.permutations([*wanted, *wanted[:2]]))
    assert outcome(store, wanted) == outcome(store, again)


def test_an_order_that_is_undone_holds_nobody_apart_any_more(store: Store) -> None:
    with event_log.transaction("api") as log:
        people = [
            PersonInput((number(n), mail(1)), AT, store.pk, contact=ContactCard(name=name))
            for n, name in ((1, "Ann Lee"), (2, "Bob Lee"))
        ]
        one, other = ensure_profiles(people, log)
    assert len(set(customers_of([one, other]).values())) == 1
    batches = []
    for place, person in enumerate(people):
        with event_log.transaction("import") as log:
            line = LineInput("A", "Mug", 1, Decimal(5))
            apply_orders([OrderInput(f"O{place}", AT, "GBP", (line,), person)], log, store_id=store.pk, at=AT)
            batches.append(log.batch_id)
    owners = customers_of([one, other])
    assert owners[one] != owners[other]
    assert PossibleDuplicate.objects.values_list("low_id", "high_id", "reason").get() == (one, other, "names")
    with event_log.transaction("undo") as log:
        assert undo_orders(batches[1]).profiles == {other}


def test_the_number_of_statements_does_not_grow_with_the_people(store: Store) -> None:
    def count(start: int, size: int) -> int:
        people = [
            PersonInput((number(n), mail(n // 2)), AT, store.pk, contact=ContactCard(name=f"P {n}"))
            for n in range(start, start + size)
        ]
        before = len(connection.queries_log)
        connection.force_debug_cursor = True
        with event_log.transaction("api") as log:
            ensure_profiles(people, log)
        connection.force_debug_cursor = False
        return len(connection.queries_log) - before

    connection.queries_log.clear()
    assert count(100, 4) == count(1000, 60)


def test_who_orders_under_another_name_is_not_joined_for_a_moment_and_parted_again(store: Store) -> None:
    for place, name in enumerate(("Ann Lee", "Bob Lee")):
        person = PersonInput((number(place + 1), mail(1)), AT, store.pk, contact=ContactCard(name=name))
        with event_log.transaction("api") as log:
            line = LineInput("A", "Mug", 1, Decimal(5))
            apply_orders([OrderInput(f"O{place}", AT, "GBP", (line,), person)], log, store_id=store.pk, at=AT)
    assert not Event.objects.filter(kind__in=["customer.merged", "customer.split"]).exists()
    assert PossibleDuplicate.objects.count() == 1
