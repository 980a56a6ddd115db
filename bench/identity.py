"""A million events of people of whom every fifth says something new of who they are: a device, a sign-in, a mail address.

One event is one person as a source names them, handed to the record in batches of a thousand, each batch one committed transaction.
What is measured is who is who: finding and making profiles, storing the evidence sealed, joining customers, refreshing their cards.
"""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

import psutil
from django.db import connection

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


@dataclass(frozen=True)
class _Quarter:
    """What a quarter of the events took. Processor time in seconds, of this process and of its server process."""

    seconds: float
    python: float
    postgresql: float
    megabytes: float


def run(scale: Scale) -> list[Figure]:
    """Seconds at a quarter, a half and the whole; the last quarter beside the first; processor time of an event; memory."""
    brand = Brand.objects.create(name="Bench", from_name="Bench", from_address="bench@volume.example")
    store = Store.objects.create(code="bench", name="Bench", brand=brand, currency="GBP")
    total = scale.of(_EVENTS, 8 * _BATCH)
    batches = max(1, total // 4 // _BATCH)
    events = _events(random.Random(scale.seed), store)  # noqa: S311  the same volume again
    quarters = [_tell(events, batches) for _ in range(4)]
    first, *_, last = quarters
    whole = sum(q.seconds for q in quarters)
    return [
        Figure(f"Identity: {total // 4:,} events, 20 % new links", first.seconds, "s"),
        Figure(f"Identity: {total // 2:,} events", sum(q.seconds for q in quarters[:2]), "s"),
        Figure(f"Identity: {total:,} events", whole, "s", goal=_GOAL, note=f"{total / whole:,.0f} a second"),
        _compared("Identity: the last quarter beside the first", last.seconds, first.seconds, "s", "linear: 1"),
        *(
            _compared(
                f"Identity: processor time of an event, {name}",
                getattr(last, name) / batches / _BATCH * 1e6,
                getattr(first, name) / batches / _BATCH * 1e6,
                "us",
                "last quarter beside the first",
            )
            for name in ("python", "postgresql")
        ),
        _compared("Identity: memory at the end", last.megabytes, first.megabytes, "MB", "flat: as after a quarter"),
    ]


def _compared(name: str, last: float, first: float, unit: str, goal: str) -> Figure:
    return Figure(name, last, unit, first, last / first, goal)


def _tell(events: Iterator[PersonInput], batches: int) -> _Quarter:
    """Making the events up is not counted."""
    own, server = psutil.Process(), psutil.Process(connection.connection.info.backend_pid)
    seconds = python = 0.0
    before = sum(server.cpu_times()[:2])
    for _ in range(batches):
        batch = list(islice(events, _BATCH))
        began, busy = time.perf_counter(), time.process_time()
        with transaction("bench", "identity") as log:
            ensure_profiles(batch, log)
        seconds += time.perf_counter() - began
        python += time.process_time() - busy
    return _Quarter(seconds, python, sum(server.cpu_times()[:2]) - before, own.memory_info().rss / 2**20)


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
