"""A small made shop with everything that a page can show: long names, other scripts, guests, refunds, cancelled orders, tags and notes."""

import io
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from regulars.connections.files.operations import check_list, stage_list, take_copy
from regulars.connections.tracking.keys import create_key
from regulars.foundation.access.models import StaffMember
from regulars.foundation.access.rules import Role
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.doors import load_doors
from regulars.foundation.inbox.reading import read_source
from regulars.foundation.inbox.receiving import Arrival, receive
from regulars.foundation.shop.models import Brand, Store
from regulars.insight.segments.operations import refresh
from regulars.record.carts.inputs import CartInput, CartLineInput
from regulars.record.carts.operations import abandon_silent_carts, apply_carts, order_carts
from regulars.record.consent.inputs import ConsentInput
from regulars.record.consent.models import ConsentState
from regulars.record.consent.operations import leave_alone, record_consents
from regulars.record.coupons.inputs import CouponInput
from regulars.record.coupons.models import CouponKind
from regulars.record.coupons.operations import apply_coupons
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import Customer, IdentityKind, PossibleDuplicate
from regulars.record.customers.operations import add_note, ensure_profiles, set_tag
from regulars.record.customers.operations.decisions import decide, different_people
from regulars.record.customers.queries import customers_of
from regulars.record.events import log as event_log
from regulars.record.interest.inputs import ReviewInput, SearchInput, TriedCouponInput, WishInput
from regulars.record.interest.models import CouponStep
from regulars.record.interest.operations import apply_reviews, apply_searches, apply_tried_coupons, apply_wishes
from regulars.record.lists.operations import create_list, put_customers_on, take_customers_off
from regulars.record.orders.inputs import LineInput, OrderInput, RefundInput
from regulars.record.orders.models import FulfilmentStatus, Order, OrderStatus, PaymentStatus
from regulars.record.orders.operations import apply_orders
from regulars.record.own_events.operations import declare

PASSWORD = "correct horse battery"
OWNER = "ada@shop.example"
NAMES = [
    "Ada Lovelace",
    "Grace Hopper",
    "Ἑλένη Παπαδοπούλου",
    "ليلى الخطيب",
    "Wolfeschlegelsteinhausenbergerdorff Adolph Blaine Charles III",
    "Zoë O'Brien-Żółć",
    "Jo Li",
    "=HYPERLINK(1)",
]
GOODS = [
    "White hanging heart T-light holder",
    "Regency cakestand 3 tier",
    "Jumbo bag red retrospot",
    "Party bunting",
    "Lunch bag spaceboy design",
]
COUNTRIES = ["GB", "GB", "GB", "DE", "FR", "GR", "JO"]


@dataclass(frozen=True)
class Shop:
    """What was made."""

    store: Store
    owner: StaffMember
    orders: int
    customers: int


def make_shop(at: datetime, people: int = 45, seed: int = 7) -> Shop:
    """Two years of orders that end with ``at``, scored and segmented."""
    brand = Brand.objects.create(name="Acme", from_name="Acme", from_address="shop@acme.example")
    store = Store.objects.create(code="main", name="Main shop", brand=brand, time_zone="Europe/London", currency="GBP")
    owner = make_staff(OWNER, "Ada Lovelace", Role.OWNER)
    chance = random.Random(seed)
    orders = list(_orders(store, at, people, chance))
    for start in range(0, len(orders), 500):
        with event_log.transaction("import", "made") as log:
            apply_orders(orders[start : start + 500], log, store_id=store.pk, at=at, is_history=True)
    second = Store.objects.create(code="second", name="Zweites", brand=brand, time_zone="Europe/London", currency="GBP")
    more = [_order(n, at - timedelta(days=9 * n), _person(n, second, at), chance) for n in range(1, 9)]
    with event_log.transaction("import", "second") as log:
        apply_orders(more, log, store_id=second.pk, at=at, is_history=True)
    _fill_carts(store, at, chance)
    _give_coupons(store, at)
    _words_of_staff(owner, brand, at)
    _confuse(second, owner, at, chance)
    _track(store, owner, at)
    _want(store, at)
    _list_some(store, owner, at)
    refresh(at - timedelta(days=45), kind="monthly")
    refresh(at)
    return Shop(store, owner, len(orders) + len(more), Customer.objects.count())


def _list_some(store: Store, owner: StaffMember, at: datetime) -> None:
    """A list with some people on it, and an upload for it that waits for its decision."""
    row = create_list("Guests of the fair, whom nobody asked for their consent yet", owner.viewer(), at, key="fair")
    ids = list(Customer.objects.order_by("id").values_list("id", flat=True))
    put_customers_on(row, ids[:12], owner.viewer(), at - timedelta(days=2))
    take_customers_off(row, ids[3:5], owner.viewer(), at - timedelta(days=1))
    lines = b"person1@mail.example\nnobody.known@mail.example\nno address, but a long line that says much of nothing\n"
    staged = take_copy(io.BytesIO(lines), "guests of the fair.csv", at)
    check_list(stage_list(staged, row, store=store, takes_off=False, at=at, staff_id=owner.pk).pk, lambda: at)


