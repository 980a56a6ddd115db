"""A shop in which everything that the warehouse holds happens by chance, through the record's own doors."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.bulk import execute, fetch
from regulars.foundation.ids import new_uid
from regulars.foundation.shop.models import Brand, ExchangeRate, Store
from regulars.record.carts.inputs import CartInput, CartLineInput
from regulars.record.carts.operations import apply_carts
from regulars.record.catalog.inputs import ProductInput, VariantInput
from regulars.record.catalog.operations import apply_products
from regulars.record.consent.inputs import ConsentInput, SuppressionInput
from regulars.record.consent.models import ConsentState
from regulars.record.consent.operations import leave_alone, record_consents, record_suppressions
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import CustomerProfile, IdentityKind
from regulars.record.customers.operations import ensure_profiles
from regulars.record.customers.operations.erasure import erase_customer
from regulars.record.customers.operations.recording import HappeningInput, record_happening
from regulars.record.customers.operations.staff import class_attribute, set_attribute, set_tag
from regulars.record.events import log as event_log
from regulars.record.events.log import Entry
from regulars.record.lists.models import CustomerList
from regulars.record.lists.operations import put_on, take_off
from regulars.record.orders.inputs import LineInput, OrderInput, RefundInput
from regulars.record.orders.models import OrderStatus
from regulars.record.orders.operations import apply_orders
from regulars.record.own_events.models import DeclaredProperty

FILLED = {
    "carts",
    "consents",
    "rfm",
    "suppressions",
    "attributes",
    "contacts",
    "customer_profiles",
    "events",
    "identifiers",
    "left_alone",
    "list_members",
    "memberships",
    "order_lines",
    "own_events",
    "orders",
    "refunds",
    "tags",
}
_VALUES = (
    "gold",
    "12.5",
    7,
    True,
    ["a", "b"],
    "2024-02-29",
    "2023-02-29",
    "2025-05-01T10:00:00Z",
    "two\nlines",
    "",
    None,
    {"a": 1},
)
_SEGMENT = """
INSERT INTO segments_segment (uid, key, name, kind, definition, created_at, position, basis) VALUES (%s, %s, %s, 'rfm', '{}', %s, 0, '')
"""
_ENTERED = """
INSERT INTO segments_membership (segment_id, profile_id, customer_id, entered_at, is_initial, reason, batch_id)
SELECT s.id, %s, %s, %s, false, '{}', %s FROM segments_segment s WHERE s.key = %s
    AND NOT EXISTS (SELECT FROM segments_membership m WHERE m.segment_id = s.id AND m.customer_id = %s AND m.left_at IS NULL)
"""
_LEFT = """
UPDATE segments_membership SET left_at = %s, until_batch_id = %s
WHERE id = (SELECT min(id) FROM segments_membership WHERE left_at IS NULL)
"""
_SNAPSHOT = """
INSERT INTO rfm_rfmsnapshot (uid, kind, as_of, position, policy_version, scale, currency, cut_points, customers, left_out_orders,
    left_out_minor, unrated_orders, counts, computed_at)
VALUES (%s, %s, %s, 1, 0, 5, 'GBP', '{}', 0, 0, 0, 0, '{}', %s) RETURNING id
"""
_SCORE = """
INSERT INTO rfm_rfmscore (snapshot_id, customer_id, recency_days, frequency, monetary_minor, r, f, m, segment)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_SHELVES = (("Home", "Kitchen"), ("Home",), ("Garden",))


@dataclass
class World:
    """What there is, and until when it has happened."""

    store: Store
    now: datetime
    numbers: list[str] = field(default_factory=list)

    def customers(self) -> list[int]:
        rows = CustomerProfile.objects.filter(until_batch=None, profile__batch__source="import")
        return sorted(set(rows.values_list("customer_id", flat=True)))


def begin(chance: random.Random, now: datetime) -> World:
    brand = Brand.objects.create(name="Shop", from_name="Shop", from_address="shop@shop.example")
    world = World(Store.objects.create(code="main", name="Shop", brand=brand, currency="GBP"), now)
    ExchangeRate.objects.create(currency="EUR", reporting_currency="GBP", on=now.date(), rate=Decimal("0.8345"))
    for name in ("open", "personal"):
        class_attribute(name, name == "personal")
    for name, type_ in (
        ("price", "number"),
        ("product_id", "text"),
        ("won", "flag"),
        ("on", "day"),
        ("then", "moment"),
    ):
        DeclaredProperty.objects.create(
            event="played", name=name, type=type_, field=f"p_played_{name}", declared_at=now, ready_at=now
        )
    for key in ("vip", "asleep"):
        execute(_SEGMENT, [new_uid(), key, key, now])
        CustomerList.objects.create(key=key, name=key, created_at=now)
    return world


def live(world: World, chance: random.Random, step: int) -> None:
    """A day passes. On the third a rate changes and somebody is erased."""
    world.now += timedelta(days=1)
    _catalog(world, chance)
    with event_log.transaction("import") as log:
        ensure_profiles([_person(world, chance.randint(1, 8)) for _ in range(4)], log, is_history=True)
    _orders(world, chance, step)
    _carts(world, chance)
    _said(world, chance)
    _staff(world, chance)
    _segments(world, chance)
    publish_scores(world, chance, "monthly" if step % 2 else "nightly")
    _lists(world, random.Random(step))  # a chance of its own: whoever was erased must not be drawn by the others
    if step == 2:
        with event_log.transaction("staff") as log:
            ExchangeRate.objects.update(rate=Decimal("0.9"))
            log.append(Entry("money.changed", world.now, data={"what": ["rates"]}))
        erase_customer(chance.choice(world.customers()), SYSTEM, world.now)


