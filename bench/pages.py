"""Staff pages of a shop with a million customers: server time from the request to the last byte, with its database
queries.

In this process, through Django's whole stack (middleware, gate, templates), signed in as the owner; no network and no
browser. There is no limit to hold it against, only the goal.
"""

import re
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from django.conf import settings
from django.core.management import call_command
from django.test import Client

from bench import Figure, Scale
from bench.crowd import AT, Crowd, fill
from regulars.foundation.access.models import StaffMember
from regulars.foundation.access.operations import create_staff
from regulars.foundation.access.rules import Role
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.ids import to_public
from regulars.insight.segments.operations import refresh
from regulars.record.customers.models import Customer

_CUSTOMERS = 1_000_000
_GOAL_MS = 200.0
_ROUNDS = 30
_WORDS = ("em", "oli", "smi", "mue", "jack", "papa", "hannah.s", "geo", "al", "whit")


@dataclass(frozen=True)
class Page:
    """One kind of page and the addresses that stand for it."""

    name: str
    addresses: Callable[[Random], Iterator[str]]


def run(scale: Scale) -> list[Figure]:
    """p95 of each kind of page, the slowest first."""
    settings.ALLOWED_HOSTS = ["*"]
    call_command("collectstatic", interactive=False, verbosity=0)
    began = time.perf_counter()
    crowd = fill(scale.of(_CUSTOMERS, 1_000), scale.seed)
    filled = time.perf_counter()
    refresh(AT)
    refreshed = time.perf_counter()
    client = _signed_in()
    figures = [_measure(client, page, scale) for page in _pages(crowd)]
    return [
        Figure(
            "Pages: customers in the shop",
            crowd.customers,
            "customers",
            note=f"{crowd.orders:,} orders, made in {filled - began:.0f} s",
        ),
        Figure("Pages: first RFM and all segments of that shop", refreshed - filled, "s"),
        *sorted(figures, key=lambda figure: -figure.value),
    ]


def _pages(crowd: Crowd) -> list[Page]:
    def fixed(address: str) -> Callable[[Random], Iterator[str]]:
        return lambda chance: iter([address] * _ROUNDS)

    def customers(chance: Random) -> Iterator[str]:
        ids = [chance.randint(1, crowd.customers) for _ in range(_ROUNDS)]
        return (
            f"/customers/{to_public('cus', uid)}"
            for uid in Customer.objects.filter(id__in=ids).values_list("uid", flat=True)
        )

    def searched(start: str) -> Callable[[Random], Iterator[str]]:
        return lambda chance: (f"{start}{chance.choice(_WORDS)}" for _ in range(_ROUNDS))

    return [
        Page("home", fixed("/")),
        Page("customers", fixed("/customers")),
        Page("customers of a country", fixed("/customers?country=DE")),
        Page("customers by what they typed", searched("/customers?q=")),
        Page("one customer", customers),
        Page("orders", fixed("/orders")),
        Page("products", fixed("/products")),
        Page("segments", fixed("/segments")),
        Page("search", searched("/search?q=")),
    ]


def _measure(client: Client, page: Page, scale: Scale) -> Figure:
    times: list[float] = []
    for address in page.addresses(Random(scale.seed)):  # noqa: S311
        began = time.perf_counter()
        answer = client.get(address)
        times.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            return Figure(
                f"Pages: {page.name}, p95",
                0,
                "ms",
                note=f"answered {answer.status_code}: {re.sub('[0-9]{4,}', '…', address)}",
            )
    times = times[1:]  # the first compiles templates
    p95 = statistics.quantiles(times, n=20)[-1]
    note = f"median {statistics.median(times):.0f} ms, slowest {max(times):.0f} ms"
    return Figure(f"Pages: {page.name}, p95", p95, "ms", goal=f"under {_GOAL_MS:.0f} ms", note=note)


def _signed_in() -> Client:
    member, _ = create_staff("bench@volume.example", Role.OWNER, SYSTEM, AT)
    client = Client(raise_request_exception=False)
    client.force_login(StaffMember.objects.get(pk=member.pk))
    return client
