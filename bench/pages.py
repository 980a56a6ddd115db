"""Staff pages of a shop with a million customers: server time from the request to the last byte, with its database
queries.

In this process, through Django's whole stack (middleware, gate, templates), signed in as the owner; no network and no
browser. Before every request something is recorded, as in a shop that is open, so that no total is remembered from the
request before. There is no limit to hold it against, only the goal.
"""

import re
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from django.conf import settings
from django.core.management import call_command
from django.test import Client

from bench import Figure, Scale
from bench.crowd import fill, settle
from regulars.foundation.access.models import StaffMember
from regulars.foundation.access.operations import create_staff
from regulars.foundation.access.rules import Role
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.ids import to_public
from regulars.insight.rfm.operations import compute
from regulars.insight.rfm.queries import latest_snapshot
from regulars.insight.segments.operations import refresh
from regulars.record.customers.models import Customer
from regulars.record.events import log

_CUSTOMERS = 1_000_000
_GOAL_MS = 200.0
_ROUNDS = 20
_WORDS = ("em", "oli", "smi", "mue", "jack", "papa", "hannah.s", "geo", "al", "whit")


@dataclass(frozen=True)
class Page:
    """One kind of page and the addresses that stand for it, asked for in turn."""

    name: str
    addresses: Sequence[str]


def run(scale: Scale) -> list[Figure]:
    """p95 of each kind of page, the slowest first; of the shop that a run before kept, where there is one."""
    settings.ALLOWED_HOSTS = ["*"]
    call_command("collectstatic", interactive=False, verbosity=0)
    at = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    kept = latest_snapshot()
    made = [] if kept else _make(scale, at)
    customers, rounds = Customer.objects.count(), min(scale.of(_ROUNDS, 5), _ROUNDS)
    return [*made, *measure(customers, kept.as_of if kept else at, scale.seed, rounds)]


def _make(scale: Scale, at: datetime) -> list[Figure]:
    began = time.perf_counter()
    crowd = fill(scale.of(_CUSTOMERS, 1_000), scale.seed, at)
    filled = time.perf_counter()
    compute(at - timedelta(days=31), at)
    refresh(at)
    refreshed = time.perf_counter()
    settle()
    note = f"{crowd.orders:,} orders, made in {filled - began:.0f} s"
    return [
        Figure("Pages: customers in the shop", crowd.customers, "customers", note=note),
        Figure("Pages: RFM of two dates and the first segments of that shop", refreshed - filled, "s"),
    ]


def measure(customers: int, at: datetime, seed: int, rounds: int = _ROUNDS) -> list[Figure]:
    """The pages of a shop that is there, each asked for so many times."""
    client = _signed_in(at)
    found = [_measured(client, page, rounds) for page in _pages(customers, at, seed)]
    return sorted(found, key=lambda figure: -figure.value)


def _pages(customers: int, at: datetime, seed: int) -> list[Page]:
    return [
        Page("home, 30 days", ["/"]),
        Page("home, 13 weeks", ["/?days=91"]),
        Page("home, 52 weeks", ["/?days=364"]),
        Page("customers", ["/customers"]),
        *_lists("customers", ("last-order", "spent", "orders"), _customer_filters(at)),
        Page("customers by what they typed", [f"/customers?q={word}" for word in _WORDS]),
        Page("one customer", list(_some_customers(customers, seed))),
        Page("one customer with 2,000 orders", [f"/customers/{_public(1)}"]),
        Page("orders", ["/orders"]),
        *_lists("orders", ("placed", "total"), _order_filters(at)),
        Page("orders by number", [f"/orders?q=B{n}" for n in range(10, 20)]),
        Page("products", ["/products", "/products?sort=title", "/products?sort=-revenue"]),
        Page("products by what they typed", ["/products?q=12", "/products?q=product"]),
        Page("segments", ["/segments", "/segments/movement", "/segments/thresholds"]),
        Page("one segment", ["/segments/at-risk", "/segments/champions"]),
        Page("members of a segment", ["/segments/at-risk/members", "/segments/at-risk/members?state=now"]),
        Page("workflows", ["/workflows", "/workflows/win-back"]),
        Page("imports", ["/imports"]),
        Page("messages", ["/messages", "/messages?state=sent", "/messages?state=skipped"]),
        Page("search over everything", [f"/search?q={word}" for word in _WORDS]),
    ]


