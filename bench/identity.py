"""A million events of people of whom every fifth says something new of who they are: a device, a sign-in, a mail address.

One event is one person as a source names them, handed to the record in batches of a thousand, each batch one committed transaction.
What is measured is who is who: finding and making profiles, storing the evidence sealed, joining customers, refreshing their cards.
"""

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

import psutil

from bench import Figure, Scale
from regulars.foundation.shop.models import Brand, Store
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.operations import ensure_profiles
from regulars.record.events.log import transaction

_EVENTS = 1_000_000
_BATCH = 1_000
_GOAL = "1 million events in 3 minutes, linear"
_START = datetime(2026, 1, 1, tzinfo=UTC)
# Of a hundred events: a new device, a sign-in on one that was there before, a mail address, the same one at the till; the others repeat.
_DEVICE, _SIGN_IN, _MAIL, _TILL = 8, 16, 18, 20


def run(scale: Scale) -> list[Figure]:
    """Seconds at a quarter, a half and the whole; the last quarter beside the first; memory."""
    brand = Brand.objects.create(name="Bench", from_name="Bench", from_address="bench@volume.example")
    store = Store.objects.create(code="bench", name="Bench", brand=brand, currency="GBP")
    total = scale.of(_EVENTS, 8 * _BATCH)
    events = _events(random.Random(scale.seed), store)  # noqa: S311  the same volume again
    marks: list[float] = []
    memory: list[float] = []
    began = time.perf_counter()
    for _ in range(4):
        for _ in range(max(1, total // 4 // _BATCH)):
            with transaction("bench", "identity") as log:
                ensure_profiles(list(islice(events, _BATCH)), log)
        marks.append(time.perf_counter() - began)
        memory.append(psutil.Process().memory_info().rss / 2**20)
    quarter, half, _, whole = marks
    last = whole - marks[2]
    return [
        Figure(f"Identity: {total // 4:,} events, 20 % new links", quarter, "s"),
        Figure(f"Identity: {total // 2:,} events", half, "s"),
        Figure(f"Identity: {total:,} events", whole, "s", goal=_GOAL, note=f"{total / whole:,.0f} a second"),
        Figure("Identity: the last quarter beside the first", last, "s", quarter, last / quarter, "linear: 1"),
        Figure(
            "Identity: memory at the end", memory[3], "MB", memory[0], memory[3] / memory[0], "flat: as after a quarter"
        ),
    ]


def _events(dice: random.Random, store: Store) -> Iterator[PersonInput]:
    """Without end, the same for the same seed."""
    devices = people = mails = tills = number = 0
    while True:
        number += 1
        draw = dice.randrange(100)
        said: tuple[IdentityInput, ...]
        if draw < _DEVICE or not people * devices:
            devices += 1
            said = (_device(devices),)
            people = max(people, 1)
        elif draw < _SIGN_IN and people < devices:
            people += 1
            said = (_user(people), _device(people))
        elif draw < _MAIL and mails < people:
            mails += 1
            said = (_user(mails), _mail(mails))
        elif draw < _TILL and tills < mails:
            tills += 1
            said = (IdentityInput(IdentityKind.STORE_CUSTOMER, str(tills), "bench"), _mail(tills))
        else:
            someone = dice.randint(1, people)
            said = (_user(someone),) if dice.random() < 0.5 else (_device(someone),)
        yield PersonInput(said, _START + timedelta(seconds=number), store.pk, evidence="server key")


def _device(number: int) -> IdentityInput:
    return IdentityInput(IdentityKind.ANONYMOUS_ID, f"device-{number}", "bench")


def _user(number: int) -> IdentityInput:
    return IdentityInput(IdentityKind.USER_ID, f"user-{number}", "bench")


def _mail(number: int) -> IdentityInput:
    return IdentityInput(IdentityKind.EMAIL, f"person{number}@volume.example")
