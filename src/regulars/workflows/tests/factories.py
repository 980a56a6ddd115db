"""People, entries and a fact for tests of runs and messages."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from regulars.foundation.facts import FACTS, Answer, Fact, FactKind, Moment, Question
from regulars.foundation.shop.models import Brand, Store
from regulars.record.consent.inputs import ConsentInput
from regulars.record.consent.models import ConsentState
from regulars.record.consent.operations import record_consents
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.operations import ensure_profiles
from regulars.record.customers.queries import customers_of
from regulars.record.events import log as event_log
from regulars.record.events.log import Entry

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)

DEFINITION: dict[str, Any] = {
    "format": 1,
    "name": "Win back",
    "trigger": {"kind": "segment.entered", "segment": "at-risk"},
    "start": "wait",
    "nodes": {
        "wait": {"kind": "wait", "for": {"days": 3}, "next": "check"},
        "check": {
            "kind": "condition",
            "fact": "test.member",
            "with": {"segment": "at-risk"},
            "is": True,
            "yes": "mail",
            "no": "left",
        },
        "mail": {"kind": "send_mail", "template": "win-back", "next": "done"},
        "left": {"kind": "exit", "reason": "left the segment"},
        "done": {"kind": "exit", "reason": "completed"},
    },
}


def make_shop() -> Store:
    brand, _ = Brand.objects.get_or_create(
        name="Lantern & Co",
        defaults={
            "from_name": "Lantern & Co",
            "from_address": "hello@lantern.example",
            "postal_address": "1 Road\nLondon",
            "website": "https://lantern.example",
        },
    )
    return Store.objects.get_or_create(code="uk", defaults={"name": "UK", "brand": brand, "currency": "GBP"})[0]


def make_people(count: int, store: Store, *, consenting: bool = True, first: int = 1) -> list[tuple[int, int]]:
    """(customer, profile) of new people ``person<n>@people.example``."""
    numbers = range(first, first + count)
    people = [
        PersonInput(
            (IdentityInput(IdentityKind.EMAIL, f"person{n}@people.example"),),
            AT - 30 * DAY,
            store.id,
            contact=ContactCard(first_name=f"Person{n}", last_name="Test", email=f"person{n}@people.example"),
        )
        for n in numbers
    ]
    with event_log.transaction("import", "test") as log:
        profiles = ensure_profiles(people, log, is_history=True)
        if consenting:
            said = [
                ConsentInput(f"person{n}@people.example", ConsentState.GRANTED, AT - 30 * DAY, "checkout")
                for n in numbers
            ]
            record_consents(said, store.brand_id, log, is_history=True)
    owners = customers_of(profiles)
    return [(owners[p], p) for p in profiles]


def enter(
    people: Sequence[tuple[int, int]], at: datetime, segment: str = "at-risk", *, is_history: bool = False
) -> None:
    """These people enter a segment."""
    with event_log.transaction("system", "test") as log:
        for customer, profile in people:
            log.append(
                Entry("segment.entered", at, profile, customer, None, {"segment": segment}, is_history=is_history)
            )


@contextmanager
def membership(outside: set[int]) -> Iterator[None]:
    """Offers the fact 'test.member': everybody is a member but those in ``outside`` (customer ids)."""

    def read(customer_ids: Sequence[int], question: Question, moment: Moment) -> Mapping[int, Answer]:
        return {c: Answer(c not in outside, "test") for c in customer_ids}

    FACTS.register("test.member", Fact("test.member", "Is a member", FactKind.LOCAL, {"segment": "key"}, read))
    try:
        yield
    finally:
        FACTS._entries.pop("test.member")