def _lists(name: str, sorts: Sequence[str], filters: dict[str, str]) -> list[Page]:
    """Each sort both ways, and each filter."""
    sorted_ = [Page(f"{name} sorted by {sort}", [f"/{name}?sort={sort}", f"/{name}?sort=-{sort}"]) for sort in sorts]
    return sorted_ + [Page(f"{name}: {words}", [f"/{name}?{query}"]) for words, query in filters.items()]


def _month(at: datetime, name: str) -> str:
    return f"{name}_from={at - timedelta(days=30):%Y-%m-%d}&{name}_to={at:%Y-%m-%d}"


def _customer_filters(at: datetime) -> dict[str, str]:
    month, before = _month(at, "ordered"), f"{at - timedelta(days=31):%Y-%m-%d}"
    return {
        "of a country": "country=DE",
        "of the largest country": "country=GB",
        "in a segment": "segment=at-risk",
        "of an RFM segment": "rfm=champions",
        "of an RFM segment that were elsewhere": "rfm=at-risk&rfm_was=loyal",
        "of a field of the map": "r=5&f=3",
        "last order": _month(at, "last_order"),
        "first order": _month(at, "first_order"),
        "ordered in a month": month,
        "returning in a month": f"{month}&first_order_to={before}",
        "many orders": "orders_from=3",
        "spent between, by orders": "spent_from=100&spent_to=150&sort=-orders",
        "agreed to mail": "consent=granted",
        "consent not known": "consent=unknown",
        "not to be contacted": "consent=do-not-contact",
        "with a tag": "tag=vip",
        "of a store": "store=bench",
        "bought a product": "product=1",
    }


def _order_filters(at: datetime) -> dict[str, str]:
    return {
        "of a month that count": f"{_month(at, 'placed')}&counts=1",
        "of a year that count": f"placed_from={at - timedelta(days=364):%Y-%m-%d}&counts=1",
        "cancelled": "status=cancelled",
        "not sent": "fulfilment=unfulfilled",
        "refunded": "refunded=yes",
        "of guests": "guest=yes",
        "large": "total_from=160",
        "with a product": "product=1",
    }


def _public(number: int) -> str:
    return to_public(Customer.PREFIX, Customer.objects.values_list("uid", flat=True).get(pk=number))


def _some_customers(customers: int, seed: int) -> Iterator[str]:
    chance = Random(seed)  # noqa: S311
    return (f"/customers/{_public(chance.randint(2, customers))}" for _ in range(_ROUNDS))


def _measured(client: Client, page: Page, rounds: int) -> Figure:
    times: list[float] = []
    for number in range(rounds + 1):
        address = page.addresses[number % len(page.addresses)]
        with log.transaction("system", "bench") as entries:
            entries.append()
        began = time.perf_counter()
        answer = client.get(address)
        times.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            note = f"answered {answer.status_code}: {re.sub('[0-9]{4,}', '…', address)}"
            return Figure(f"Pages: {page.name}, p95", 0, "ms", note=note)
    times = times[1:]  # the first compiles templates
    p95 = statistics.quantiles(times, n=20)[-1]
    note = f"median {statistics.median(times):.0f} ms, slowest {max(times):.0f} ms"
    return Figure(f"Pages: {page.name}, p95", p95, "ms", goal=f"under {_GOAL_MS:.0f} ms", note=note)


def _signed_in(at: datetime) -> Client:
    member = StaffMember.objects.first() or create_staff("bench@volume.example", Role.OWNER, SYSTEM, at)[0]
    client = Client(raise_request_exception=False)
    client.force_login(StaffMember.objects.get(pk=member.pk))
    return client