def _confuse(store: Store, owner: StaffMember, at: datetime, chance: random.Random) -> None:
    """Others who order by the mail address of somebody known: two who wait for staff, one whom staff looked at."""
    names = {2: "Somebody Else", 3: "خالد منصور", 4: "Third Party"}
    for n, name in names.items():
        known = _person(n, store, at)
        contact = ContactCard(name=name, email=f"person{n}@mail.example", country="GB")
        number = IdentityInput(IdentityKind.STORE_CUSTOMER, str(500 + n), store.code)
        other = replace(known, identities=(number, known.identities[1]), contact=contact)
        with event_log.transaction("api", "confusing") as log:
            apply_orders([_order(90 + n, at - timedelta(days=n), other, chance)], log, store_id=store.pk, at=at)
    case = PossibleDuplicate.objects.order_by("pk").first()
    if case:
        customers = customers_of([case.low_id, case.high_id])
        sides = different_people(customers[case.low_id], customers[case.high_id])
        decide(sides, owner.viewer(), at - timedelta(days=1))


def _fill_carts(store: Store, at: datetime, chance: random.Random) -> None:
    """Some open, some at the checkout, some left behind; every fourth of somebody unknown."""
    carts = [
        CartInput(
            f"cart-{n}",
            touched := at - timedelta(hours=5 * n),
            "GBP",
            tuple(
                CartLineInput(f"SKU{g}", GOODS[g], 1 + n % 3, Decimal("4.95"), f"good-{g}") for g in range(n % 3 + 1)
            ),
            _person(n, store, touched) if n % 4 else None,
            is_checkout=n % 3 == 0,
            recovery_url=f"https://shop.example/cart/?regulars_cart={n}.0c1f7a5be8d94b6f8e2a4477b1c0d9aa",
        )
        for n in range(12)
    ]
    with event_log.transaction("api", "carts") as log:
        made = apply_carts(carts, log, store_id=store.pk, is_history=True)
    with event_log.transaction("silence", "carts") as log:
        abandon_silent_carts(log, at, timedelta(hours=24))
    order = Order.objects.filter(store=store).order_by("-placed_at").first()
    with event_log.transaction("api", "won back") as log:
        order_carts({made["cart-11"]: (order.pk if order else None, at - timedelta(hours=1))}, log, is_history=True)


def _give_coupons(store: Store, at: datetime) -> None:
    """One that many use, one that has run out, and one for somebody alone."""
    spring = CouponInput("SPRING10", CouponKind.PERCENT, Decimal(10), "GBP", Decimal(20), used=90)
    old = CouponInput("XMAS", CouponKind.FIXED, Decimal("7.50"), "GBP", expires_at=at - timedelta(days=300))
    own = CouponInput("BACK-7K3M9QZT4WXP", CouponKind.FREE_SHIPPING, usage_limit=1, person=_person(1, store, at))
    with event_log.transaction("shop", "coupons") as log:
        apply_coupons([spring, old, own], log, store_id=store.pk, at=at - timedelta(days=400))


def _track(store: Store, owner: StaffMember, at: datetime) -> None:
    """A key under which a visitor looked at something, finished a quiz, sent fields of another type, and calls that say nothing."""
    key, _ = create_key("Web shop", "browser", store.pk, SYSTEM, at)
    quiz = {"score": "7", "style": "boho", "won": True, "day": "2026-11-22", "mail": "v@mail.example", "tags": ["a"]}
    calls = [
        {"event": "Product Viewed", "anonymousId": "visitor", "properties": {"name": GOODS[0], "price": "4,95"}},
        {"event": "Product Viewed"},
        {"event": "Quiz Finished", "anonymousId": "visitor", "properties": quiz},
    ]
    declare("Quiz Finished", "score", "number", owner.viewer(), at, is_not_personal=True)
    bodies = [json.dumps(call).encode() for call in calls] + [b"no JSON"]
    receive([Arrival(key.source, "tracking", body, {":path": "track"}, store.pk) for body in bodies], at)
    load_doors("jobs")
    while read_source(key.source, at):
        pass