def _person(world: World, number: int) -> PersonInput:
    mail = f"p{number}@ourmail.net"
    card = ContactCard(name=f"Pat {number}", email=mail, country="DE" if number % 2 else "", language="de")
    known = (IdentityInput(IdentityKind.EMAIL, mail), IdentityInput(IdentityKind.STORE_CUSTOMER, f"{number}", "main"))
    return PersonInput(known[number % 2 :], world.now, world.store.id, contact=card)


def _catalog(world: World, chance: random.Random) -> None:
    products = [
        ProductInput(
            f"p{n}", f"Product {n}", world.now, (VariantInput(f"s{n}"),), brand_name=chance.choice(["Acme", ""]),
            categories=(chance.choice(_SHELVES),) if chance.random() < 0.8 else (),
        )
        for n in range(3)
    ]  # fmt: skip
    with event_log.transaction("import") as log:
        apply_products(products, log, store_id=world.store.id, at=world.now)


def _orders(world: World, chance: random.Random, step: int) -> None:
    fresh = [f"{step}-{n}" for n in range(4)]
    world.numbers += fresh
    said = fresh + chance.sample(world.numbers, 2)
    orders = [_order(world, chance, number) for number in dict.fromkeys(said)]
    back = RefundInput(f"r{step}", world.now, "EUR", 333, order_number=chance.choice(world.numbers), reason="damaged")
    with event_log.transaction("import") as log:
        apply_orders(orders, log, store_id=world.store.id, at=world.now, refunds=[back])


def _order(world: World, chance: random.Random, number: str) -> OrderInput:
    lines = tuple(
        LineInput(f"s{n}", f"Product {n}", chance.randint(1, 3), Decimal("9.995"), f"p{n}", discount_minor=n)
        for n in chance.sample(range(4), 2)
    )
    return OrderInput(
        number,
        world.now,
        chance.choice(["GBP", "EUR", "USD"]),
        lines,
        person=_person(world, chance.randint(1, 8)) if chance.random() < 0.9 else None,
        discount_codes=chance.choice(["", "SPRING, Summer"]),
        discount_minor=5,
        status=chance.choice([OrderStatus.COMPLETED, OrderStatus.COMPLETED, OrderStatus.CANCELLED]),
    )


def _carts(world: World, chance: random.Random) -> None:
    carts = [
        CartInput(
            f"c{n}",
            world.now,
            "EUR",
            (CartLineInput("s1", "Product 1", chance.randint(1, 3), Decimal("9.99"), "p1"),)
            if chance.random() < 0.8
            else (),
            _person(world, n),
            is_checkout=chance.random() < 0.3,
        )
        for n in chance.sample(range(1, 6), 3)
    ]
    with event_log.transaction("api") as log:
        apply_carts(carts, log, store_id=world.store.id)


def _said(world: World, chance: random.Random) -> None:
    number = chance.randint(1, 8)
    mail = f"p{number}@ourmail.net"
    with event_log.transaction("import") as log:
        record_consents(
            [ConsentInput(mail, chance.choice(list(ConsentState)), world.now, "form")], world.store.brand_id, log
        )
        record_suppressions([SuppressionInput(mail, "bounce", world.now, is_on=chance.random() < 0.6)], log)
    odd = {"price": chance.choice(["9.99", 12, True, [1]]), "product_id": 7, "products": [{"product_id": "x"}, 3]}
    odd |= {"won": number > 4, "on": f"2026-02-2{number}", "then": f"2026-02-2{number}T00:30:00.25+02:00"}
    record_happening(HappeningInput("played", _person(world, number), world.now, odd), "tests")


def _staff(world: World, chance: random.Random) -> None:
    for customer in chance.sample(world.customers(), 2):
        set_tag([customer], "vip", chance.random() < 0.6, 1, world.now)
        set_attribute(customer, chance.choice(["open", "personal"]), chance.choice(_VALUES), 1, world.now)
        leave_alone([customer], chance.random() < 0.5, 1, world.now)


def _segments(world: World, chance: random.Random) -> None:
    """Somebody leaves a segment, two come into one. The floors above keep them: their tables are written as they write them."""
    with event_log.transaction("system") as log:
        execute(_LEFT, [world.now, log.batch_id])
        rows = CustomerProfile.objects.filter(until_batch=None).order_by("customer_id", "profile_id")
        owners = dict(rows.distinct("customer_id").values_list("customer_id", "profile_id"))
        for customer, profile in chance.sample(sorted(owners.items()), 2):
            execute(_ENTERED, [profile, customer, world.now, log.batch_id, chance.choice(["vip", "asleep"]), customer])


def _lists(world: World, chance: random.Random) -> None:
    """Somebody comes onto a list, and somebody goes from it; now and then the same in one transaction."""
    row = chance.choice(list(CustomerList.objects.order_by("pk")))
    profiles = sorted(CustomerProfile.objects.filter(until_batch=None).values_list("profile_id", flat=True))
    with event_log.transaction("staff") as log:
        put_on(row, chance.sample(profiles, 3), log, world.now)
        take_off(row, chance.sample(world.customers(), 1), log, world.now)


def publish_scores(world: World, chance: random.Random, kind: str) -> None:
    """A snapshot of RFM is published."""
    [[snapshot]] = fetch(_SNAPSHOT, [new_uid(), kind, world.now, world.now])
    for customer in world.customers():
        r, f, m, segment = (chance.randint(1, 5) for _ in range(4))
        execute(_SCORE, [snapshot, customer, chance.randint(0, 99), f, 100 * m, r, f, m, segment])
