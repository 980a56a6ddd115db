"""What two programs say of one person, order or product at the same moment: both words are kept, and the folds are right."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connections

from regulars.foundation.shop.models import Brand, Store
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import Customer, IdentityKind
from regulars.record.customers.operations import ensure_profiles, set_tag
from regulars.record.customers.operations.cards import verify_cards
from regulars.record.customers.queries import customer_of, customers_of, read_cards, tags_of
from regulars.record.events.log import LogTransaction, transaction
from regulars.record.orders.inputs import LineInput, OrderInput
from regulars.record.orders.models import CustomerFigures, Order
from regulars.record.orders.operations import apply_orders, verify_figures

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
Work = Callable[[LogTransaction], object]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def store() -> Store:
    brand = Brand.objects.create(name="b", from_name="b", from_address="b@shop.example")
    return Store.objects.create(code="uk", name="UK", brand=brand, currency="GBP")


def person(number: str, mail: str, **more: object) -> PersonInput:
    identities = (IdentityInput(IdentityKind.STORE_CUSTOMER, number, "uk"), IdentityInput(IdentityKind.EMAIL, mail))
    return PersonInput(identities, AT, **more)  # type: ignore[arg-type]


def write(work: Work) -> object:
    with transaction("api") as log:
        return work(log)


def at_once(first: Work, second: Work) -> None:
    """The second begins while the first has done its work and not yet committed; whoever waits, waits for that commit."""
    done, errors = threading.Event(), []

    def begin_second() -> None:
        try:
            done.wait(10)
            write(second)
        except Exception as error:  # noqa: BLE001  shown by the assertion below
            errors.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=begin_second)
    thread.start()

    def first_and_pause(log: LogTransaction) -> None:
        first(log)
        done.set()
        thread.join(0.3)

    write(first_and_pause)
    thread.join(20)
    assert errors == []


def order(store: Store, number: str, who: PersonInput) -> Work:
    said = OrderInput(number, AT, "GBP", (LineInput("A", "T", 1, Decimal(5)),), person=who)
    return lambda log: apply_orders([said], log, store_id=store.pk, at=AT)


def test_two_first_orders_of_a_new_person_for_a_new_product(store: Store) -> None:
    at_once(order(store, "1", person("7", "a@x.example")), order(store, "2", person("7", "a@x.example")))
    assert list(CustomerFigures.objects.values_list("order_count", "spent_minor")) == [(2, 1000)]
    assert Customer.objects.count() == 1
    assert (verify_figures(), verify_cards()) == ([], [])


def test_the_same_order_twice(store: Store) -> None:
    at_once(order(store, "1", person("7", "a@x.example")), order(store, "1", person("7", "a@x.example")))
    assert Order.objects.count() == 1
    assert verify_figures() == []


def test_two_words_of_one_person(store: Store) -> None:
    [profile] = ensure(person("7", "a@x.example"))
    at_once(
        lambda log: ensure_profiles([person("7", "a@x.example", contact=ContactCard(first_name="Ann"))], log),
        lambda log: ensure_profiles([person("7", "a@x.example", contact=ContactCard(city="Leeds"))], log),
    )
    card = read_cards([customer_of(profile)])[customer_of(profile)]
    assert (card.first_name, card.city) == ("Ann", "Leeds")


def test_two_tags(store: Store) -> None:
    [profile] = ensure(person("7", "a@x.example"))
    customer = customer_of(profile)
    at_once(
        lambda log: set_tag([customer], "one", True, 1, AT),
        lambda log: set_tag([customer], "two", True, 1, AT),
    )
    assert tags_of(customer) == ["one", "two"]
    assert verify_cards() == []


def test_two_links_of_one_chain_join_all_three(store: Store) -> None:
    profiles = ensure(*(person(str(n), f"m{n}@x.example") for n in range(1, 4)))
    at_once(
        lambda log: ensure_profiles([person("3", "m1@x.example")], log),
        lambda log: ensure_profiles([person("1", "m2@x.example")], log),
    )
    assert len(set(customers_of(profiles).values())) == 1
    assert verify_cards() == []


def ensure(*people: PersonInput) -> list[int]:
    with transaction("api") as log:
        return ensure_profiles(people, log)