def _want(store: Store, at: datetime) -> None:
    """Somebody known has things on their wishlist, searched in two scripts, tried two coupons, and wrote reviews with and without words."""
    with event_log.transaction("tracking", "made") as log:
        [profile] = ensure_profiles([_person(0, store, at)], log)
        titles = [*GOODS, "A title without end " * 6]
        apply_wishes([WishInput(profile, at, "GBP", title=title, unit_price=Decimal("4.95")) for title in titles], log)
        apply_searches([SearchInput(profile, at, words) for words in ("Red mug", "red mug", "κούπα")], log)
        reviews = [(GOODS[0], Decimal("4.5"), "Sturdy, and the grandchildren love it."), ("unknown", None, "")]
        apply_reviews(
            [ReviewInput(profile, at, key, not body, key, rating, body) for key, rating, body in reviews], log
        )
        steps = {"SPRING10": CouponStep.APPLIED, "unknown": CouponStep.DENIED}
        apply_tried_coupons([TriedCouponInput(profile, at, *said) for said in steps.items()], log)


def make_staff(email: str, name: str, role: Role) -> StaffMember:
    member = StaffMember(email=email, name=name, role=role.value)
    member.set_password(PASSWORD)
    member.save()
    return member


def _orders(store: Store, at: datetime, people: int, chance: random.Random) -> Iterator[OrderInput]:
    number = 1000
    for n in range(people):
        placed = at - timedelta(days=chance.randint(1, 700), hours=chance.randint(0, 20))
        for _ in range(1 + int(chance.paretovariate(1.2)) % 14):
            number += 1
            yield _order(number, placed, _person(n, store, placed), chance)
            placed += timedelta(days=chance.randint(5, 90))
            if placed >= at:
                break
    for n in range(6):
        yield _order(number + 1 + n, at - timedelta(days=3 * n, hours=2), None, chance)
    line = LineInput("GOLD", "A very dear thing", 1, Decimal("1234567.89"), "gold")
    yield OrderInput(
        "BIG-1", at - timedelta(days=2), "GBP", (line,), _person(0, store, at - timedelta(days=2)), country="GB"
    )


def _person(n: int, store: Store, at: datetime) -> PersonInput:
    name = NAMES[n] if n < len(NAMES) else f"{chr(65 + n % 26)}lex Person {n}"
    email = f"person{n}@mail.example"
    first, _, last = name.rpartition(" ")
    country = COUNTRIES[n % len(COUNTRIES)]
    contact = ContactCard(
        first_name=first,
        last_name=last,
        email=email,
        city="Leeds",
        street="1 High Street",
        postal_code="LS1 4AP",
        country=country,
    )
    identities = (
        IdentityInput(IdentityKind.STORE_CUSTOMER, str(12000 + n), store.code),
        IdentityInput(IdentityKind.EMAIL, email),
    )
    return PersonInput(identities, at, store.pk, contact=contact)


def _order(number: int, placed: datetime, person: PersonInput | None, chance: random.Random) -> OrderInput:
    goods = chance.sample(range(len(GOODS)), chance.randint(1, 4))
    lines = tuple(
        LineInput(f"SKU{g}", GOODS[g], chance.randint(1, 9), Decimal(chance.randint(95, 2995)) / 100, f"good-{g}")
        for g in goods
    )
    refund = (RefundInput(f"R{number}", placed + timedelta(days=1), "GBP", 395),) if number % 17 == 0 else ()
    is_cancelled = number % 23 == 0
    return OrderInput(
        str(number),
        placed,
        "GBP",
        lines,
        person,
        shipping_minor=395,
        status=OrderStatus.CANCELLED if is_cancelled else OrderStatus.COMPLETED,
        cancelled_at=placed + timedelta(hours=3) if is_cancelled else None,
        payment_status=PaymentStatus.PENDING if number % 19 == 0 else PaymentStatus.PAID,
        fulfilment_status=FulfilmentStatus.UNFULFILLED if number % 19 == 0 else FulfilmentStatus.FULFILLED,
        country=person.contact.country if person and person.contact else "",
        discount_codes="SPRING10" if number % 7 == 0 else "",
        refunds=() if is_cancelled else refund,
    )


def _words_of_staff(owner: StaffMember, brand: Brand, at: datetime) -> None:
    ids = list(Customer.objects.order_by("id").values_list("id", flat=True))
    set_tag(ids[:9], "wholesale", True, owner.pk, at - timedelta(days=4))
    set_tag(ids[:2], "a tag that somebody made far too long to be of any use", True, owner.pk, at - timedelta(days=3))
    add_note(ids[0], "Rang about a late parcel.\nSorted out; likes to be called.", owner.pk, at - timedelta(hours=5))
    leave_alone([ids[3]], True, owner.pk, at - timedelta(days=1))
    said = [
        ConsentInput(
            f"person{n}@mail.example",
            ConsentState.DENIED if n % 5 == 4 else ConsentState.GRANTED,
            at - timedelta(days=200),
            "checkout",
        )
        for n in range(len(ids))
        if n % 7
    ]
    with event_log.transaction("import", "made") as log:
        record_consents(said, brand.pk, log, is_history=True)
